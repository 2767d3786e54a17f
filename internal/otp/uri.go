package otp

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of an otpauth URI, in bytes.
const (
	MaxURI     = 2048
	MaxIssuer  = 64
	MaxAccount = 256
)

// What a URI means when it does not say.
const (
	defaultAlgorithm = SHA1
	defaultDigits    = 6
	defaultPeriod    = 30 * time.Second
)

// URI is what an otpauth URI says: a key, and the names under which an authenticator app shows it. The format is
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
type URI struct {
	Issuer  string // who asks for the code; may be empty
	Account string // whose code it is
	Key     Key
	Counter int64 // of HOTP: the next one; zero for TOTP
}

// Reveal writes the URI out, secret and all. What is as the format's defaults is left out, which makes the QR code
// smaller. Spaces are %20, which all apps read.
func (u URI) Reveal() (string, error) {
	if err := u.Validate(); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "otpauth://%s/", u.Key.Kind)
	if u.Issuer != "" {
		b.WriteString(url.PathEscape(u.Issuer) + ":")
	}
	b.WriteString(url.PathEscape(u.Account))
	b.WriteString("?secret=" + u.Key.Secret.Base32())
	if u.Issuer != "" {
		b.WriteString("&issuer=" + strings.ReplaceAll(url.QueryEscape(u.Issuer), "+", "%20"))
	}
	if u.Key.Algorithm != defaultAlgorithm {
		fmt.Fprintf(&b, "&algorithm=%s", u.Key.Algorithm)
	}
	if u.Key.Digits != defaultDigits {
		fmt.Fprintf(&b, "&digits=%d", u.Key.Digits)
	}
	if u.Key.Kind == TOTP && u.Key.Period != defaultPeriod {
		fmt.Fprintf(&b, "&period=%d", u.Key.Period/time.Second)
	}
	if u.Key.Kind == HOTP {
		fmt.Fprintf(&b, "&counter=%d", u.Counter)
	}
	return b.String(), nil
}

// Validate says what is wrong, or nil.
func (u URI) Validate() error {
	if err := checkName("issuer", u.Issuer, MaxIssuer); err != nil {
		return err
	}
	if u.Account == "" {
		return errors.New("account: must not be empty")
	}
	if err := checkName("account", u.Account, MaxAccount); err != nil {
		return err
	}
	if err := u.Key.Validate(); err != nil {
		return err
	}
	if u.Counter < 0 || u.Key.Kind == TOTP && u.Counter != 0 {
		return fmt.Errorf("counter %d: must not be negative, and is for kind %q only", u.Counter, HOTP)
	}
	if text := u.Key.Secret.Base32(); strings.Contains(u.Issuer, text) || strings.Contains(u.Account, text) {
		return errors.New("label: must not contain the secret, which would be shown with it")
	}
	return nil
}

// checkName looks at one half of the label. A colon parts the halves, so neither may have one.
func checkName(what, name string, limit int) error {
	switch {
	case len(name) > limit:
		return fmt.Errorf("%s of %d bytes: must have at most %d", what, len(name), limit)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s: must be UTF-8", what)
	case strings.Contains(name, ":"):
		return fmt.Errorf("%s: must not contain a colon", what)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("%s: must not contain control or invisible characters", what)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%s: must not begin or end with a space", what)
	}
	return nil
}

// ParseURI reads an otpauth URI. It takes no parameter that it does not know, and none twice. Its errors name
// the part that is wrong and what would be right, but no text of the URI: the secret may have slipped anywhere.
func ParseURI(text string) (URI, error) {
	u, err := parseURI(text)
	if err != nil {
		return URI{}, fmt.Errorf("otpauth URI: %w", err)
	}
	return u, nil
}

