package enroll

import (
	"fmt"
	"io"
	"slices"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// Find returns the token with this ID or label; with an empty name, the only one.
func Find(rec *vault.Record, name string) (*vault.Token, error) {
	if rec == nil || len(rec.Tokens) == 0 {
		return nil, ErrNotEnrolled
	}
	if name == "" {
		if len(rec.Tokens) > 1 {
			return nil, ErrNeedToken
		}
		return &rec.Tokens[0], nil
	}
	for i := range rec.Tokens {
		if t := &rec.Tokens[i]; t.ID == name || t.Label == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%q: %w", name, ErrUnknownToken)
}

// Remove takes one token out of the record, and with the last one the recovery codes. It returns the token's label.
func Remove(rec *vault.Record, acct *ledger.Account, name string) (string, error) {
	t, err := Find(rec, name)
	if err != nil {
		return "", err
	}
	label := t.Label
	drop(rec, acct, t.ID)
	if len(rec.Tokens) == 0 {
		rec.Recovery = nil
	}
	return label, nil
}

// RemoveAll takes all that could let somebody in out of the record, a set-up that waits for its code included, and out of
// the account.
func RemoveAll(rec *vault.Record, acct *ledger.Account) {
	rec.Tokens, rec.Recovery, rec.Pending = nil, nil, nil
	acct.Tokens, acct.Phone = nil, nil
	acct.Forget()
}

// Rename gives a token another label, and returns the old one.
func Rename(rec *vault.Record, name, label string, now time.Time) (old string, err error) {
	t, err := Find(rec, name)
	if err != nil {
		return "", err
	}
	if taken(rec, label, t.ID) {
		return "", fmt.Errorf("%q: %w", label, ErrLabelTaken)
	}
	if p := rec.Pending; p != nil && now.Before(p.Expires) {
		switch {
		case p.Replaces != t.ID && p.Token.Label == label:
			return "", fmt.Errorf("%q: %w", label, ErrLabelTaken)
		case p.Replaces == t.ID && p.Token.Label == t.Label:
			p.Token.Label = label // the new key of the same device
		}
	}
	old, t.Label = t.Label, label
	return old, nil
}

// drop takes a device away. Logins that it made are remembered no more: whoever has it may have been there.
func drop(rec *vault.Record, acct *ledger.Account, id string) {
	rec.Tokens = slices.DeleteFunc(rec.Tokens, func(t vault.Token) bool { return t.ID == id })
	delete(acct.Tokens, id)
	acct.Forget()
}

// NewRecoveryCodes replaces the record's recovery codes; the old ones stop working. The record keeps only their hashes.
func NewRecoveryCodes(rec *vault.Record, rnd io.Reader) ([]string, error) {
	codes := make([]string, otp.RecoveryCodes)
	hashes := make([]otp.RecoveryHash, otp.RecoveryCodes)
	for i := range codes {
		var err error
		if codes[i], err = otp.NewRecoveryCode(rnd); err != nil {
			return nil, err
		}
		if hashes[i], err = otp.HashRecovery(rnd, codes[i]); err != nil {
			return nil, err
		}
	}
	rec.Recovery = hashes
	return codes, nil
}

// How far a token may be off and still be found again by two consecutive codes: half a day of clock, or a thousand
// presses of a button. By guessing, two codes are found with a chance of less than one in 10^8.
const (
	resyncReach   = 12 * time.Hour
	resyncPresses = 1000
)

// Resync finds a token's clock or counter again by two consecutive codes (RFC 6238 §6, RFC 4226 §7.4); where none is
// named, that of the token whose codes they are. Both codes are used up. It fails with ErrCode where they do not fit, or
// have been used before, or may have been.
func Resync(rec *vault.Record, past Past, name, code1, code2 string, now time.Time) (*vault.Token, error) {
	if rec == nil || len(rec.Tokens) == 0 {
		return nil, ErrNotEnrolled
	}
	err := fmt.Errorf("%q: %w", name, ErrUnknownToken)
	for i := range rec.Tokens {
		t := &rec.Tokens[i]
		if name != "" && t.ID != name && t.Label != name {
			continue
		}
		if err = resync(t, past, code1, code2, now); err == nil {
			return t, nil
		}
	}
	return nil, err
}

func resync(t *vault.Token, past Past, code1, code2 string, now time.Time) error {
	shape1, text1 := otp.Classify(code1)
	shape2, text2 := otp.Classify(code2)
	if shape1 != otp.ShapeCode || shape2 != otp.ShapeCode {
		return ErrCode
	}
	if t.Key.Kind == otp.HOTP {
		step, ok := t.Key.FindPair(text1, text2, t.Counter, t.Counter+resyncPresses)
		if !ok {
			return ErrCode
		}
		t.Counter = step + 1
		return nil
	}
	here := t.Key.Step(now)
	reach := int64(resyncReach / t.Key.Period)
	step, ok := t.Key.FindPair(text1, text2, max(0, here-reach), here+reach)
	if !ok || past.used(t, step-1) || past.used(t, step) {
		return ErrCode
	}
	t.Offset = step - here
	past.Account.Phone = nil // what it said was measured by the offset before
	past.Account.Use(t.ID, step-1)
	past.Account.Use(t.ID, step)
	return nil
}
