package enroll

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

func device(t *testing.T, label string) Device {
	t.Helper()
	k, err := otp.Generate(rand.Reader, otp.TOTP, otp.SHA1, 6, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return Device{Token: vault.Token{Label: label, Key: k, Offset: 2}}
}

func (u *user) imports(im Import) (Outcome, error) {
	u.t.Helper()
	rec, outcome, err := im.Apply(u.rec, &u.acct, "alice", 1000, 1, u.now, rand.Reader)
	if err == nil {
		u.rec = rec
	}
	return outcome, err
}

func (u *user) wantOutcome(im Import, want Outcome) {
	u.t.Helper()
	if got, err := u.imports(im); err != nil || got != want {
		u.t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func TestImport(t *testing.T) {
	u := newUser(t)
	now := noon.Unix() / 30
	d := device(t, "phone")
	d.Used = []int64{now - 40, now + 90}
	im := Import{Devices: []Device{d, device(t, "phone")}, Recovery: make([]otp.RecoveryHash, 2)}
	u.wantOutcome(im, ImportNew)
	if len(u.rec.Tokens) != 2 || len(u.rec.Recovery) != 2 || u.rec.User != "alice" || u.rec.UID != 1000 || !u.rec.Created.Equal(noon) {
		t.Errorf("the record is %+v", u.rec)
	}
	one, two := u.rec.Tokens[0], u.rec.Tokens[1]
	if one.Label == two.Label || one.ID == two.ID || one.Offset != 2 || !one.Confirmed.Equal(noon) {
		t.Errorf("the devices are %+v and %+v", one, two)
	}
	for _, step := range append(d.Used, now+1, now+2, now+3) { // which are right at this time: the offset is 2
		if err := u.acct.Usable(one.ID, step, 2); !errors.Is(err, ledger.ErrReplayed) {
			t.Errorf("step %d, which may have been used elsewhere, is usable here: %v", step-now, err)
		}
	}
	for _, id := range []string{one.ID, two.ID} {
		if !u.acct.Tokens[id].Fresh {
			t.Error("a ledger that began a moment ago would distrust the device's next codes, too")
		}
		if err := u.acct.Usable(id, now+4, 2); err != nil {
			t.Errorf("the next step: %v", err)
		}
	}
}

// What was used here does not come back because the same key is imported again.
func TestImportOfTheSameKeyBringsNothingBack(t *testing.T) {
	u := newUser(t)
	phone := u.enroll(Options{})
	button := u.enroll(Options{Kind: otp.HOTP})
	u.rec.Tokens[1].Counter = 7
	used := noon.Unix() / 30
	u.now = noon.Add(-time.Hour) // and the clock is set back
	im := Import{Replace: true}
	for _, k := range []otp.Key{phone, button} {
		im.Devices = append(im.Devices, Device{Token: vault.Token{Label: "again", Key: k}})
	}
	u.wantOutcome(im, ImportReplaced)
	if err := u.acct.Usable(u.rec.Tokens[0].ID, used, 2); !errors.Is(err, ledger.ErrReplayed) {
		t.Errorf("a used step is usable again: %v", err)
	}
	if n := u.rec.Tokens[1].Counter; n != 7 {
		t.Errorf("the counter went back to %d", n)
	}
}

func TestImportOverwritesNothing(t *testing.T) {
	u := newUser(t)
	old := u.enroll(Options{})
	other := Import{Devices: []Device{device(t, "other")}}
	u.wantOutcome(other, ImportExists)
	if !sameKey(u.rec.Tokens[0].Key, old) || len(u.rec.Tokens) != 1 || len(u.rec.Recovery) != 10 {
		t.Errorf("the record was changed: %+v", u.rec)
	}
	u.wantOutcome(Import{Devices: []Device{{Token: vault.Token{Label: "x", Key: old}}}}, ImportSame)
	u.wantOutcome(Import{Devices: []Device{{Token: vault.Token{Label: "x", Key: old}}, other.Devices[0]}}, ImportExists)
	u.rec.Lock = vault.Lock{Until: noon.Add(time.Hour)}
	other.Replace = true
	u.wantOutcome(other, ImportReplaced)
	if len(u.rec.Tokens) != 1 || sameKey(u.rec.Tokens[0].Key, old) || len(u.rec.Recovery) != 0 {
		t.Errorf("the record was not replaced: %+v", u.rec)
	}
	if len(u.acct.Tokens) != 1 {
		t.Errorf("the ledger knows steps of %d devices, and there is 1", len(u.acct.Tokens))
	}
	if u.rec.Lock.Until.IsZero() {
		t.Error("the import ended a lock")
	}
}

func TestImportRefuses(t *testing.T) {
	u := newUser(t)
	if _, err := u.imports(Import{Recovery: make([]otp.RecoveryHash, 1)}); !errors.Is(err, ErrNothing) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := u.imports(Import{Devices: make([]Device, vault.MaxTokens+1)}); !errors.Is(err, ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}
