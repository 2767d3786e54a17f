package ledger

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRemembered(t *testing.T) {
	a := &Account{}
	a.Accept("sshd", "10.0.0.5", start)
	for _, c := range []struct {
		service, source string
		after, within   time.Duration
		want            bool
	}{
		{"sshd", "10.0.0.5", 0, time.Hour, true},
		{"sshd", "10.0.0.5", time.Hour - 1, time.Hour, true},
		{"sshd", "10.0.0.5", time.Hour, time.Hour, false},
		{"sshd", "10.0.0.5", -1, time.Hour, false}, // the clock was set back
		{"sshd", "10.0.0.5", 0, 0, false},
		{"sudo", "10.0.0.5", 0, time.Hour, false},
		{"sshd", "10.0.0.6", 0, time.Hour, false},
		{"sshd", "", 0, time.Hour, false},
	} {
		if got := a.Remembered(c.service, c.source, start.Add(c.after), c.within); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	a.Under(0)
	if !a.Remembered("sshd", "10.0.0.5", start, time.Hour) {
		t.Error("it is forgotten in the same turn")
	}
	a.Under(1)
	if a.Remembered("sshd", "10.0.0.5", start, time.Hour) || !a.Knows("10.0.0.5", start) {
		t.Error("it is remembered in another turn, or not known any more")
	}
	if want := (Last{start, "sshd", "10.0.0.5"}); a.Last != want {
		t.Errorf("the last login is %+v", a.Last)
	}
}

func TestForget(t *testing.T) {
	a := &Account{}
	a.Accept("sshd", "home", start)
	a.Accept("sshd", "office", start.Add(time.Minute))
	a.Accept("sudo", "home", start.Add(2*time.Minute))
	a.Forget()
	a.Forget()
	value, err := encodeAccount("u", a)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = decodeAccount([]byte("u"), value); err != nil {
		t.Fatal(err)
	}
	now := start.Add(time.Hour)
	for _, k := range []Known{{Service: "sshd", Source: "home"}, {Service: "sudo", Source: "home"}, {Service: "sshd", Source: "office"}} {
		if a.Remembered(k.Service, k.Source, now, 2*time.Hour) {
			t.Errorf("%s from %s is remembered", k.Service, k.Source)
		}
		if !a.Knows(k.Source, now) {
			t.Errorf("%s is not known any more", k.Source)
		}
	}
	if len(a.Known) != 2 || a.Knows("home", start.Add(knownFor)) == a.Knows("office", start.Add(knownFor+90*time.Second)) {
		t.Errorf("each source is known once, since its last right code: %+v", a.Known)
	}
	a.Accept("sshd", "home", now)
	if !a.Remembered("sshd", "home", now, time.Hour) || a.Remembered("sudo", "home", now, 2*time.Hour) {
		t.Error("after the next right code, its service is remembered, and no other")
	}
}

func TestKnownIsBounded(t *testing.T) {
	a := &Account{}
	for i := range 3 * maxKnown {
		a.Accept("sshd", fmt.Sprint(i), start.Add(time.Duration(i)))
		a.Accept("sshd", "home", start.Add(time.Duration(i)))
	}
	if len(a.Known) != maxKnown {
		t.Errorf("%d known sources", len(a.Known))
	}
	if now := start.Add(time.Hour); !a.Knows("home", now) || !a.Knows(fmt.Sprint(3*maxKnown-1), now) || a.Knows("0", now) {
		t.Error("the wrong ones were dropped")
	}
}

// TestHostileNames: a source that cannot be stored as it is counts all the same, and is not mistaken for another.
func TestHostileNames(t *testing.T) {
	names := []string{"", "\xff", "\xfe", "\ufffd", strings.Repeat("a", 256), strings.Repeat("a", 257), "*\n\x00"}
	a := &Account{}
	for _, name := range names {
		fail(a, name, 4, start, limits)
	}
	value, err := encodeAccount("u", a)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = decodeAccount([]byte("u"), value); err != nil {
		t.Fatal(err)
	}
	if len(a.Sources) != len(names) {
		t.Fatalf("%d sources instead of %d", len(a.Sources), len(names))
	}
	for _, name := range names {
		now := start.Add(time.Minute)
		lim := limits
		lim.UserFailures = 1000
		if !a.LockedUntil(name, now, lim).IsZero() {
			t.Errorf("%q is locked by others", name)
		}
		if a.Fail(name, now, lim).IsZero() {
			t.Errorf("%q: the wrong codes from before do not count", name)
		}
		a.Accept(name, name, now)
		if !a.Knows(name, now) || !a.Remembered(name, name, now, time.Hour) {
			t.Errorf("%q is not remembered", name)
		}
	}
}

// crowded is an account with every table full of long names.
func crowded() *Account {
	a := &Account{}
	lim := limits
	lim.UserFailures = maxWrong
	long := func(i int) string { return fmt.Sprintf("%0255d", i) }
	for i := range 1500 {
		a.Fail(long(i), start.Add(time.Duration(i)), lim)
	}
	for i := range maxKnown {
		a.Accept(long(i), long(i), start.Add(time.Hour))
	}
	for id := range 16 {
		for i := range int64(1000) {
			a.Use(fmt.Sprintf("%016x", id), i*i+1<<60)
		}
	}
	return a
}

func TestEncoding(t *testing.T) {
	small := &Account{Tokens: map[string]*TokenUse{}}
	small.Accept("sshd", "10.0.0.5", start)
	fresh := &Account{Tokens: map[string]*TokenUse{token: {Steps: []int64{5}, Fresh: true}}}
	for name, a := range map[string]*Account{"empty": {Tokens: map[string]*TokenUse{}}, "small": small, "fresh": fresh, "crowded": crowded()} {
		value, err := encodeAccount("alice", a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := decodeAccount([]byte("alice"), value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, a) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, a)
		}
		if _, err := decodeAccount([]byte("bob"), value); err == nil {
			t.Errorf("%s: passes for another user's", name)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	for _, content := range []string{
		``, `{`, `[]`, `{} {}`, `{}x`, `{"unknown":1}`, `{"tokens":{"a":null}}`, `{"tokens":{"a":{"steps":[1.5]}}}`,
		`{"tokens":{"a":{"steps":[1],"past":[[2,1]]}}}`, `{"tokens":{"a":{"steps":[1],"past":[[1,2],[2,3]]}}}`,
		`{"tokens":{"a":{"steps":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}}}`, `{"wrong":["yesterday"]}`,
		`{"sources":[` + strings.Repeat(`{"source":"a","last":"2026-01-01T00:00:00Z"},`, 64) + `{"source":"b","last":"2026-01-01T00:00:00Z"}]}`,
	} {
		if a, err := decodeAccount([]byte("u"), seal([]byte("u"), []byte(content))); err == nil {
			t.Errorf("%s: %+v", content, a)
		}
	}
	for _, value := range [][]byte{nil, {}, {1, 2, 3}, seal([]byte("u"), []byte("{}"))[:5]} {
		if _, err := decodeAccount([]byte("u"), value); err == nil {
			t.Errorf("%q is taken for an account", value)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	huge := &Account{Tokens: map[string]*TokenUse{}}
	for i := range 5000 {
		huge.Use(fmt.Sprintf("%032d", i), int64(i))
	}
	for name, a := range map[string]*Account{"": {}, strings.Repeat("u", 258): {}, "huge": huge, "nil": {Tokens: map[string]*TokenUse{"a": nil}}} {
		if _, err := encodeAccount(name, a); err == nil {
			t.Errorf("%.20q is stored", name)
		}
	}
	if _, err := encodeAccount(Stranger(strings.Repeat("u", 256)), &Account{}); err != nil {
		t.Error(err)
	}
}

func TestPruneKeepsWhatProtects(t *testing.T) {
	a := &Account{}
	a.Use(token, 100)
	a.Accept("sshd", "home", start)
	fail(a, "guesser", 3, start, limits)
	fail(a, "locked", 5, start, limits)
	keeps := func(after time.Duration, sources, wrong, known int) {
		t.Helper()
		a.prune(start.Add(after))
		if len(a.Sources) != sources || len(a.Wrong) != wrong || len(a.Known) != known {
			t.Errorf("after %s: %d sources, %d wrong codes, %d known", after, len(a.Sources), len(a.Wrong), len(a.Known))
		}
	}
	keeps(day-time.Second, 2, 8, 1)
	keeps(day+5*time.Second, 1, 0, 1)
	keeps(30*day-1, 1, 0, 1)
	keeps(30*day+6*time.Minute, 0, 0, 0)
	if a.Usable(token, 100, 0) == nil {
		t.Error("a used step was dropped")
	}
	if a.empty() {
		t.Error("an account with used steps passes for empty")
	}
}
