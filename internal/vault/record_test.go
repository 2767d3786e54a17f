package vault

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sallyport/internal/otp"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// alice is a record with some of everything.
func alice() *Record {
	secret := func(s string) otp.Secret { return otp.NewSecret([]byte(s)) } // words that no error has
	return &Record{
		User: "alice", UID: 1000, Created: noon,
		Tokens: []Token{
			{ID: "00112233445566aa", Label: `the "red" phone \o/ 電話`, Offset: -2, Confirmed: noon.Add(1500 * time.Millisecond),
				Key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA256, Secret: secret("Jackdaws love my big"), Digits: 8, Period: 60 * time.Second}},
			{ID: "00112233445566bb", Label: "button", Counter: 41, Confirmed: noon,
				Key: otp.Key{Kind: otp.HOTP, Algorithm: otp.SHA1, Secret: secret("sphinx of quartz, judge"), Digits: 6}},
		},
		Recovery: []otp.RecoveryHash{{Salt: []byte("salt of 16 bytes"), Hash: []byte("a hash of 32 bytes, or nearly so")}},
		Lock:     Lock{Until: noon.Add(time.Hour), Source: "192.0.2.1"},
		Pending: &Pending{ID: strings.Repeat("0f", 16), Expires: noon.Add(10 * time.Minute), Replaces: "00112233445566bb",
			Token: Token{ID: "00112233445566cc", Label: "new button",
				Key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA512, Secret: secret("Waltz, nymph, for quick"), Digits: 7, Period: 30 * time.Second}}},
	}
}

// simple is what most users have.
func simple(user string, uid uint32) *Record {
	r := &Record{User: user, UID: uid, Created: noon}
	r.Tokens = []Token{{ID: "0123456789abcdef", Label: "phone", Confirmed: noon,
		Key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: otp.NewSecret([]byte("vexed dwarf jumps by")), Digits: 6, Period: 30 * time.Second}}}
	for range 10 {
		r.Recovery = append(r.Recovery, otp.RecoveryHash{Salt: make([]byte, 16), Hash: make([]byte, 32)})
	}
	return r
}

// plainText is everything in a record; equal texts are equal records.
func plainText(r *Record) string { return string(encode(r, new(Keyring))) }

func same(t testing.TB, got, want *Record) {
	t.Helper()
	if g, w := plainText(got), plainText(want); g != w {
		t.Errorf("got the record\n%s\nwant\n%s", g, w)
	}
}

