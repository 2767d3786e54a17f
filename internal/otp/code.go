package otp

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- HMAC-SHA-1 is what RFC 4226 and the apps mean
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
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
func (k Key) over(first, last int64) (g *generator, from int64, ok bool) {
	first = max(first, 0)
	if last < first || last-first >= MaxRange {
		return nil, 0, false
	}
	g, err := k.generator()
	return g, first, err == nil
}

// generator makes a key's codes. It has hashed the key once, for all of them.
type generator struct {
	mac     hash.Hash
	modulus uint32 // 10 to the number of digits
	counter [8]byte
	sum     []byte
}

func (k Key) generator() (*generator, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	function := sha1.New // which HMAC does not depend on being without collisions (RFC 6151)
	switch k.Algorithm {
	case SHA256:
		function = sha256.New
	case SHA512:
		function = sha512.New
	}
	g := &generator{mac: hmac.New(function, k.Secret.Bytes()), modulus: 1}
	for range k.Digits {
		g.modulus *= 10
	}
	return g, nil
}

// number is the code as a number (RFC 4226 §5.3): of the HMAC over the step, the 31 bits that its last half byte points
// at. pquerna/otp, which did this before, hashes the key anew for each code, and takes three times as long.
func (g *generator) number(step int64) uint32 {
	g.mac.Reset()
	binary.BigEndian.PutUint64(g.counter[:], uint64(step))
	g.mac.Write(g.counter[:])
	g.sum = g.mac.Sum(g.sum[:0])
	offset := g.sum[len(g.sum)-1] & 0xf
	return binary.BigEndian.Uint32(g.sum[offset:]) & 0x7fffffff % g.modulus
}

func (g *generator) code(step int64) (string, error) {
	if step < 0 {
		return "", fmt.Errorf("step %d: must not be negative", step)
	}
	return string(g.appendCode(nil, step)), nil
}

// appendCode appends the code's digits, zeros in front included.
func (g *generator) appendCode(b []byte, step int64) []byte {
	n := g.number(step)
	for place := g.modulus / 10; place > 0; place /= 10 {
		b = append(b, '0'+byte(n/place%10))
	}
	return b
}

func (g *generator) matches(code string, step int64) bool {
	if step < 0 {
		return false
	}
	var digits [MaxDigits]byte
	return subtle.ConstantTimeCompare(g.appendCode(digits[:0], step), []byte(code)) == 1
}
