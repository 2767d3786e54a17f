package otp

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// forms are the ways in which printed bytes could give a secret away.
func forms(b []byte) []string {
	// A value in Go syntax: []byte{0x63, 0x6f, …}; in %d: [99 111 …]; in %x of a slice: 63 6f or 636f.
	return []string{
		string(b[:6]),
		hex.EncodeToString(b[:4]),
		fmt.Sprintf("% x", b[:4]),
		strings.Trim(fmt.Sprint(b[:4]), "[]"),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b[:4]), "[]byte{"), "}"),
		strings.Trim(fmt.Sprintf("%o", b[:4]), "[]"),
		strings.Trim(fmt.Sprintf("%b", b[:4]), "[]"),
		strings.Trim(fmt.Sprintf("%q", b[:4]), "[]"),
		base64.StdEncoding.EncodeToString(b[:6]),
		NewSecret(b[:5]).Base32(),
	}
}

// holders are values with the secret somewhere in them, in fields that fmt may and may not ask.
func holders(s Secret) map[string]any {
	k := Key{Kind: TOTP, Algorithm: SHA1, Secret: s, Digits: 6}
	return map[string]any{
		"secret":             s,
		"pointer":            &s,
		"key":                k,
		"pointer to key":     &k,
		"URI":                URI{Issuer: "i", Account: "a", Key: k},
		"slice":              []Secret{s},
		"map":                map[string]Key{"k": k},
		"any":                []any{s, &k},
		"unexported field":   struct{ key Key }{k},
		"unexported pointer": &struct{ key *Key }{&k},
		"unexported slice":   struct{ secrets []Secret }{[]Secret{s}},
		"embedded":           struct{ Secret }{s},
	}
}

func checkHidden(t *testing.T, what, printed string, secret []byte) {
	t.Helper()
	for _, form := range forms(secret) {
		if strings.Contains(strings.ToUpper(printed), strings.ToUpper(form)) {
			t.Errorf("%s: printed as %q, which has %q of the secret", what, printed, form)
		}
	}
}

func TestSecretHasNoPrintableForm(t *testing.T) {
	b := []byte("correct horse battery")
	for name, v := range holders(NewSecret(b)) {
		for _, verb := range "vTtbcdoOqxXUeEfFgGsp" {
			for _, flags := range []string{"", "+", "#", " ", "-", "0", "30.3", "# "} {
				format := "%" + flags + string(verb)
				checkHidden(t, name+" as "+format, fmt.Sprintf(format, v), b)
			}
		}
		checkHidden(t, name+" in an error", fmt.Errorf("wrapped: %w", errors.New(fmt.Sprint(v))).Error(), b)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, NewSecret(b)); got != "[secret]" {
			t.Errorf("%s prints %q, want %q", verb, got, "[secret]")
		}
	}
}

func TestSecretIsNotLogged(t *testing.T) {
	b := []byte("correct horse battery")
	for name, v := range holders(NewSecret(b)) {
		var out bytes.Buffer
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
		checkHidden(t, name+" in slog", out.String(), b)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", NewSecret(b))
	if !strings.Contains(out.String(), `"v":"[secret]"`) {
		t.Errorf("slog prints %s, want [secret]", out.String())
	}
}

func TestSecretIsNotEncoded(t *testing.T) {
	b := []byte("correct horse battery")
	encoders := map[string]func(io.Writer, any) error{
		"json": func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
		"toml": func(w io.Writer, v any) error { return toml.NewEncoder(w).Encode(v) },
		"gob":  func(w io.Writer, v any) error { return gob.NewEncoder(w).Encode(v) },
	}
	for encoder, encode := range encoders {
		for name, v := range holders(NewSecret(b)) {
			var out bytes.Buffer
			err := encode(&out, v)
			checkHidden(t, name+" in "+encoder, out.String(), b)
			if err != nil {
				checkHidden(t, name+" in an error of "+encoder, err.Error(), b)
			}
			if name == "key" && err == nil {
				t.Errorf("%s encodes a key, as %q", encoder, out.String())
			}
		}
	}
}

func TestSecretKeepsItsOwnBytes(t *testing.T) {
	b := []byte("correct horse battery")
	s := NewSecret(b)
	b[0] = 'X'
	s.Bytes()[1] = 'X'
	if got := string(s.Bytes()); got != "correct horse battery" {
		t.Errorf("the secret has become %q", got)
	}
}

func TestParseSecret(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // bytes; empty: an error
	}{
		{"JBSWY3DPEHPK3PXP", "Hello!\xde\xad\xbe\xef"},
		{"jbswy3dpehpk3pxp", "Hello!\xde\xad\xbe\xef"},
		{"jbsw y3dp ehpk 3pxp ", "Hello!\xde\xad\xbe\xef"},
		{"MZXW6===", "foo"},
		{"MZXW6", "foo"},
		{"MZXW7", "foo"}, // one bit left over
		{"MZXW6YTBOI======", "foobar"},
		{"M", ""},
		{"MZX", ""},
		{"MZXW6Y", ""},
		{"MZXW6YTB0", ""},
		{"MZXW1YTB", ""},
		{"MZXW8YTB", ""},
		{"MZXW-YTB", ""},
		{"MZXW=6YT", ""},
		{"MZXW6\nYTB", ""},
		{"MZXW6\tYTB", ""},
		{"ſZXW6YTB", ""}, // its upper case is S
		{strings.Repeat("A", 264), ""},
	} {
		s, err := ParseSecret(c.text)
		if c.want == "" {
			if err == nil {
				t.Errorf("%q: no error, but %d bytes", c.text, s.Len())
			} else if len(c.text) > 1 && strings.Contains(err.Error(), c.text) {
				t.Errorf("%q: is in the error %q", c.text, err)
			}
			continue
		}
		if err != nil || string(s.Bytes()) != c.want {
			t.Errorf("%q: %q, %v; want %q", c.text, s.Bytes(), err, c.want)
		}
	}
}

func TestBase32RoundTrip(t *testing.T) {
	src := seeded(4)
	for n := range MaxSecretBytes + 1 {
		b := make([]byte, n)
		_, _ = src.Read(b)
		text := NewSecret(b).Base32()
		if strings.Contains(text, "=") {
			t.Errorf("%d bytes: %q has padding", n, text)
		}
		if s, err := ParseSecret(text); err != nil || !bytes.Equal(s.Bytes(), b) {
			t.Errorf("%d bytes: %q comes back as %x, %v; want %x", n, text, s.Bytes(), err, b)
		}
	}
}
