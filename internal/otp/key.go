// Package otp is one-time codes: HOTP (RFC 4226), TOTP (RFC 6238), recovery codes, and the otpauth URIs that
// carry keys to authenticator apps. It is pure: time and randomness are parameters, and nothing is stored.
package otp

import (
	"fmt"
	"io"
	"time"
)

// Kind says what moves a key on from one code to the next.
type Kind string

const (
	TOTP Kind = "totp" // time: the step is the Unix time divided by the period (RFC 6238 §4)
	HOTP Kind = "hotp" // use: the step is a counter (RFC 4226 §5)
)

// Algorithm is the hash under the HMAC, named as otpauth URIs name it.
type Algorithm string

const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
	SHA512 Algorithm = "SHA512"
)

// The limits of a usable key.
const (
	MinDigits      = 6
	MaxDigits      = 8
	MinPeriod      = 10 * time.Second
	MaxPeriod      = 300 * time.Second
	MinSecretBytes = 10 // RFC 4226 §4 asks for 16; many issued keys have 10
	MaxSecretBytes = 128
)

// Key is what server and authenticator share.
type Key struct {
	Kind      Kind
	Algorithm Algorithm
	Secret    Secret
	Digits    int
	Period    time.Duration // of TOTP, in whole seconds; zero for HOTP
}

// Generate makes a key with a fresh secret, as long as the hash's output: 20, 32 or 64 bytes (RFC 4226 §4,
// RFC 6238 §5.1). The period is zero for HOTP.
func Generate(rand io.Reader, kind Kind, alg Algorithm, digits int, period time.Duration) (Key, error) {
	size := map[Algorithm]int{SHA1: 20, SHA256: 32, SHA512: 64}[alg]
	b := make([]byte, size)
	if _, err := io.ReadFull(rand, b); err != nil {
		return Key{}, fmt.Errorf("drawing a secret: %w", err)
	}
	k := Key{Kind: kind, Algorithm: alg, Secret: NewSecret(b), Digits: digits, Period: period}
	if err := k.Validate(); err != nil {
		return Key{}, err
	}
	return k, nil
}

// Validate says what is wrong with the key, or nil. The other methods want a valid key.
func (k Key) Validate() error {
	switch k.Algorithm {
	case SHA1, SHA256, SHA512:
	default:
		return fmt.Errorf("algorithm %q: must be %q, %q or %q", k.Algorithm, SHA1, SHA256, SHA512)
	}
	if k.Digits < MinDigits || k.Digits > MaxDigits {
		return fmt.Errorf("digits %d: must be %d to %d", k.Digits, MinDigits, MaxDigits)
	}
	if n := k.Secret.Len(); n < MinSecretBytes || n > MaxSecretBytes {
		return fmt.Errorf("secret of %d bytes: must have %d to %d", n, MinSecretBytes, MaxSecretBytes)
	}
	switch k.Kind {
	case TOTP:
		if k.Period < MinPeriod || k.Period > MaxPeriod || k.Period%time.Second != 0 {
			return fmt.Errorf("period %v: must be whole seconds from %v to %v", k.Period, MinPeriod, MaxPeriod)
		}
	case HOTP:
		if k.Period != 0 {
			return fmt.Errorf("period %v: a key of kind %q has none", k.Period, HOTP)
		}
	default:
		return fmt.Errorf("kind %q: must be %q or %q", k.Kind, TOTP, HOTP)
	}
	return nil
}
