package otp

import (
	"crypto/subtle"
	"fmt"
	"time"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// MaxRange is the number of steps that one call of Matches or FindPair looks at: five days of 30 s steps.
const MaxRange = 1 << 14

// Step is the time step of t for a TOTP key: the number of whole periods since 1970 (RFC 6238 §4.2), negative
// before.
func (k Key) Step(t time.Time) int64 {
	seconds, period := t.Unix(), int64(k.Period/time.Second)
	step := seconds / period
	if seconds%period < 0 {
		step--
	}
	return step
}

// Code is the key's code at a step: a time step or an HOTP counter.
func (k Key) Code(step int64) (string, error) {
	g, err := k.generator()
	if err != nil {
		return "", err
	}
	return g.code(step)
}

// Matches returns every step in [first, last] whose code it is, in order. Two steps of a window may have the same
// code; which of them was meant is for the caller to say. It looks at all of them and compares in constant time,
// so its time does not tell where the code was, or how much of it was right. Negative steps have no code. A
// range of more than MaxRange steps is a mistake, and nothing matches.
func (k Key) Matches(code string, first, last int64) []int64 {
	g, first, ok := k.over(first, last)
	if !ok {
		return nil
	}
	var found []int64
	for n := range last - first + 1 {
		if g.matches(code, first+n) {
			found = append(found, first+n)
		}
	}
	return found
}

// FindPair finds where in [first, last] two codes follow each other, and returns the step of the second: how a
// token that has run ahead is brought back (RFC 4226 §7.4, RFC 6238 §6). Where several steps fit it is the latest,
// which leaves the fewest codes to come. It looks at all of the range, at most MaxRange steps, as Matches does.
func (k Key) FindPair(code1, code2 string, first, last int64) (step int64, ok bool) {
	g, first, ok := k.over(first, last)
	if !ok {
		return 0, false
	}
	ok = false
	before := false
	for n := range last - first + 1 {
		if g.matches(code2, first+n) && before {
			step, ok = first+n, true
		}
		before = g.matches(code1, first+n)
	}
	return step, ok
}

// over prepares to look at the steps in [first, last], and returns the first that has a code.
func (k Key) over(first, last int64) (g generator, from int64, ok bool) {
	first = max(first, 0)
	if last < first || last-first >= MaxRange {
		return generator{}, 0, false
	}
	g, err := k.generator()
	return g, first, err == nil
}

// generator is a key in the form that pquerna/otp takes, so that a window is encoded once.
type generator struct {
	secret string
	opts   hotp.ValidateOpts
}

func (k Key) generator() (generator, error) {
	if err := k.Validate(); err != nil {
		return generator{}, err
	}
	g := generator{secret: base32Padded.EncodeToString(k.Secret.Bytes())}
	g.opts.Digits = pquerna.Digits(k.Digits)
	switch k.Algorithm {
	case SHA1:
		g.opts.Algorithm = pquerna.AlgorithmSHA1
	case SHA256:
		g.opts.Algorithm = pquerna.AlgorithmSHA256
	case SHA512:
		g.opts.Algorithm = pquerna.AlgorithmSHA512
	}
	return g, nil
}

func (g generator) code(step int64) (string, error) {
	if step < 0 {
		return "", fmt.Errorf("step %d: must not be negative", step)
	}
	return hotp.GenerateCodeCustom(g.secret, uint64(step), g.opts)
}

func (g generator) matches(code string, step int64) bool {
	want, err := g.code(step)
	return err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1
}