func parseURI(text string) (URI, error) {
	if len(text) > MaxURI {
		return URI{}, fmt.Errorf("has %d bytes: must have at most %d", len(text), MaxURI)
	}
	parts, err := url.Parse(text)
	if err != nil {
		return URI{}, errors.New("is no URI")
	}
	if parts.Scheme != "otpauth" || parts.User != nil || strings.Contains(text, "#") {
		return URI{}, errors.New("must have the form otpauth://TYPE/LABEL?secret=…")
	}
	kind := Kind(parts.Host)
	if kind != TOTP && kind != HOTP {
		return URI{}, fmt.Errorf("type: must be %q or %q", TOTP, HOTP)
	}
	p, err := parseParameters(parts.RawQuery)
	if err != nil {
		return URI{}, err
	}
	var u URI
	if u.Issuer, u.Account, err = parseLabel(parts.Path, p); err != nil {
		return URI{}, err
	}
	if u.Key, err = parseKey(kind, p); err != nil {
		return URI{}, err
	}
	if u.Counter, err = parseCounter(kind, p); err != nil {
		return URI{}, err
	}
	return u, u.Validate()
}

// parameters are those that a URI has.
type parameters map[string]string

func parseParameters(query string) (parameters, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("parameters: must be written NAME=VALUE and joined with \"&\"")
	}
	p := parameters{}
	for name, v := range values {
		switch name {
		case "secret", "issuer", "algorithm", "digits", "period", "counter":
		default:
			return nil, errors.New("parameters: must be of secret, issuer, algorithm, digits, period and counter")
		}
		if len(v) != 1 {
			return nil, fmt.Errorf("%s: must be given once", name)
		}
		p[name] = v[0]
	}
	return p, nil
}

// parseLabel takes ISSUER:ACCOUNT or ACCOUNT apart. The issuer may be a parameter, or both, but then the same.
func parseLabel(path string, p parameters) (issuer, account string, err error) {
	label := strings.TrimPrefix(path, "/")
	prefix, account, both := strings.Cut(label, ":")
	if !both {
		prefix, account = "", label
	}
	issuer, given := p["issuer"]
	switch {
	case both && prefix == "":
		return "", "", errors.New("label: must have an issuer before the colon")
	case given && issuer == "":
		return "", "", errors.New("issuer: must not be empty")
	case !given:
		issuer = prefix
	case both && issuer != prefix:
		return "", "", errors.New("issuer: the label says one and the parameter another")
	}
	return issuer, strings.TrimLeft(account, " "), nil
}

func parseKey(kind Kind, p parameters) (Key, error) {
	k := Key{Kind: kind, Algorithm: defaultAlgorithm, Digits: defaultDigits}
	text, ok := p["secret"]
	if !ok {
		return Key{}, errors.New("secret: is missing")
	}
	var err error
	if k.Secret, err = ParseSecret(text); err != nil {
		return Key{}, err
	}
	if text, ok := p["algorithm"]; ok {
		switch k.Algorithm = Algorithm(strings.ToUpper(text)); k.Algorithm {
		case SHA1, SHA256, SHA512:
		default:
			return Key{}, fmt.Errorf("algorithm: must be %s, %s or %s", SHA1, SHA256, SHA512)
		}
	}
	if text, ok := p["digits"]; ok {
		n, ok := number(text)
		if !ok || n < MinDigits || n > MaxDigits {
			return Key{}, fmt.Errorf("digits: must be a number from %d to %d", MinDigits, MaxDigits)
		}
		k.Digits = int(n)
	}
	k.Period, err = parsePeriod(kind, p)
	return k, err
}

func parsePeriod(kind Kind, p parameters) (time.Duration, error) {
	text, given := p["period"]
	switch {
	case given && kind != TOTP:
		return 0, fmt.Errorf("period: is for type %q only", TOTP)
	case kind != TOTP:
		return 0, nil
	case !given:
		return defaultPeriod, nil
	}
	low, high := int64(MinPeriod/time.Second), int64(MaxPeriod/time.Second)
	n, ok := number(text)
	if !ok || n < low || n > high {
		return 0, fmt.Errorf("period: must be a number of seconds from %d to %d", low, high)
	}
	return time.Duration(n) * time.Second, nil
}

func parseCounter(kind Kind, p parameters) (int64, error) {
	text, given := p["counter"]
	switch {
	case given && kind != HOTP:
		return 0, fmt.Errorf("counter: is for type %q only", HOTP)
	case kind != HOTP:
		return 0, nil
	case !given:
		return 0, errors.New("counter: is missing")
	}
	n, ok := number(text)
	if !ok {
		return 0, errors.New("counter: must be a number from 0")
	}
	return n, nil
}

// number reads a decimal number with no sign and no leading zero.
func number(text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == text
}
