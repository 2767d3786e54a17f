package otp

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The secrets of the RFCs: "1234567890" over and over, as long as the hash's output.
func rfcKey(kind Kind, alg Algorithm, digits int) Key {
	size := map[Algorithm]int{SHA1: 20, SHA256: 32, SHA512: 64}[alg]
	k := Key{Kind: kind, Algorithm: alg, Secret: NewSecret([]byte(strings.Repeat("1234567890", 7)[:size])), Digits: digits}
	if kind == TOTP {
		k.Period = 30 * time.Second
	}
	return k
}

// RFC 4226 appendix D: the truncated value in decimal, and the 6 digits that it gives. The RFC's own 6 digits are
// the last of the decimal, so that column tests 7 and 8 digits too.
func TestRFC4226AppendixD(t *testing.T) {
	for counter, v := range []struct{ decimal, hotp string }{
		{"1284755224", "755224"},
		{"1094287082", "287082"},
		{"137359152", "359152"},
		{"1726969429", "969429"},
		{"1640338314", "338314"},
		{"868254676", "254676"},
		{"1918287922", "287922"},
		{"82162583", "162583"},
		{"673399871", "399871"},
		{"645520489", "520489"},
	} {
		for digits := MinDigits; digits <= MaxDigits; digits++ {
			want := v.decimal[len(v.decimal)-digits:]
			if digits == 6 {
				want = v.hotp
			}
			k := rfcKey(HOTP, SHA1, digits)
			if got, err := k.Code(int64(counter)); err != nil || got != want {
				t.Errorf("counter %d, %d digits: %q, %v; want %q", counter, digits, got, err, want)
			}
			if got := k.Matches(want, 0, 9); !slices.Equal(got, []int64{int64(counter)}) {
				t.Errorf("counter %d, %d digits: matches %v", counter, digits, got)
			}
		}
	}
}

// RFC 6238 appendix B.
func TestRFC6238AppendixB(t *testing.T) {
	for _, v := range []struct {
		unix int64
		step int64
		alg  Algorithm
		code string
	}{
		{59, 0x1, SHA1, "94287082"},
		{59, 0x1, SHA256, "46119246"},
		{59, 0x1, SHA512, "90693936"},
		{1111111109, 0x23523EC, SHA1, "07081804"},
		{1111111109, 0x23523EC, SHA256, "68084774"},
		{1111111109, 0x23523EC, SHA512, "25091201"},
		{1111111111, 0x23523ED, SHA1, "14050471"},
		{1111111111, 0x23523ED, SHA256, "67062674"},
		{1111111111, 0x23523ED, SHA512, "99943326"},
		{1234567890, 0x273EF07, SHA1, "89005924"},
		{1234567890, 0x273EF07, SHA256, "91819424"},
		{1234567890, 0x273EF07, SHA512, "93441116"},
		{2000000000, 0x3F940AA, SHA1, "69279037"},
		{2000000000, 0x3F940AA, SHA256, "90698825"},
		{2000000000, 0x3F940AA, SHA512, "38618901"},
		{20000000000, 0x27BC86AA, SHA1, "65353130"},
		{20000000000, 0x27BC86AA, SHA256, "77737706"},
		{20000000000, 0x27BC86AA, SHA512, "47863826"},
	} {
		k := rfcKey(TOTP, v.alg, 8)
		step := k.Step(time.Unix(v.unix, 0))
		if step != v.step {
			t.Errorf("%d: step %#x, want %#x", v.unix, step, v.step)
		}
		if got, err := k.Code(step); err != nil || got != v.code {
			t.Errorf("%d, %s: %q, %v; want %q", v.unix, v.alg, got, err, v.code)
		}
	}
}

func TestStepEdges(t *testing.T) {
	for _, c := range []struct {
		period time.Duration
		at     time.Time
		want   int64
	}{
		{30 * time.Second, time.Unix(0, 0), 0},
		{30 * time.Second, time.Unix(29, 999_999_999), 0},
		{30 * time.Second, time.Unix(30, 0), 1},
		{30 * time.Second, time.Unix(-1, 0), -1},
		{30 * time.Second, time.Unix(-30, 0), -1},
		{30 * time.Second, time.Unix(-31, 0), -2},
		{45 * time.Second, time.Unix(89, 0), 1},
		{45 * time.Second, time.Unix(90, 0), 2},
		{300 * time.Second, time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), (1 << 31) / 300},
	} {
		k := Key{Kind: TOTP, Period: c.period}
		if got := k.Step(c.at); got != c.want {
			t.Errorf("period %v at %v: step %d, want %d", c.period, c.at, got, c.want)
		}
	}
}

