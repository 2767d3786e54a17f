package enroll

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// user is one user's record and account.
type user struct {
	t    *testing.T
	rec  *vault.Record
	acct ledger.Account
	now  time.Time
}

func newUser(t *testing.T) *user { return &user{t: t, now: noon} }

func (u *user) begin(o Options) (Setup, error) {
	o.Issuer = "host.example"
	rec, s, err := Begin(u.rec, "alice", 1000, o, u.now, rand.Reader)
	if err == nil {
		u.rec = rec
	}
	return s, err
}

func (u *user) confirm(s Setup, steps int64) (Done, error) {
	u.t.Helper()
	return Confirm(u.rec, &u.acct, s.ID, u.code(s.URI.Key, steps), 1, u.now, rand.Reader)
}

// code is the key's code, steps away from now or, for HOTP, from zero.
func (u *user) code(k otp.Key, steps int64) string {
	u.t.Helper()
	if k.Kind == otp.TOTP {
		steps += k.Step(u.now)
	}
	c, err := k.Code(steps)
	if err != nil {
		u.t.Fatal(err)
	}
	return c
}

func (u *user) past(window int) Past { return Past{Account: &u.acct, Window: window} }

// enroll sets a device up.
func (u *user) enroll(o Options) otp.Key {
	u.t.Helper()
	s, err := u.begin(o)
	if err != nil {
		u.t.Fatal(err)
	}
	if _, err := u.confirm(s, 0); err != nil {
		u.t.Fatal(err)
	}
	return s.URI.Key
}

func TestFirstDevice(t *testing.T) {
	u := newUser(t)
	s, err := u.begin(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(u.rec.Tokens) != 0 || s.Label != "phone" || s.URI.Issuer != "host.example" || s.URI.Account != "alice" {
		t.Errorf("%d tokens, label %q, issuer %q, account %q", len(u.rec.Tokens), s.Label, s.URI.Issuer, s.URI.Account)
	}
	if _, err := u.confirm(s, 40); !errors.Is(err, ErrCode) {
		t.Errorf("a wrong code: %v", err)
	}
	done, err := u.confirm(s, 0)
	if err != nil || len(done.Recovery) != otp.RecoveryCodes || len(u.rec.Recovery) != otp.RecoveryCodes || u.rec.Pending != nil {
		t.Fatalf("%v, %d recovery codes", err, len(done.Recovery))
	}
	token := u.rec.Tokens[0]
	if !token.Confirmed.Equal(noon) || !u.acct.Tokens[token.ID].Fresh {
		t.Error("not confirmed now, under this ledger")
	}
	if err := u.acct.Usable(token.ID, token.Key.Step(noon), 2); err == nil {
		t.Error("the confirming code can be used again")
	}
	if _, err := u.confirm(s, 1); !errors.Is(err, ErrNoSetup) {
		t.Errorf("confirmed twice: %v", err)
	}
}

func TestSetupEndsAfterTenMinutes(t *testing.T) {
	u := newUser(t)
	s, err := u.begin(Options{})
	if err != nil {
		t.Fatal(err)
	}
	u.now = noon.Add(10*time.Minute - time.Nanosecond)
	if _, err := u.confirm(s, 40); !errors.Is(err, ErrCode) {
		t.Errorf("in time: %v", err)
	}
	u.now = noon.Add(10 * time.Minute)
	if _, err := u.confirm(s, 0); !errors.Is(err, ErrNoSetup) {
		t.Errorf("too late: %v", err)
	}
}

func TestSecondDevice(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{})
	if _, err := u.begin(Options{Label: "phone"}); !errors.Is(err, ErrLabelTaken) {
		t.Errorf("the same name: %v", err)
	}
	s, err := u.begin(Options{})
	if err != nil || s.Label != "phone 2" {
		t.Fatalf("%v, label %q", err, s.Label)
	}
	done, err := u.confirm(s, 0)
	if err != nil || len(done.Recovery) != 0 || len(u.rec.Tokens) != 2 {
		t.Errorf("%v, %d recovery codes, %d tokens", err, len(done.Recovery), len(u.rec.Tokens))
	}
}