// Each of these is refused, whether it comes from a caller or from the disk.
func TestImpossibleRecords(t *testing.T) {
	for name, spoil := range map[string]func(*Record){
		"no user":                      func(r *Record) { r.User = "" },
		"user with slash":              func(r *Record) { r.User = "../etc/passwd" },
		"user with line break":         func(r *Record) { r.User = "alice\nuid = 0" },
		"user with C1 control":         func(r *Record) { r.User = "alice\u009b" },
		"user not UTF-8":               func(r *Record) { r.User = "alice\xff" },
		"user too long":                func(r *Record) { r.User = strings.Repeat("a", MaxUser+1) },
		"nobody's uid":                 func(r *Record) { r.UID = 1<<32 - 1 },
		"no creation":                  func(r *Record) { r.Created = time.Time{} },
		"creation before Unix":         func(r *Record) { r.Created = noon.AddDate(-100, 0, 0) },
		"creation in the year 10000":   func(r *Record) { r.Created = noon.AddDate(8000, 0, 0) },
		"17 tokens":                    func(r *Record) { r.Tokens = manyTokens(17) },
		"token ID twice":               func(r *Record) { r.Tokens[1].ID = r.Tokens[0].ID },
		"token ID twice, once pending": func(r *Record) { r.Pending.Token.ID = r.Tokens[0].ID },
		"token ID in capitals":         func(r *Record) { r.Tokens[0].ID = "00112233445566AA" },
		"token ID too short":           func(r *Record) { r.Tokens[0].ID = "00112233" },
		"no label":                     func(r *Record) { r.Tokens[0].Label = "" },
		"label too long":               func(r *Record) { r.Tokens[0].Label = strings.Repeat("ä", MaxLabel+1) },
		"label with escape":            func(r *Record) { r.Tokens[0].Label = "\x1b[2J" },
		"label with direction mark":    func(r *Record) { r.Tokens[0].Label = "\u202ephone" },
		"unknown kind":                 func(r *Record) { r.Tokens[0].Key.Kind = "sms" },
		"unknown algorithm":            func(r *Record) { r.Tokens[0].Key.Algorithm = "MD5" },
		"5 digits":                     func(r *Record) { r.Tokens[0].Key.Digits = 5 },
		"9 digits":                     func(r *Record) { r.Tokens[0].Key.Digits = 9 },
		"period of an hour":            func(r *Record) { r.Tokens[0].Key.Period = time.Hour },
		"short secret":                 func(r *Record) { r.Tokens[0].Key.Secret = otp.NewSecret([]byte("short")) },
		"long secret":                  func(r *Record) { r.Tokens[0].Key.Secret = otp.NewSecret(make([]byte, 129)) },
		"no secret":                    func(r *Record) { r.Tokens[0].Key.Secret = otp.Secret{} },
		"offset of two days":           func(r *Record) { r.Tokens[0].Offset = -2 * 24 * 60 },
		"least offset":                 func(r *Record) { r.Tokens[0].Offset = -1 << 63 },
		"negative counter":             func(r *Record) { r.Tokens[1].Counter = -1 },
		"token not confirmed":          func(r *Record) { r.Tokens[0].Confirmed = time.Time{} },
		"21 recovery codes":            func(r *Record) { r.Recovery = make([]otp.RecoveryHash, 21) },
		"recovery code without salt":   func(r *Record) { r.Recovery[0].Salt = nil },
		"recovery code cut off":        func(r *Record) { r.Recovery[0].Hash = r.Recovery[0].Hash[:31] },
		"lock's source too long":       func(r *Record) { r.Lock.Source = strings.Repeat("x", 257) },
		"lock's source with escape":    func(r *Record) { r.Lock.Source = "\x1b" },
		"lock before Unix":             func(r *Record) { r.Lock.Until = noon.AddDate(-100, 0, 0) },
		"set-up without ID":            func(r *Record) { r.Pending.ID = "" },
		"set-up without end":           func(r *Record) { r.Pending.Expires = time.Time{} },
		"set-up replaces nonsense":     func(r *Record) { r.Pending.Replaces = "phone" },
		"set-up with bad key":          func(r *Record) { r.Pending.Token.Key.Digits = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			r := alice()
			spoil(r)
			fs, v := newVault(t)
			if err := v.Put(r); err == nil {
				t.Errorf("Put takes it")
			}
			if files := fs.Files(); len(files) != 0 {
				t.Errorf("Put wrote %q", files)
			}
			if got, _, err := decode(encode(r, new(Keyring)), r.User, new(Keyring)); err == nil {
				t.Errorf("it is read as\n%s", plainText(got))
			}
		})
	}
}

// These cannot be written to the disk, but a caller can make them.
func TestRecordsThatTheFormCannotSay(t *testing.T) {
	for name, spoil := range map[string]func(*Record){
		"offset of a button":       func(r *Record) { r.Tokens[1].Offset = 1 },
		"period of a button":       func(r *Record) { r.Tokens[1].Key.Period = 30 * time.Second },
		"counter of a clock":       func(r *Record) { r.Tokens[0].Counter = 1 },
		"half seconds":             func(r *Record) { r.Tokens[0].Key.Period = 30500 * time.Millisecond },
		"set-up already confirmed": func(r *Record) { r.Pending.Token.Confirmed = noon },
		"source without lock":      func(r *Record) { r.Lock.Until = time.Time{} },
	} {
		r := alice()
		spoil(r)
		if _, v := newVault(t); v.Put(r) == nil {
			t.Errorf("%s: Put takes it", name)
		}
	}
}

