package otp

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Codes against the OATH Toolkit's: 200 random secrets for each hash and number of digits, with random times and
// periods, and a run of codes for each; HOTP, which oathtool has for SHA1 only, in every second of those.
func TestAgainstOathtool(t *testing.T) {
	const secrets, run = 200, 10
	if _, err := exec.LookPath("oathtool"); err != nil {
		t.Fatalf("%v: `make deps` installs it", err)
	}
	for i, alg := range []Algorithm{SHA1, SHA256, SHA512} {
		for digits := MinDigits; digits <= MaxDigits; digits++ {
			t.Run(fmt.Sprintf("%s-%d", alg, digits), func(t *testing.T) {
				t.Parallel()
				src := seeded(byte(10*i + digits))
				for range secrets {
					k := randomKey(src)
					if alg != SHA1 && k.Kind == HOTP {
						k.Kind, k.Period = TOTP, 30*time.Second
					}
					k.Algorithm, k.Digits = alg, digits
					compareWithOathtool(t, k, rand.New(src), run)
				}
			})
		}
	}
}

func compareWithOathtool(t *testing.T, k Key, r *rand.Rand, run int) {
	t.Helper()
	var first int64
	args := []string{"-d", fmt.Sprint(k.Digits), "-w", fmt.Sprint(run - 1)}
	if k.Kind == HOTP {
		first = r.Int64N(1 << 48)
		args = append(args, "--hotp", "-c", fmt.Sprint(first))
	} else {
		now := time.Unix(r.Int64N(1<<34), 0) // to the year 2514
		first = k.Step(now)
		args = append(args, "--totp="+strings.ToLower(string(k.Algorithm)),
			"-N", fmt.Sprintf("@%d", now.Unix()), "-s", fmt.Sprint(int(k.Period/time.Second)))
	}
	args = append(args, hex.EncodeToString(k.Secret.Bytes()))
	out, err := exec.Command("oathtool", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("oathtool %q: %v: %s", args, err, out)
	}
	want := strings.Fields(string(out))
	if len(want) != run {
		t.Fatalf("oathtool %q: %d codes, want %d", args, len(want), run)
	}
	for n, want := range want {
		if got, err := k.Code(first + int64(n)); err != nil || got != want {
			t.Errorf("code %d: %q, %v; oathtool %q says %q", n, got, err, args, want)
		}
	}
}
