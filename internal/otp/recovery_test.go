package otp

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestRecoveryCodesAreDrawn(t *testing.T) {
	src := seeded(6)
	form := regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`)
	seen := map[string]bool{}
	for range 1000 {
		code, err := NewRecoveryCode(src)
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(code) {
			t.Errorf("%q is not of the form ABCD-EFGH-IJKL-MNOP", code)
		}
		if seen[code] {
			t.Errorf("%q twice", code)
		}
		seen[code] = true
		if shape, normalized := Classify(code); shape != ShapeRecovery || normalized != strings.ReplaceAll(code, "-", "") {
			t.Errorf("%q is classified as %d, %q", code, shape, normalized)
		}
	}
	if code, err := NewRecoveryCode(bytes.NewReader([]byte("Hello!\xde\xad\xbe\xef"))); err != nil || code != "JBSW-Y3DP-EHPK-3PXP" {
		t.Errorf("of known bytes: %q, %v; want all 80 bits in it", code, err)
	}
	if _, err := NewRecoveryCode(io.LimitReader(src, 9)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with too little randomness: %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestRecoveryHash(t *testing.T) {
	src := seeded(7)
	var codes []string
	var hashes []RecoveryHash
	for range RecoveryCodes {
		code, err := NewRecoveryCode(src)
		if err != nil {
			t.Fatal(err)
		}
		h, err := HashRecovery(src, code)
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Salt) != 16 || len(h.Hash) != 32 {
			t.Errorf("salt of %d bytes, hash of %d", len(h.Salt), len(h.Hash))
		}
		codes, hashes = append(codes, code), append(hashes, h)
	}
	for i, code := range codes {
		plain := strings.ReplaceAll(code, "-", "")
		for _, typed := range []string{code, strings.ToLower(code), plain, strings.ToLower(plain), " " + code + "\n"} {
			for j, h := range hashes {
				if got := h.Matches(typed); got != (i == j) {
					t.Errorf("code %d typed as %q matches hash %d: %v", i, typed, j, got)
				}
			}
		}
		again, err := HashRecovery(src, plain)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(again.Salt, hashes[i].Salt) || bytes.Equal(again.Hash, hashes[i].Hash) {
			t.Error("the same code has the same salt or hash twice")
		}
		if !again.Matches(code) {
			t.Error("a code hashed without dashes does not match with them")
		}
	}
}

func TestRecoveryHashFailsClosed(t *testing.T) {
	src := seeded(8)
	const code = "JBSW-Y3DP-EHPK-3PXP"
	h, err := HashRecovery(src, code)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]RecoveryHash{
		"nothing":         {},
		"no hash":         {Salt: h.Salt},
		"a shorter hash":  {Salt: h.Salt, Hash: h.Hash[:31]},
		"another salt":    {Salt: make([]byte, 16), Hash: h.Hash},
		"hash of nothing": {Salt: h.Salt, Hash: hashRecovery(h.Salt, "")},
	} {
		if broken.Matches(code) || broken.Matches("") {
			t.Errorf("%s: matches", name)
		}
	}
	for _, code := range []string{"123456", "1234567", "123456789", ""} {
		if _, err := HashRecovery(src, code); err == nil {
			t.Errorf("%q is hashed as a recovery code", code)
		}
	}
	if _, err := HashRecovery(io.LimitReader(src, 15), code); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with too little randomness: %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestScratchCodeHash(t *testing.T) {
	h, err := HashRecovery(seeded(9), "12345678")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{
		"12345678": true, " 1234 5678\n": true, "12345679": false, "1234567": false, "2345678": false, "": false,
	} {
		if got := h.Matches(typed); got != want {
			t.Errorf("%q matches: %v, want %v", typed, got, want)
		}
	}
}
