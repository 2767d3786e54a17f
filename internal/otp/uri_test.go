package otp

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

const exampleSecret = "JBSWY3DPEHPK3PXP" // "Hello!" and de ad be ef

func exampleURI(change func(*URI)) URI {
	u := URI{Issuer: "Example", Account: "alice@web1", Key: Key{
		Kind: TOTP, Algorithm: SHA1, Secret: NewSecret([]byte("Hello!\xde\xad\xbe\xef")), Digits: 6, Period: 30 * time.Second}}
	change(&u)
	return u
}

func TestURIs(t *testing.T) {
	for _, c := range []struct {
		revealed string
		uri      URI
		also     []string // other ways to write it
	}{
		{
			"otpauth://totp/Example:alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=Example", exampleURI(func(*URI) {}),
			[]string{
				"otpauth://totp/Example:alice@web1?secret=JBSWY3DPEHPK3PXP",
				"otpauth://totp/alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=Example",
				"otpauth://totp/Example%3Aalice%40web1?issuer=Example&secret=jbswy3dpehpk3pxp&algorithm=SHA1&digits=6&period=30",
				"otpauth://totp/Example:%20alice@web1?secret=JBSWY3DPEHPK3PXP&algorithm=sha1",
				"OTPAUTH://totp/Example:alice@web1?secret=JBSWY3DPEHPK3PXP",
			},
		},
		{
			"otpauth://totp/alice@web1?secret=JBSWY3DPEHPK3PXP", exampleURI(func(u *URI) { u.Issuer = "" }), nil,
		},
		{
			"otpauth://totp/ACME%20Co%20&%20S%C3%B6hne%2F+:alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=ACME%20Co%20%26%20S%C3%B6hne%2F%2B",
			exampleURI(func(u *URI) { u.Issuer = "ACME Co & Söhne/+" }),
			[]string{"otpauth://totp/alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=ACME+Co+%26+S%C3%B6hne%2F%2B"},
		},
		{
			"otpauth://totp/Example:alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA512&digits=8&period=60",
			exampleURI(func(u *URI) {
				u.Key.Algorithm, u.Key.Digits, u.Key.Period = SHA512, 8, time.Minute
			}), nil,
		},
		{
			"otpauth://hotp/Example:alice@web1?secret=JBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA256&digits=7&counter=42",
			exampleURI(func(u *URI) {
				u.Key.Kind, u.Key.Algorithm, u.Key.Digits, u.Key.Period, u.Counter = HOTP, SHA256, 7, 0, 42
			}), nil,
		},
	} {
		if got, err := c.uri.Reveal(); err != nil || got != c.revealed {
			t.Errorf("revealed: %q, %v; want %q", got, err, c.revealed)
		}
		for _, text := range append(c.also, c.revealed) {
			if got, err := ParseURI(text); err != nil || !reflect.DeepEqual(got, c.uri) {
				t.Errorf("%q: parsed as %+v, %v; want %+v", text, got, err, c.uri)
			}
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	const good = "otpauth://totp/Example:alice?secret=" + exampleSecret
	for _, c := range []struct{ text, want string }{
		{"", "must have the form otpauth://"},
		{exampleSecret, "must have the form otpauth://"},
		{"http://totp/alice?secret=" + exampleSecret, "must have the form otpauth://"},
		{"otpauth:totp/alice?secret=" + exampleSecret, "type: must be"},
		{"otpauth://" + exampleSecret + "@totp/alice?secret=" + exampleSecret, "must have the form otpauth://"},
		{good + "#", "must have the form otpauth://"},
		{good + "#" + exampleSecret, "must have the form otpauth://"},
		{" " + good, "is no URI"},
		{good + "\n", "is no URI"},
		{"otpauth://totp/%zz?secret=" + exampleSecret, "is no URI"},
		{"otpauth://totp:" + exampleSecret + "/a?secret=" + exampleSecret, "is no URI"},
		{"otpauth://TOTP/alice?secret=" + exampleSecret, `type: must be "totp" or "hotp"`},
		{"otpauth://motp/alice?secret=" + exampleSecret, `type: must be "totp" or "hotp"`},
		{"otpauth://totp:80/alice?secret=" + exampleSecret, `type: must be "totp" or "hotp"`},
		{"otpauth://totp/?secret=" + exampleSecret, "account: must not be empty"},
		{"otpauth://totp?secret=" + exampleSecret, "account: must not be empty"},
		{"otpauth://totp/Example:?secret=" + exampleSecret, "account: must not be empty"},
		{"otpauth://totp/:alice?secret=" + exampleSecret, "label: must have an issuer"},
		{"otpauth://totp/Example:alice:x?secret=" + exampleSecret, "account: must not contain a colon"},
		{"otpauth://totp/Example:alice%0a?secret=" + exampleSecret, "account: must not contain control"},
		{"otpauth://totp/Example:alice%20?secret=" + exampleSecret, "account: must not begin or end with a space"},
		{"otpauth://totp/Example:al%E2%80%AEice?secret=" + exampleSecret, "account: must not contain control"},
		{"otpauth://totp/Example:al%ffice?secret=" + exampleSecret, "account: must be UTF-8"},
		{"otpauth://totp/Example:" + strings.Repeat("a", 257) + "?secret=" + exampleSecret, "account of 257 bytes: must have at most 256"},
		{"otpauth://totp/" + strings.Repeat("a", 65) + ":alice?secret=" + exampleSecret, "issuer of 65 bytes: must have at most 64"},
		{good + "&issuer=Other", "issuer: the label says one"},
		{good + "&issuer=example", "issuer: the label says one"},
		{good + "&issuer=", "issuer: must not be empty"},
		{"otpauth://totp/alice?issuer=a:b&secret=" + exampleSecret, "issuer: must not contain a colon"},
		{"otpauth://totp/alice?issuer=a%1bb&secret=" + exampleSecret, "issuer: must not contain control"},
		{"otpauth://totp/Example:alice", "secret: is missing"},
		{"otpauth://totp/Example:alice?secret=", "secret of 0 bytes"},
		{"otpauth://totp/Example:alice?secret=JBSWY3DP", "secret of 5 bytes"},
		{"otpauth://totp/Example:alice?secret=" + exampleSecret + "1", "secret: must be base32"},
		{"otpauth://totp/Example:alice?secret=" + strings.Repeat("A", 208), "secret of 130 bytes"},
		{good + "&secret=" + exampleSecret, "secret: must be given once"},
		{good + "&algorithm=MD5", "algorithm: must be SHA1, SHA256 or SHA512"},
		{good + "&algorithm=", "algorithm: must be"},
		{good + "&algorithm=" + exampleSecret, "algorithm: must be"},
		{good + "&digits=5", "digits: must be a number from 6 to 8"},
		{good + "&digits=9", "digits: must be"},
		{good + "&digits=06", "digits: must be"},
		{good + "&digits=+6", "digits: must be"},
		{good + "&digits=", "digits: must be"},
		{good + "&digits=" + exampleSecret, "digits: must be"},
		{good + "&period=9", "period: must be a number of seconds from 10 to 300"},
		{good + "&period=301", "period: must be"},
		{good + "&period=30s", "period: must be"},
		{good + "&period=18446744073709551646", "period: must be"}, // 30 and 2^64
		{good + "&counter=1", `counter: is for type "hotp" only`},
		{good + "&encoder=steam", "parameters: must be of secret"},
		{good + "&" + exampleSecret, "parameters: must be of secret"},
		{good + "&Digits=8", "parameters: must be of secret"},
		{good + ";digits=8", "parameters: must be written"},
		{good + "&digits=%" + exampleSecret, "parameters: must be written"},
		{"otpauth://hotp/Example:alice?secret=" + exampleSecret, "counter: is missing"},
		{"otpauth://hotp/Example:alice?secret=" + exampleSecret + "&counter=-1", "counter: must be a number from 0"},
		{"otpauth://hotp/Example:alice?secret=" + exampleSecret + "&counter=9223372036854775808", "counter: must be"},
		{"otpauth://hotp/Example:alice?secret=" + exampleSecret + "&counter=1&period=30", `period: is for type "totp" only`},
		{good + "&issuer=" + strings.Repeat("a", MaxURI), "has 2108 bytes: must have at most 2048"},
	} {
		u, err := ParseURI(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), "otpauth URI: "+c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		} else if strings.Contains(err.Error(), exampleSecret) {
			t.Errorf("%q: the error %q has the secret", c.text, err)
		}
		if !reflect.DeepEqual(u, URI{}) {
			t.Errorf("%q: refused, but parsed as %+v", c.text, u)
		}
	}
}

func TestRevealRefusesWhatParseURIWould(t *testing.T) {
	for name, change := range map[string]func(*URI){
		"issuer with a colon":  func(u *URI) { u.Issuer = "web:1" },
		"issuer too long":      func(u *URI) { u.Issuer = strings.Repeat("ü", 33) },
		"account empty":        func(u *URI) { u.Account = "" },
		"account with newline": func(u *URI) { u.Account = "a\nb" },
		"no secret":            func(u *URI) { u.Key.Secret = Secret{} },
		"counter of totp":      func(u *URI) { u.Counter = 1 },
		"counter negative":     func(u *URI) { u.Key.Kind, u.Key.Period, u.Counter = HOTP, 0, -1 },
	} {
		if text, err := exampleURI(change).Reveal(); err == nil {
			t.Errorf("%s: revealed as %q", name, text)
		}
	}
}

func TestURIRoundTrip(t *testing.T) {
	src := seeded(5)
	r := rand.New(src)
	alphabet := []rune(`abcXYZ0189 -_.@/\+&=?%#"'<>()[]{}~^|$!*,;äßπ中🔑`)
	name := func(limit int) string {
		var b strings.Builder
		for b.Len() < 1+r.IntN(limit) {
			b.WriteRune(alphabet[r.IntN(len(alphabet))])
		}
		return strings.TrimSpace(strings.ToValidUTF8(b.String()[:min(b.Len(), limit)], ""))
	}
	for n := range 500 {
		u := URI{Issuer: name(MaxIssuer), Account: "a" + name(MaxAccount-1), Key: randomKey(src)}
		if n == 0 { // the longest there is
			u.Issuer, u.Account = strings.Repeat("ä", MaxIssuer/2), strings.Repeat("🔑", MaxAccount/4)
			u.Key = Key{Kind: HOTP, Algorithm: SHA512, Secret: NewSecret(make([]byte, MaxSecretBytes)), Digits: 8}
		}
		if u.Key.Kind == HOTP {
			u.Counter = r.Int64()
		}
		text, err := u.Reveal()
		if err != nil {
			t.Fatalf("%+v: %v", u, err)
		}
		if got, err := ParseURI(text); err != nil || !reflect.DeepEqual(got, u) {
			t.Errorf("%q: parsed as %+v, %v; want %+v", text, got, err, u)
		}
	}
}

// What is accepted is valid, comes back the same when revealed, and makes codes. What is refused is not shown. The
// seeds are in testdata/fuzz/FuzzParseURI.
func FuzzParseURI(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			checkErrorHides(t, err, text)
			return
		}
		if len(text) > MaxURI || len(u.Issuer) > MaxIssuer || len(u.Account) > MaxAccount {
			t.Errorf("accepted %d bytes, issuer of %d, account of %d", len(text), len(u.Issuer), len(u.Account))
		}
		revealed, err := u.Reveal()
		if err != nil || len(revealed) > MaxURI {
			t.Fatalf("accepted, but revealed as %d bytes: %v", len(revealed), err)
		}
		if again, err := ParseURI(revealed); err != nil || !reflect.DeepEqual(again, u) {
			t.Errorf("%q: parsed as %+v, %v; want %+v", revealed, again, err, u)
		}
		if code, err := u.Key.Code(u.Counter); err != nil || len(code) != u.Key.Digits {
			t.Errorf("code %q, %v; want %d digits", code, err, u.Key.Digits)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", u, u), u.Key.Secret.Base32()) {
			t.Error("the secret is printed")
		}
	})
}

// checkErrorHides looks for any value of the URI's query in the error. Words of our own messages are shorter than
// the 16 characters from which on it looks.
func checkErrorHides(t *testing.T, err error, text string) {
	t.Helper()
	_, query, _ := strings.Cut(text, "?")
	values, _ := url.ParseQuery(query)
	for name, list := range values {
		for _, v := range append(list, name) {
			if len(v) >= 16 && !strings.Contains(v, " ") && strings.Contains(err.Error(), v) {
				t.Errorf("the error %q has %q of the URI", err, v)
			}
		}
	}
}
