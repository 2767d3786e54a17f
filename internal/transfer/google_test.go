package transfer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/otp"
)

// TestGoogleAuthenticator reads what the real program writes, with each of its options.
func TestGoogleAuthenticator(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"-t", "-D", "-f", "-u", "-w", "3"}, "totp SHA1 6 30s c0 o0 u[]; 5 scratch; Its WINDOW_SIZE"},
		{[]string{"-t", "-d", "-f", "-r", "3", "-R", "30", "-w", "17", "-e", "10", "-S", "60"}, "totp SHA1 6 1m0s c0 o0 u[]; 10 scratch; Its RATE_LIMIT"},
		{[]string{"-c", "-f", "-u", "-w", "3", "-e", "1"}, "hotp SHA1 6 0s c1 o0 u[]; 1 scratch; Its WINDOW_SIZE"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		run(t, "", "google-authenticator", append(test.args, "-q", "-C", "-s", path)...)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		a := GoogleAuthenticator(data)
		if a.Err != nil || !strings.HasPrefix(summary(a), ": "+test.want) {
			t.Errorf("%v: %s, %v; want %s", test.args, summary(a), a.Err, test.want)
			continue
		}
		if ours, theirs := code(t, a.Devices[0]), oathtool(t, a.Devices[0]); ours != theirs {
			t.Errorf("%v: %s, and oathtool says %s", test.args, ours, theirs)
		}
	}
}

// What the PAM module writes into the file as it is used.
func TestGoogleAuthenticatorInUse(t *testing.T) {
	a := GoogleAuthenticator([]byte(secret32 + "\n\" RATE_LIMIT 3 30 1700000000 1700000001\n\" WINDOW_SIZE 17\n" +
		"\" DISALLOW_REUSE 59481238 59481240\n\" STEP_SIZE 30\n\" TIME_SKEW -3\n\" RESETTING_TIME_SKEW 1+2 3+4\n\" TOTP_AUTH\n" +
		"\" LAST0 1700000000\n12345678\n87654321\n"))
	want := ": totp SHA1 6 30s c0 o-3 u[59481238 59481240]; 2 scratch; Its RATE_LIMIT is not taken over; [lockout] of the policy counts. " +
		"Its WINDOW_SIZE is not taken over; codes.window of the policy counts. Its option \"LAST0\" is not taken over."
	if got := summary(a); a.Err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, a.Err, want)
	}
	if string(a.Scratch[1].Bytes()) != "87654321" {
		t.Error("the scratch codes are others")
	}
}

func TestGoogleAuthenticatorRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "it is empty",
		"not base32!\n\" TOTP_AUTH\n": "line 1: secret: must be base32",
		"GEZDG\n\" TOTP_AUTH\n":       "secret of 3 bytes",
		secret32 + "\n":               "one of the options TOTP_AUTH and HOTP_COUNTER",
		secret32 + "\n\" TOTP_AUTH\n\" HOTP_COUNTER 1\n":                           "one of the options",
		secret32 + "\n\" HOTP_COUNTER -1\n":                                        "line 2: HOTP_COUNTER must be a number from 0",
		secret32 + "\n\" HOTP_COUNTER 1 2\n":                                       "HOTP_COUNTER must have one value",
		secret32 + "\n\" TOTP_AUTH\n\" STEP_SIZE 5\n":                              "period 5s",
		secret32 + "\n\" TOTP_AUTH\n\" TIME_SKEW 2881\n":                           "off by 2881 steps",
		secret32 + "\n\" TOTP_AUTH\n\" DISALLOW_REUSE x\n":                         "DISALLOW_REUSE must be a number",
		secret32 + "\n\" TOTP_AUTH\n\" DISALLOW_REUSE" + strings.Repeat(" 1", 101): "101 used codes",
		secret32 + "\n\" TOTP_AUTH\n" + secret32 + "\n":                            "line 3: must be an option",
		secret32 + "\n\" TOTP_AUTH\n123456\n":                                      "line 3: must be an option",
		secret32 + "\n\"\n":                                                        "line 2: there is no option",
		secret32 + "\n\" TOTP_AUTH\n" + strings.Repeat("12345678\n", 21):           "21 scratch codes",
		secret32 + "\n\" TOTP_AUTH\n" + strings.Repeat("1", maxLine+1):             "line 3 has 4097 bytes",
		strings.Repeat("\n", MaxHome+1):                                            "65537 bytes",
	} {
		wantError(t, text[:min(len(text), 60)], GoogleAuthenticator([]byte(text)).Err, want)
	}
}

func TestAccountsHaveNoPrintableSecret(t *testing.T) {
	a := GoogleAuthenticator([]byte(secret32 + "\n\" TOTP_AUTH\n12345678\n"))
	if a.Devices[0].Key.Kind != otp.TOTP {
		t.Fatal("there is no key")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := sprintf(verb, a); strings.Contains(text, secret32) || strings.Contains(text, "12345678") || strings.Contains(text, secretHex) {
			t.Errorf("%s shows a secret: %s", verb, text)
		}
	}
}