func TestReconfigureKeepsTheOldDeviceUntilConfirmed(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{Label: "tablet"})
	old := u.rec.Tokens[0].ID
	s, err := u.begin(Options{Replaces: "tablet"})
	if err != nil || s.Label != "tablet" {
		t.Fatalf("%v, label %q", err, s.Label)
	}
	if len(u.rec.Tokens) != 1 || u.rec.Tokens[0].ID != old {
		t.Fatal("the old one is gone before the new one is confirmed")
	}
	if _, err := u.confirm(s, 0); err != nil {
		t.Fatal(err)
	}
	if len(u.rec.Tokens) != 1 || u.rec.Tokens[0].ID == old || u.acct.Tokens[old] != nil {
		t.Error("the old one is still there")
	}
	if _, err := u.begin(Options{Replaces: "watch"}); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("replacing what is not there: %v", err)
	}
}

func TestTooManyDevices(t *testing.T) {
	u := newUser(t)
	for range vault.MaxTokens {
		u.enroll(Options{})
	}
	if _, err := u.begin(Options{}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if _, err := u.begin(Options{Replaces: "phone 3"}); err != nil {
		t.Errorf("replacing one: %v", err)
	}
}

func TestRename(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{})
	u.enroll(Options{Label: "tablet"})
	phone := u.rec.Tokens[0].ID
	for _, test := range []struct {
		name, label, old string
		want             error
	}{
		{"phone", "tablet", "", ErrLabelTaken},
		{"watch", "clock", "", ErrUnknownToken},
		{"", "clock", "", ErrNeedToken},
		{"phone", "old phone", "phone", nil},
		{phone, "phone", "old phone", nil},
		{"phone", "phone", "phone", nil},
	} {
		old, err := Rename(u.rec, test.name, test.label, u.now)
		if old != test.old || !errors.Is(err, test.want) {
			t.Errorf("%q to %q: %q, %v; want %q, %v", test.name, test.label, old, err, test.old, test.want)
		}
	}
	if u.rec.Tokens[0].ID != phone || u.rec.Tokens[0].Label != "phone" || u.rec.Tokens[1].Label != "tablet" {
		t.Errorf("the tokens are %+v", u.rec.Tokens)
	}
	if _, err := Rename(nil, "phone", "x", u.now); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("without any: %v", err)
	}
}

