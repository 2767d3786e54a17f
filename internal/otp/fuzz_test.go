package otp

import (
	"encoding/base32"
	"strings"
	"testing"
)

// FuzzClassify gives what people type at a prompt. What passes for a code has the form that Matches takes, and typed again
// that form is itself.
func FuzzClassify(f *testing.F) {
	for _, seed := range []string{"123456", " 123 456 ", "abcd-efgh-ijkl-mnop", "ABCDEFGHIJKLMNOP", "12345678\r\n", "-ABCD", "１２３４５６", "ſbcdefghijklmnop"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		shape, code := Classify(answer)
		const digits, capitals = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
		switch shape {
		case ShapeNone:
			if code != "" {
				t.Errorf("%q is no code, and %q", answer, code)
			}
			return
		case ShapeCode:
			if len(code) < MinDigits || len(code) > MaxDigits || strings.Trim(code, digits) != "" {
				t.Errorf("%q passes for the code %q", answer, code)
			}
		case ShapeRecovery:
			if len(code) != 16 || strings.Trim(code, capitals) != "" {
				t.Errorf("%q passes for the recovery code %q", answer, code)
			}
		}
		if again, same := Classify(code); again != shape || same != code {
			t.Errorf("%q is %q, which is %q", answer, code, same)
		}
	})
}

// FuzzParseSecret gives a secret as somebody may type it. The bytes are those of its base32 digits, and no error has any of
// the text in it.
func FuzzParseSecret(f *testing.F) {
	for _, seed := range []string{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq", "MFRGG===", "A", "\n", strings.Repeat("A", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSecret(text)
		if err != nil {
			if len(text) > 12 && strings.Contains(err.Error(), text) {
				t.Errorf("the error holds the secret: %v", err)
			}
			return
		}
		again, err := ParseSecret(base32.StdEncoding.EncodeToString(s.Bytes()))
		if err != nil || string(again.Bytes()) != string(s.Bytes()) {
			t.Errorf("%q became %x, then %v", text, s.Bytes(), err)
		}
	})
}
