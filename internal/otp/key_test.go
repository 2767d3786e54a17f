package otp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// seeded is randomness that is the same in every run.
func seeded(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

// randomKey has any algorithm, digits, period and secret that are valid.
func randomKey(src *rand.ChaCha8) Key {
	r := rand.New(src)
	secret := make([]byte, MinSecretBytes+r.IntN(MaxSecretBytes-MinSecretBytes+1))
	_, _ = src.Read(secret)
	k := Key{
		Kind:      []Kind{TOTP, HOTP}[r.IntN(2)],
		Algorithm: []Algorithm{SHA1, SHA256, SHA512}[r.IntN(3)],
		Secret:    NewSecret(secret),
		Digits:    MinDigits + r.IntN(MaxDigits-MinDigits+1),
	}
	if k.Kind == TOTP {
		k.Period = time.Duration(10+r.IntN(291)) * time.Second
	}
	return k
}

func TestGenerateTakesAFreshSecretOfTheHashsLength(t *testing.T) {
	for alg, size := range map[Algorithm]int{SHA1: 20, SHA256: 32, SHA512: 64} {
		src := seeded(1)
		k, err := Generate(src, TOTP, alg, 6, 30*time.Second)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		want := make([]byte, size)
		_, _ = seeded(1).Read(want)
		if !bytes.Equal(k.Secret.Bytes(), want) {
			t.Errorf("%s: the secret is not the first %d bytes of the randomness", alg, size)
		}
		again, err := Generate(src, HOTP, alg, 8, 0)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if bytes.Equal(again.Secret.Bytes(), want) {
			t.Errorf("%s: the same secret twice", alg)
		}
	}
}

func TestGenerateFails(t *testing.T) {
	short := io.LimitReader(seeded(1), 19)
	if _, err := Generate(short, TOTP, SHA1, 6, 30*time.Second); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with too little randomness: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if _, err := Generate(seeded(1), TOTP, "MD5", 6, 30*time.Second); err == nil {
		t.Error("MD5: no error")
	}
	if _, err := Generate(seeded(1), TOTP, SHA1, 5, 30*time.Second); err == nil {
		t.Error("5 digits: no error")
	}
}

func TestValidate(t *testing.T) {
	with := func(change func(*Key)) Key {
		k := Key{Kind: TOTP, Algorithm: SHA1, Secret: NewSecret(make([]byte, 20)), Digits: 6, Period: 30 * time.Second}
		change(&k)
		return k
	}
	for _, c := range []struct {
		name   string
		change func(*Key)
		want   string // in the error; empty: none
	}{
		{"as usual", func(*Key) {}, ""},
		{"kind", func(k *Key) { k.Kind = "motp" }, `kind "motp": must be "totp" or "hotp"`},
		{"algorithm", func(k *Key) { k.Algorithm = "sha1" }, `algorithm "sha1": must be "SHA1"`},
		{"5 digits", func(k *Key) { k.Digits = 5 }, "digits 5: must be 6 to 8"},
		{"8 digits", func(k *Key) { k.Digits = 8 }, ""},
		{"9 digits", func(k *Key) { k.Digits = 9 }, "digits 9"},
		{"period 9s", func(k *Key) { k.Period = 9 * time.Second }, "period 9s: must be whole seconds from 10s to 5m0s"},
		{"period 10s", func(k *Key) { k.Period = 10 * time.Second }, ""},
		{"period 10.5s", func(k *Key) { k.Period = 10500 * time.Millisecond }, "period 10.5s"},
		{"period 300s", func(k *Key) { k.Period = 300 * time.Second }, ""},
		{"period 301s", func(k *Key) { k.Period = 301 * time.Second }, "period 5m1s"},
		{"hotp", func(k *Key) { k.Kind, k.Period = HOTP, 0 }, ""},
		{"hotp with a period", func(k *Key) { k.Kind = HOTP }, `a key of kind "hotp" has none`},
		{"no secret", func(k *Key) { k.Secret = Secret{} }, "secret of 0 bytes: must have 10 to 128"},
		{"secret of 9", func(k *Key) { k.Secret = NewSecret(make([]byte, 9)) }, "secret of 9 bytes"},
		{"secret of 10", func(k *Key) { k.Secret = NewSecret(make([]byte, 10)) }, ""},
		{"secret of 128", func(k *Key) { k.Secret = NewSecret(make([]byte, 128)) }, ""},
		{"secret of 129", func(k *Key) { k.Secret = NewSecret(make([]byte, 129)) }, "secret of 129 bytes"},
	} {
		k := with(c.change)
		err := k.Validate()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if _, codeErr := k.Code(1); (codeErr == nil) != (err == nil) {
			t.Errorf("%s: Validate says %v and Code %v", c.name, err, codeErr)
		}
	}
}