// TestRenameWhileASetupWaits: no two devices have one name, whichever is first.
func TestRenameWhileASetupWaits(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{})
	if _, err := u.begin(Options{Label: "tablet"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Rename(u.rec, "phone", "tablet", u.now); !errors.Is(err, ErrLabelTaken) {
		t.Errorf("to the name of a device that is being set up: %v", err)
	}
	if _, err := Rename(u.rec, "phone", "tablet", u.now.Add(Lifetime)); err != nil {
		t.Errorf("when that has expired: %v", err)
	}

	u = newUser(t)
	u.enroll(Options{})
	s, err := u.begin(Options{Replaces: "phone"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rename(u.rec, "phone", "pocket", u.now); err != nil {
		t.Fatal(err)
	}
	if done, err := u.confirm(s, 0); err != nil || done.Token != "pocket" || len(u.rec.Tokens) != 1 {
		t.Errorf("the new key of the renamed device is %q (%v)", done.Token, err)
	}
	u.enroll(Options{Label: "tablet"})
	if _, err := u.begin(Options{Replaces: "tablet", Label: "pocket"}); !errors.Is(err, ErrLabelTaken) {
		t.Errorf("a new key under another device's name: %v", err)
	}
}

func TestRemove(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{})
	u.enroll(Options{Label: "tablet"})
	if _, err := Remove(u.rec, &u.acct, ""); !errors.Is(err, ErrNeedToken) {
		t.Errorf("which? %v", err)
	}
	if label, err := Remove(u.rec, &u.acct, "tablet"); err != nil || label != "tablet" || len(u.rec.Recovery) == 0 {
		t.Errorf("%v, %q, %d recovery codes", err, label, len(u.rec.Recovery))
	}
	if _, err := Remove(u.rec, &u.acct, ""); err != nil || len(u.rec.Tokens) != 0 || len(u.rec.Recovery) != 0 {
		t.Errorf("the last one: %v, %d tokens, %d recovery codes", err, len(u.rec.Tokens), len(u.rec.Recovery))
	}
	if _, err := Remove(u.rec, &u.acct, ""); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("none: %v", err)
	}
}

func TestResyncTOTP(t *testing.T) {
	for _, ahead := range []int64{-1400, -3, 0, 5, 1400} {
		u := newUser(t)
		k := u.enroll(Options{})
		u.now = noon.Add(24 * time.Hour)
		token, err := Resync(u.rec, u.past(1), "", u.code(k, ahead), u.code(k, ahead+1), u.now)
		if err != nil || token.Offset != ahead+1 {
			t.Errorf("%d steps: %v", ahead, err)
			continue
		}
		if first, last := Span(&u.rec.Tokens[0], u.now, 1); first != k.Step(u.now)+ahead || last != first+2 {
			t.Errorf("%d steps: the window is %d to %d", ahead, first, last)
		}
		for _, used := range []int64{ahead, ahead + 1} {
			if u.acct.Usable(token.ID, k.Step(u.now)+used, 2) == nil {
				t.Errorf("%d steps: a code of the resynchronisation can be used again", ahead)
			}
		}
	}
}

func TestResyncRefuses(t *testing.T) {
	u := newUser(t)
	k := u.enroll(Options{})
	u.now = noon.Add(24 * time.Hour)
	for name, codes := range map[string][2]string{
		"not consecutive": {u.code(k, 10), u.code(k, 12)},
		"the wrong way":   {u.code(k, 11), u.code(k, 10)},
		"twice the same":  {u.code(k, 10), u.code(k, 10)},
		"too far":         {u.code(k, 1500), u.code(k, 1501)},
		"no codes":        {"", "hunter2"},
	} {
		if _, err := Resync(u.rec, u.past(1), "", codes[0], codes[1], u.now); !errors.Is(err, ErrCode) || u.rec.Tokens[0].Offset != 0 {
			t.Errorf("%s: %v, offset %d", name, err, u.rec.Tokens[0].Offset)
		}
	}
	used := []string{u.code(k, 0), u.code(k, 1)}
	u.acct.Use(u.rec.Tokens[0].ID, k.Step(u.now))
	u.acct.Use(u.rec.Tokens[0].ID, k.Step(u.now)+1)
	if _, err := Resync(u.rec, u.past(1), "", used[0], used[1], u.now); !errors.Is(err, ErrCode) {
		t.Errorf("used codes: %v", err)
	}
	// The code that its user has just logged in with is used, with a window of 0, too, where the one before it is not refused.
	if _, err := Resync(u.rec, u.past(0), "", u.code(k, -1), used[0], u.now); !errors.Is(err, ErrCode) {
		t.Errorf("a used code behind one that is not: %v", err)
	}
	if _, err := Resync(u.rec, u.past(1), "watch", used[0], used[1], u.now); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("an unknown device: %v", err)
	}
}