func TestWindowEdges(t *testing.T) {
	k := rfcKey(TOTP, SHA1, 6)
	now := time.Unix(1111111109, 0)
	for _, window := range []int64{0, 1, 3} {
		mid := k.Step(now)
		for away := int64(-5); away <= 5; away++ {
			code, err := k.Code(mid + away)
			if err != nil {
				t.Fatal(err)
			}
			var want []int64
			if -window <= away && away <= window {
				want = []int64{mid + away}
			}
			if got := k.Matches(code, mid-window, mid+window); !slices.Equal(got, want) {
				t.Errorf("window %d, %d steps away: %v, want %v", window, away, got, want)
			}
		}
	}
}

func TestRangeEdges(t *testing.T) {
	k := rfcKey(HOTP, SHA1, 6)
	code := func(step int64) string {
		c, err := k.Code(step)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		name        string
		code        string
		first, last int64
		want        []int64
	}{
		{"before the first", code(0), -3, 3, []int64{0}},
		{"all before the first", code(0), -3, -1, nil},
		{"empty", code(5), 6, 5, nil},
		{"as wide as may be", code(MaxRange - 1), 0, MaxRange - 1, k.Matches(code(MaxRange-1), MaxRange-9, MaxRange-1)},
		{"one wider", code(1), 0, MaxRange, nil},
		{"all there is", code(1), math.MinInt64, math.MaxInt64, nil},
		{"the last there is", code(math.MaxInt64), math.MaxInt64 - 2, math.MaxInt64, []int64{math.MaxInt64}},
	} {
		got := k.Matches(c.code, c.first, c.last)
		if c.name == "as wide as may be" {
			got = got[max(0, len(got)-1):] // another step may have the same code
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if _, err := k.Code(-1); err == nil {
		t.Error("step -1: no error")
	}
}

func TestMatchesWantsTheWholeCode(t *testing.T) {
	k := rfcKey(HOTP, SHA1, 6)
	for _, code := range []string{"", "7", "75522", "7552240", "75522\x00", "1284755224", "755 224", "+55224"} {
		if got := k.Matches(code, 0, 9); got != nil {
			t.Errorf("%q matches %v", code, got)
		}
	}
	broken := k
	broken.Digits = 0
	if got := broken.Matches("", 0, 9); got != nil {
		t.Errorf("a key of no digits matches %v", got)
	}
}

// Over a thousand steps of 6 digits a few codes come twice: Matches finds each of the steps and no other.
func TestMatchesFindsEveryStepAndNoOther(t *testing.T) {
	const steps = 4000
	src := seeded(2)
	twice := 0
	for range 3 {
		k := randomKey(src)
		k.Digits = 6
		first := rand.New(src).Int64N(1 << 40)
		at := map[string][]int64{}
		for step := first; step < first+steps; step++ {
			code, err := k.Code(step)
			if err != nil {
				t.Fatal(err)
			}
			at[code] = append(at[code], step)
		}
		looked := 0
		for code, want := range at {
			if len(want) > 1 {
				twice++
			} else if looked++; looked > 20 {
				continue
			}
			if got := k.Matches(code, first, first+steps-1); !slices.Equal(got, want) {
				t.Errorf("%v: %q matches %v, want %v", k, code, got, want)
			}
		}
		for n := range 20 {
			wrong := strings.Repeat(string(rune('0'+n%10)), 6)
			if got := k.Matches(wrong, first, first+steps-1); !slices.Equal(got, at[wrong]) {
				t.Errorf("%v: %q matches %v, want %v", k, wrong, got, at[wrong])
			}
		}
	}
	if twice == 0 {
		t.Error("no code came twice: the test shows less than it says")
	}
}

func TestFindPair(t *testing.T) {
	src := seeded(3)
	r := rand.New(src)
	for range 50 {
		k := randomKey(src)
		first := r.Int64N(1 << 40)
		last := first + 100
		code := func(step int64) string {
			c, err := k.Code(step)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		at := first + 1 + r.Int64N(100)
		if step, ok := k.FindPair(code(at-1), code(at), first, last); !ok || step != at {
			t.Errorf("%v: pair at %d: found %d, %v", k, at, step, ok)
		}
		for name, pair := range map[string][2]int64{
			"turned round":          {at, at - 1},
			"with a gap":            {at - 1, at + 1},
			"the same twice":        {at, at},
			"half before the range": {first - 1, first},
			"half after the range":  {last, last + 1},
		} {
			if step, ok := k.FindPair(code(pair[0]), code(pair[1]), first, last); ok {
				t.Errorf("%v: %s: found %d", k, name, step)
			}
		}
	}
	k := rfcKey(HOTP, SHA1, 6)
	if step, ok := k.FindPair("755224", "287082", -5, 5); !ok || step != 1 {
		t.Errorf("from before the first: found %d, %v", step, ok)
	}
	if _, ok := k.FindPair("755224", "287082", 0, MaxRange); ok {
		t.Error("a range wider than MaxRange is searched")
	}
}

func BenchmarkMatches(b *testing.B) {
	for _, alg := range []Algorithm{SHA1, SHA256, SHA512} {
		k := rfcKey(TOTP, alg, 6)
		b.Run(string(alg), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Matches("000000", 37037036, 37037038)
			}
		})
	}
}
