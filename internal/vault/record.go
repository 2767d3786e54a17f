package vault

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/otp"
)

// Record is what the vault keeps of one user.
type Record struct {
	User     string
	UID      uint32 // at enrolment
	Created  time.Time
	Tokens   []Token
	Recovery []otp.RecoveryHash // of the codes that are not used yet
	Lock     Lock
	Pending  *Pending
}

// Token is one authenticator that a first code has confirmed.
type Token struct {
	ID        string // 16 hexadecimal digits, unique in the record
	Label     string // the device's name
	Key       otp.Key
	Offset    int64 // of totp: how many steps the device's clock is ahead of ours
	Counter   int64 // of hotp: the next one
	Confirmed time.Time
}

// Lock is a lock that outlives the ledger; zero is none.
type Lock struct {
	Until  time.Time
	Source string // that is locked out; "": every one
}

// Pending is a token that waits for its first code.
type Pending struct {
	ID       string // 32 hexadecimal digits
	Token    Token  // its Confirmed is zero
	Expires  time.Time
	Replaces string // ID of the token that this one is to replace, or ""
}

// The bounds of a record.
const (
	MaxTokens   = 16
	MaxRecovery = 20
	MaxLabel    = 64  // characters
	MaxUser     = 256 // bytes; LOGIN_NAME_MAX of Linux
	maxSource   = 256 // bytes; a host name has up to 253

	tokenIDLen   = 16
	pendingIDLen = 32
	saltLen      = 16
	hashLen      = 32
)

// Validate says what is wrong with the record, without a secret in it, or nil.
func (r *Record) Validate() error {
	if err := checkUser(r.User); err != nil {
		return err
	}
	if r.UID == ^uint32(0) {
		return fmt.Errorf("uid %d: is nobody's", r.UID) // (uid_t)-1, chown(2)
	}
	if err := checkTime("created", r.Created); err != nil {
		return err
	}
	if len(r.Tokens) > MaxTokens {
		return fmt.Errorf("%d tokens: must be at most %d", len(r.Tokens), MaxTokens)
	}
	if err := r.validateIDs(); err != nil {
		return err
	}
	for i := range r.Tokens {
		t := &r.Tokens[i]
		if err := errors.Join(t.validate(), checkTime("confirmed", t.Confirmed)); err != nil {
			return fmt.Errorf("token %d: %w", i+1, err)
		}
	}
	if err := validateRecovery(r.Recovery); err != nil {
		return err
	}
	if err := r.Lock.validate(); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if r.Pending == nil {
		return nil
	}
	if err := r.Pending.validate(); err != nil {
		return fmt.Errorf("pending token: %w", err)
	}
	return nil
}

func (r *Record) validateIDs() error {
	seen := map[string]bool{}
	for _, t := range r.Tokens {
		if seen[t.ID] {
			return fmt.Errorf("token ID %q: is there twice", t.ID)
		}
		seen[t.ID] = true
	}
	if r.Pending != nil && seen[r.Pending.Token.ID] {
		return fmt.Errorf("token ID %q: is there twice", r.Pending.Token.ID)
	}
	return nil
}

func (t *Token) validate() error {
	if !isHex(t.ID, tokenIDLen) {
		return fmt.Errorf("ID %q: must be %d hexadecimal digits", t.ID, tokenIDLen)
	}
	if err := checkLabel(t.Label); err != nil {
		return err
	}
	if err := t.Key.Validate(); err != nil {
		return err
	}
	reach := int64(0)
	if t.Key.Kind == otp.TOTP {
		reach = int64(24 * time.Hour / t.Key.Period)
	}
	switch {
	case t.Key.Kind == otp.HOTP && t.Offset != 0:
		return fmt.Errorf("offset %d: a token of kind %q has none", t.Offset, otp.HOTP)
	case t.Key.Kind == otp.HOTP && t.Counter < 0:
		return fmt.Errorf("counter %d: must not be negative", t.Counter)
	case t.Key.Kind == otp.TOTP && t.Counter != 0:
		return fmt.Errorf("counter %d: a token of kind %q has none", t.Counter, otp.TOTP)
	case t.Key.Kind == otp.TOTP && (t.Offset < -reach || t.Offset > reach):
		return fmt.Errorf("offset %d: must be at most a day", t.Offset)
	}
	return nil
}

func (p *Pending) validate() error {
	if !isHex(p.ID, pendingIDLen) {
		return fmt.Errorf("set-up ID of %d characters: must be %d hexadecimal digits", len(p.ID), pendingIDLen)
	}
	if p.Replaces != "" && !isHex(p.Replaces, tokenIDLen) {
		return fmt.Errorf("replaces %q: must be a token's ID", p.Replaces)
	}
	if !p.Token.Confirmed.IsZero() {
		return errors.New("is confirmed")
	}
	return errors.Join(p.Token.validate(), checkTime("expires", p.Expires))
}

func (l Lock) validate() error {
	if l.Until.IsZero() {
		if l.Source != "" {
			return fmt.Errorf("source %q without an end", l.Source)
		}
		return nil
	}
	if len(l.Source) > maxSource || !isText(l.Source) {
		return fmt.Errorf("source %q: must be at most %d bytes, without control characters", shorten(l.Source), maxSource)
	}
	return checkTime("until", l.Until)
}

func validateRecovery(hashes []otp.RecoveryHash) error {
	if len(hashes) > MaxRecovery {
		return fmt.Errorf("%d recovery codes: must be at most %d", len(hashes), MaxRecovery)
	}
	for i, h := range hashes {
		if len(h.Salt) != saltLen || len(h.Hash) != hashLen {
			return fmt.Errorf("recovery code %d: salt and hash of %d and %d bytes: must be %d and %d", i+1, len(h.Salt), len(h.Hash), saltLen, hashLen)
		}
	}
	return nil
}

func checkUser(user string) error {
	if user == "" || len(user) > MaxUser || !isText(user) || strings.Contains(user, "/") {
		return fmt.Errorf("user %q: must be 1 to %d bytes, without control characters and slashes", shorten(user), MaxUser)
	}
	return nil
}

func checkLabel(label string) error {
	ok := label != "" && utf8.ValidString(label) && utf8.RuneCountInString(label) <= MaxLabel
	for _, c := range label {
		ok = ok && unicode.IsPrint(c)
	}
	if !ok {
		return fmt.Errorf("label %q: must be 1 to %d printable characters", shorten(label), MaxLabel)
	}
	return nil
}

// checkTime wants a time that RFC 3339 can write.
func checkTime(name string, t time.Time) error {
	if year := t.UTC().Year(); t.IsZero() || year < 1970 || year > 9999 {
		return fmt.Errorf("%s: must be a time from the years 1970 to 9999", name)
	}
	return nil
}

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// shorten bounds what an error repeats.
func shorten(s string) string { return s[:min(len(s), MaxUser)] }