// TestResyncAfterPowerCut: a code that was used just before the cut, which the ledger knows nothing of now, is none of the two.
func TestResyncAfterPowerCut(t *testing.T) {
	u := newUser(t)
	k := u.enroll(Options{})
	u.acct = ledger.Account{}
	u.now = noon.Add(24 * time.Hour)
	past := Past{Account: &u.acct, Quarantine: u.now, Window: 1}
	for _, first := range []int64{-20, 0, 1} {
		if _, err := Resync(u.rec, past, "", u.code(k, first), u.code(k, first+1), u.now); !errors.Is(err, ErrCode) || len(u.acct.Tokens) != 0 {
			t.Errorf("steps %d and %d: %v, used %v", first, first+1, err, u.acct.Tokens)
		}
	}
	if _, err := Resync(u.rec, past, "", u.code(k, 2), u.code(k, 3), u.now); err != nil {
		t.Errorf("the first steps that cannot have been used: %v", err)
	}
	u = newUser(t)
	k = u.enroll(Options{}) // under this ledger
	past = Past{Account: &u.acct, Quarantine: u.now, Window: 1}
	if _, err := Resync(u.rec, past, "", u.code(k, 1), u.code(k, 2), u.now); err != nil {
		t.Errorf("a device without a past: %v", err)
	}
}

func TestResyncHOTP(t *testing.T) {
	u := newUser(t)
	u.enroll(Options{})
	k := u.enroll(Options{Kind: otp.HOTP, Label: "fob"})
	token, err := Resync(u.rec, u.past(1), "", u.code(k, 700), u.code(k, 701), u.now)
	if err != nil || token.Label != "fob" || token.Counter != 702 {
		t.Errorf("%v, counter %d", err, u.rec.Tokens[1].Counter)
	}
	if _, err := Resync(u.rec, u.past(1), "fob", u.code(k, 700), u.code(k, 701), u.now); !errors.Is(err, ErrCode) {
		t.Errorf("back: %v", err)
	}
}

func TestSetupHasNoPrintableSecret(t *testing.T) {
	u := newUser(t)
	s, err := u.begin(Options{})
	if err != nil {
		t.Fatal(err)
	}
	secret := s.URI.Key.Secret.Base32()
	for _, printed := range printed(s, *u.rec) {
		if contains(printed, secret) {
			t.Errorf("printed: %s", printed)
		}
	}
}
func printed(values ...any) []string {
	var out []string
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
	}
	return out
}

func contains(printed, secret string) bool {
	return strings.Contains(strings.ToLower(printed), strings.ToLower(secret))
}

func TestMisdated(t *testing.T) {
	u := newUser(t)
	s, err := u.begin(Options{})
	if err != nil {
		t.Fatal(err)
	}
	code := u.code(s.URI.Key, -84)
	sample, ok := Misdated(u.rec, s.ID, code, noon)
	if !ok || sample.Step != s.URI.Key.Step(noon)-84 || sample.Period != s.URI.Key.Period {
		t.Errorf("%+v, %v", sample, ok)
	}
	far := int64(1560) // thirteen hours, and a code that is none of the twelve before by chance
	for len(s.URI.Key.Matches(u.code(s.URI.Key, far), s.URI.Key.Step(noon)-1440, s.URI.Key.Step(noon)+1440)) > 0 {
		far++
	}
	for name, find := range map[string]func() (clock.Sample, bool){
		"no record":         func() (clock.Sample, bool) { return Misdated(nil, s.ID, code, noon) },
		"another set-up":    func() (clock.Sample, bool) { return Misdated(u.rec, "0", code, noon) },
		"no code":           func() (clock.Sample, bool) { return Misdated(u.rec, s.ID, "correct horse", noon) },
		"thirteen hours":    func() (clock.Sample, bool) { return Misdated(u.rec, s.ID, u.code(s.URI.Key, far), noon) },
		"of another length": func() (clock.Sample, bool) { return Misdated(u.rec, s.ID, "1234567", noon) },
	} {
		if sample, ok := find(); ok {
			t.Errorf("%s: %+v", name, sample)
		}
	}
	if s, err = u.begin(Options{Kind: otp.HOTP}); err != nil {
		t.Fatal(err)
	}
	if sample, ok := Misdated(u.rec, s.ID, u.code(s.URI.Key, 84), noon); ok {
		t.Errorf("a counter has no time: %+v", sample)
	}
}
