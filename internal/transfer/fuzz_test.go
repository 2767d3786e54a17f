package transfer

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"sallyport/internal/otp"
)

// FuzzRead gives a reader, which the first byte picks, what anybody may have written. Whatever it is, what comes out as
// an account is one, and what is said about the rest can be shown on a terminal.
func FuzzRead(f *testing.F) {
	figure7, err := os.ReadFile("testdata/rfc6030-figure7.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"0" + secret32 + "\n\" TOTP_AUTH\n\" TIME_SKEW -3\n\" DISALLOW_REUSE 1 2\n12345678\n",
		"0" + secret32 + "\n\" HOTP_COUNTER 7\n",
		"1HOTP/T30/6 alice - " + secretHex + " 0 123456 2026-11-23T13:00:00L\nHOTP alice 1234 " + secretHex + "\n",
		`2{"alice":{"secret":"` + secret32 + `"},"b":{}}`,
		"3otpauth://totp/Example:alice?secret=" + secret32 + "&issuer=Example\notpauth://hotp/alice@host?secret=" + secret32 + "&counter=4\n",
		"4" + transferURI(0, 1, []any{1, "12345678901234567890", 2, "x:alice", 6, 2}),
		"5" + plain, "5" + string(figure7), "61000 alice\n1001 bob\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		all, err := read(data[0], data[1:])
		shows(t, err)
		for _, a := range append(all, For("alice", copied(all))...) {
			shows(t, a.Err)
			for _, note := range a.Notes {
				shows(t, errors.New(note))
			}
			if a.Err != nil {
				continue
			}
			if a.User != "" && !isUser(a.User) || len(a.Devices) == 0 || len(a.Devices) > maxDevices || len(a.Scratch) > maxScratch {
				t.Errorf("this passes for an account: %s", summary(a))
			}
			for _, d := range a.Devices {
				if err := d.Key.Validate(); err != nil || d.Counter < 0 || d.Key.Kind == otp.TOTP && d.Counter != 0 {
					t.Errorf("this passes for a device: %s, %v", summary(a), err)
				}
			}
		}
	})
}

// copied copies, for For changes what it is given.
func copied(all []Account) []Account { return append([]Account{}, all...) }

func read(kind byte, data []byte) ([]Account, error) {
	switch kind {
	case '0':
		return []Account{GoogleAuthenticator(data)}, nil
	case '1':
		return OATH(data, time.UTC, true)
	case '2':
		return CPanel(data)
	case '3':
		all, err := URIs(data)
		return WithoutHosts(all), err
	case '4':
		return Migration(data)
	case '6':
		_, err := Owners(data)
		return nil, err
	}
	ask := noPassword // which spares the fuzzer the iterations
	if bytes.Contains(data, []byte("<IterationCount>1000<")) {
		ask = password("qwerty")
	}
	return PSKC(data, ask, nil)
}

// shows fails for an error that a terminal would obey.
func shows(t *testing.T, err error) {
	if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("this is shown: %q", err)
	}
}
