// Package enroll changes a user's second factor: set up, confirm, remove, new recovery codes, resynchronise. It is
// pure: it works on a record and a ledger account that its caller read and stores.
package enroll

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// What can be wrong with a request.
var (
	ErrNotEnrolled  = errors.New("two-factor login is not set up")
	ErrNoSetup      = errors.New("no set-up is waiting for its code; it may have expired")
	ErrCode         = errors.New("the security code is invalid")
	ErrTooMany      = fmt.Errorf("no more than %d devices are possible", vault.MaxTokens)
	ErrUnknownToken = errors.New("no such device")
	ErrNeedToken    = errors.New("several devices are set up; name one")
	ErrLabelTaken   = errors.New("another device has this name")
)

// Lifetime is how long a set-up waits for its first code; afterwards it is as if it never was.
const Lifetime = 10 * time.Minute

// Options are the wishes for a new token; zero values mean the defaults that every app understands.
type Options struct {
	Label     string        // the device's name; "": "phone", "phone 2", …
	Kind      otp.Kind      // "": totp
	Algorithm otp.Algorithm // "": SHA1
	Digits    int           // 0: 6
	Period    time.Duration // 0: 30 s
	Replaces  string        // ID of the token that this one replaces once it is confirmed
	Issuer    string        // shown by the app
}

func (o *Options) fill(rec *vault.Record) {
	if o.Kind == "" {
		o.Kind = otp.TOTP
	}
	if o.Algorithm == "" {
		o.Algorithm = otp.SHA1
	}
	if o.Digits == 0 {
		o.Digits = 6
	}
	if o.Period == 0 && o.Kind == otp.TOTP {
		o.Period = 30 * time.Second
	}
	for n := 1; o.Label == ""; n++ {
		label := "phone"
		if n > 1 {
			label = fmt.Sprintf("phone %d", n)
		}
		if !taken(rec, label, "") {
			o.Label = label
		}
	}
}

// taken reports whether a token has the label, other than the one with the ID but.
func taken(rec *vault.Record, label, but string) bool {
	for _, t := range rec.Tokens {
		if t.Label == label && t.ID != but {
			return true
		}
	}
	return false
}

// Setup is a token that waits for its first code. It holds the secret: it is shown to its owner and forgotten.
type Setup struct {
	ID      string
	URI     otp.URI
	Label   string
	Expires time.Time
}

// Begin makes a secret and puts it beside the record's tokens as pending. rec is nil for a user who has no record. An
// earlier set-up that was not confirmed is dropped: whoever began it may know its secret.
func Begin(rec *vault.Record, user string, uid uint32, o Options, now time.Time, rnd io.Reader) (*vault.Record, Setup, error) {
	if rec == nil {
		rec = &vault.Record{User: user, UID: uid, Created: now}
	}
	if o.Replaces != "" {
		old, err := Find(rec, o.Replaces)
		if err != nil {
			return nil, Setup{}, err
		}
		o.Replaces = old.ID
		if o.Label == "" {
			o.Label = old.Label
		}
	} else if len(rec.Tokens) >= vault.MaxTokens {
		return nil, Setup{}, ErrTooMany
	}
	o.fill(rec)
	if taken(rec, o.Label, o.Replaces) {
		return nil, Setup{}, fmt.Errorf("%q: %w", o.Label, ErrLabelTaken)
	}
	key, err := otp.Generate(rnd, o.Kind, o.Algorithm, o.Digits, o.Period)
	if err != nil {
		return nil, Setup{}, err
	}
	uri := otp.URI{Issuer: o.Issuer, Account: user, Key: key}
	if err := uri.Validate(); err != nil {
		return nil, Setup{}, err
	}
	tokenID, err := randomHex(rnd, 8)
	if err != nil {
		return nil, Setup{}, err
	}
	id, err := randomHex(rnd, 16)
	if err != nil {
		return nil, Setup{}, err
	}
	rec.Pending = &vault.Pending{
		ID: id, Expires: now.Add(Lifetime), Replaces: o.Replaces,
		Token: vault.Token{ID: tokenID, Label: o.Label, Key: key},
	}
	return rec, Setup{ID: id, URI: uri, Label: o.Label, Expires: rec.Pending.Expires}, nil
}

func randomHex(rnd io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rnd, b); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}
