package otp

import (
	"encoding/base32"
	"math/rand/v2"
	"testing"

	pquerna "github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// TestPquerna has another library make the codes of random keys, at random steps, near and far.
func TestPquerna(t *testing.T) {
	random := rand.New(rand.NewPCG(4226, 6238))
	algorithms := map[Algorithm]pquerna.Algorithm{
		SHA1: pquerna.AlgorithmSHA1, SHA256: pquerna.AlgorithmSHA256, SHA512: pquerna.AlgorithmSHA512,
	}
	for algorithm, theirs := range algorithms {
		for digits := MinDigits; digits <= MaxDigits; digits++ {
			for range 200 {
				secret := make([]byte, 16+random.IntN(49))
				for i := range secret {
					secret[i] = byte(random.Uint32())
				}
				step := random.Int64() >> random.IntN(63)
				k := Key{Kind: HOTP, Algorithm: algorithm, Secret: NewSecret(secret), Digits: digits}
				want, err := hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(secret), uint64(step),
					hotp.ValidateOpts{Digits: pquerna.Digits(digits), Algorithm: theirs})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := k.Code(step); err != nil || got != want {
					t.Errorf("%v, %d digits, step %d: %q, %v; pquerna/otp says %q", algorithm, digits, step, got, err, want)
				}
			}
		}
	}
}
