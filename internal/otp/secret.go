package otp

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Secret is the bytes that a key is made of. It has no printable form: every verb of fmt, slog and the encoders
// give "[secret]" or an error. Who means to show or store it calls Base32 or Bytes.
//
// The bytes are a string behind a pointer because fmt does not ask a value in an unexported field how it wants to
// be printed (nor one under %p), and a pointer to a string is the one kind that it never follows.
type Secret struct {
	_    [0]func() // no ==, which would compare the addresses
	held *string
}

const redacted = "[secret]"

var errNoText = errors.New("a secret has no text form")

// base32Padded is the standard alphabet; people and URIs see no padding.
var base32Padded = base32.StdEncoding

// NewSecret keeps a copy of b.
func NewSecret(b []byte) Secret {
	held := string(b)
	return Secret{held: &held}
}

// ParseSecret reads base32 (RFC 4648 §6) as people type it: in either case, in groups, with or without padding.
// Bits left over at the end are dropped, as authenticator apps do. The error never has the text in it.
func ParseSecret(text string) (Secret, error) {
	const maxText = 2 * MaxSecretBytes // 205 digits and the spaces between them
	if len(text) > maxText {
		return Secret{}, fmt.Errorf("secret of %d characters: must have at most %d", len(text), maxText)
	}
	digits := make([]byte, 0, len(text))
	for _, c := range []byte(strings.TrimRight(text, "= ")) {
		if c == ' ' {
			continue
		}
		digit, ok := base32Digit(c)
		if !ok { // among them line breaks, which the decoder lets pass
			return Secret{}, errors.New("secret: must be base32, the letters A to Z and the digits 2 to 7")
		}
		digits = append(digits, digit)
	}
	switch len(digits) % 8 {
	case 1, 3, 6: // these too
		return Secret{}, fmt.Errorf("secret of %d base32 digits: no number of bytes gives that many; is one missing?", len(digits))
	}
	b, err := base32Padded.WithPadding(base32.NoPadding).DecodeString(string(digits))
	if err != nil {
		return Secret{}, errors.New("secret: must be base32")
	}
	return NewSecret(b), nil
}

// base32Digit returns c as a capital. (strings.ToUpper would make an S of U+017F.)
func base32Digit(c byte) (digit byte, ok bool) {
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c, c >= 'A' && c <= 'Z' || c >= '2' && c <= '7'
}

// Bytes returns a copy of the secret.
func (s Secret) Bytes() []byte {
	if s.held == nil {
		return nil
	}
	return []byte(*s.held)
}

// Base32 returns the secret as people and otpauth URIs write it: capitals, no padding.
func (s Secret) Base32() string {
	return base32Padded.WithPadding(base32.NoPadding).EncodeToString(s.Bytes())
}

// Len is the number of bytes.
func (s Secret) Len() int {
	if s.held == nil {
		return 0
	}
	return len(*s.held)
}

// Format answers every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue answers slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText fails, and with it JSON and TOML of anything that holds a secret.
func (Secret) MarshalText() ([]byte, error) { return nil, errNoText }
