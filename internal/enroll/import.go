package enroll

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// ErrNothing says that an import has no device in it. Recovery codes alone are no second factor.
var ErrNothing = errors.New("there is no device in it")

// Import is a second factor that comes from elsewhere.
type Import struct {
	Devices  []Device
	Recovery []otp.RecoveryHash // of the codes that are not used yet
	Created  time.Time          // zero: now
	Replace  bool               // what the user has now
}

// Device is a token from elsewhere. Its ID is given to it here; a zero Confirmed means now.
type Device struct {
	vault.Token
	Used []int64 // of totp: steps whose codes must not work again
}

// Outcome is what an import does.
type Outcome string

// The outcomes. The last two change nothing.
const (
	ImportNew      Outcome = "added"    // the user had no second factor
	ImportReplaced Outcome = "replaced" // the user had another one
	ImportSame     Outcome = "same"     // the user has these devices
	ImportExists   Outcome = "exists"   // the user has another one, which was not to be replaced
)

// Apply puts the import into the user's record, which is nil where there is none, and into the account what must not
// work again. That is the steps that the import says were used elsewhere, and every step that could have been used
// elsewhere a moment ago: so a code works once, on whichever side of the move, and the first one that works here is that
// of a minute later.
func (im Import) Apply(rec *vault.Record, acct *ledger.Account, user string, uid uint32, window int, now time.Time, rnd io.Reader) (*vault.Record, Outcome, error) {
	outcome := ImportNew
	switch {
	case len(im.Devices) == 0:
		return nil, "", ErrNothing
	case len(im.Devices) > vault.MaxTokens:
		return nil, "", ErrTooMany
	case rec == nil || len(rec.Tokens) == 0:
	case im.Replace:
		outcome = ImportReplaced
	case im.within(rec):
		return rec, ImportSame, nil
	default:
		return rec, ImportExists, nil
	}
	fresh := &vault.Record{User: user, UID: uid, Created: im.Created, Recovery: im.Recovery}
	if fresh.Created.IsZero() {
		fresh.Created = now
	}
	if rec != nil {
		fresh.Lock = rec.Lock // nobody gets new guesses by an import
	}
	for _, d := range im.Devices {
		if err := d.addTo(fresh, rec, now, rnd); err != nil {
			return nil, "", err
		}
	}
	maps.DeleteFunc(acct.Tokens, func(id string, _ *ledger.TokenUse) bool {
		return !slices.ContainsFunc(fresh.Tokens, func(t vault.Token) bool { return t.ID == id })
	})
	if outcome == ImportReplaced {
		acct.Forget() // whoever has a device that is gone
	}
	for i, t := range fresh.Tokens {
		burn(acct, &t, im.Devices[i].Used, window, now)
	}
	return fresh, outcome, nil
}

// addTo adds the device to a record. One that the old record has keeps its ID, under which its used steps are known, and
// its counter does not go back.
func (d Device) addTo(fresh, old *vault.Record, now time.Time, rnd io.Reader) error {
	var err error
	if d.ID, err = randomHex(rnd, 8); err != nil {
		return err
	}
	if old != nil {
		for _, t := range old.Tokens {
			if sameKey(t.Key, d.Key) && !slices.ContainsFunc(fresh.Tokens, func(f vault.Token) bool { return f.ID == t.ID }) {
				d.ID, d.Counter = t.ID, max(t.Counter, d.Counter)
			}
		}
	}
	d.Label = free(fresh, d.Label)
	if d.Confirmed.IsZero() {
		d.Confirmed = now
	}
	fresh.Tokens = append(fresh.Tokens, d.Token)
	return nil
}

// burn makes the used steps of a token worthless, and those that are right now.
func burn(acct *ledger.Account, t *vault.Token, used []int64, window int, now time.Time) {
	if t.Key.Kind != otp.TOTP {
		return
	}
	known := acct.Tokens[t.ID] != nil
	for _, step := range used {
		acct.Use(t.ID, step)
	}
	first, last := Span(t, now, window)
	for step := first; step <= last; step++ {
		acct.Use(t.ID, step)
	}
	if !known {
		acct.Tokens[t.ID].Fresh = true // from here on this ledger knows every use
	}
}

// free is the label, or one like it that no device has.
func free(rec *vault.Record, label string) string {
	for n := 2; taken(rec, label, ""); n++ {
		label = fmt.Sprintf("device %d", n)
	}
	return label
}

// within reports whether the user has all of these devices, whatever has happened to them since.
func (im Import) within(rec *vault.Record) bool {
	for _, d := range im.Devices {
		found := false
		for _, t := range rec.Tokens {
			found = found || sameKey(d.Key, t.Key)
		}
		if !found {
			return false
		}
	}
	return true
}

// sameKey takes no care of how long it takes: both keys are in the hands of root, who asks.
func sameKey(a, b otp.Key) bool {
	return a.Kind == b.Kind && a.Algorithm == b.Algorithm && a.Digits == b.Digits && a.Period == b.Period &&
		a.Secret.Base32() == b.Secret.Base32()
}