func manyTokens(n int) []Token {
	tokens := make([]Token, n)
	for i := range tokens {
		tokens[i] = simple("alice", 1).Tokens[0]
		tokens[i].ID = "00000000000000" + string("0123456789abcdef"[i/16]) + string("0123456789abcdef"[i%16])
	}
	return tokens
}

// The largest record that is allowed fits into the largest file that is.
func TestLargestRecord(t *testing.T) {
	r := alice()
	r.User = strings.Repeat("ä", 25) // of 4 characters each in the file's name, twice
	r.Tokens = manyTokens(MaxTokens)
	for i := range r.Tokens {
		r.Tokens[i].Key.Secret = otp.NewSecret(make([]byte, otp.MaxSecretBytes))
		r.Tokens[i].Label = strings.Repeat(`𝄞`, MaxLabel)
	}
	for len(r.Recovery) < MaxRecovery {
		r.Recovery = append(r.Recovery, r.Recovery[0])
	}
	r.Lock.Source = strings.Repeat("x", maxSource)
	r.Pending.Token = r.Tokens[0]
	r.Pending.Token.ID, r.Pending.Token.Confirmed = "ffffffffffffffff", time.Time{}
	_, v := newVault(t)
	sealVault(t, v)
	must(t, v.Put(r))
	got, err := v.Get(r.User, r.UID)
	must(t, err)
	same(t, got, r)
}

// randomRecord draws from all that is valid.
func randomRecord(rnd *rand.Rand) *Record {
	moment := func() time.Time { return time.Unix(rnd.Int64N(1<<37), rnd.Int64N(1e9)) }
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdef"[rnd.IntN(16)]
		}
		return string(b)
	}
	text := func(alphabet string, n int) string {
		letters := []rune(alphabet)
		s := make([]rune, 1+rnd.IntN(n))
		for i := range s {
			s[i] = letters[rnd.IntN(len(letters))]
		}
		return string(s)
	}
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	token := func() Token {
		t := Token{ID: hex(16), Label: text(`aZ09 "\=#[]äЖ電`, MaxLabel), Confirmed: moment()}
		t.Key = otp.Key{Kind: otp.HOTP, Algorithm: []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512}[rnd.IntN(3)],
			Secret: otp.NewSecret(bytes(10 + rnd.IntN(119))), Digits: 6 + rnd.IntN(3)}
		if t.Counter = rnd.Int64(); rnd.IntN(2) == 0 {
			t.Counter, t.Key.Kind, t.Key.Period = 0, otp.TOTP, time.Duration(10+rnd.IntN(291))*time.Second
			t.Offset = rnd.Int64N(577) - 288
		}
		return t
	}
	r := &Record{User: text(`azAZ09-_.@\ "é`, 40), UID: rnd.Uint32N(1<<32 - 1), Created: moment()}
	for range rnd.IntN(MaxTokens + 1) {
		r.Tokens = append(r.Tokens, token())
	}
	for range rnd.IntN(MaxRecovery + 1) {
		r.Recovery = append(r.Recovery, otp.RecoveryHash{Salt: bytes(16), Hash: bytes(32)})
	}
	if rnd.IntN(2) == 0 {
		r.Lock = Lock{Until: moment(), Source: text("0123456789.:abcdef%", 40)}
	}
	if rnd.IntN(2) == 0 {
		r.Pending = &Pending{ID: hex(32), Expires: moment(), Token: token(), Replaces: []string{"", hex(16)}[rnd.IntN(2)]}
		r.Pending.Token.Confirmed = time.Time{}
	}
	return r
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	_, unsealed := newVault(t)
	_, sealed := newVault(t)
	sealVault(t, sealed)
	for range 1000 {
		r := randomRecord(rnd)
		for _, v := range []*Vault{unsealed, sealed} {
			must(t, v.Put(r))
			got, err := v.Get(r.User, r.UID)
			must(t, err)
			same(t, got, r)
			if _, err := v.Get(r.User, r.UID+1); !errors.Is(err, ErrNotEnrolled) {
				t.Fatalf("with another uid: %v", err)
			}
		}
		if t.Failed() {
			return
		}
	}
}
