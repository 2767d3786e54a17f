package transfer

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func TestOATH(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	step := noon.Unix() / 30
	totp := run(t, "", "oathtool", "--totp", "--now", "2026-11-23 12:00:00 UTC", secretHex)
	hotp := run(t, "", "oathtool", "--hotp", "--counter", "7", secretHex)
	for line, want := range map[string]string{
		"HOTP alice - " + secretHex:                                                "hotp SHA1 6 0s c0 o0 u[]",
		"HOTP/E alice + " + secretHex:                                              "hotp SHA1 6 0s c0 o0 u[]",
		"HOTP/E/8 alice - " + secretHex + " 9":                                     "hotp SHA1 8 0s c9 o0 u[]",
		"HOTP/T30 alice - " + secretHex:                                            "totp SHA1 6 30s c0 o0 u[]",
		"HOTP/T60/7\talice\t-\t" + secretHex:                                       "totp SHA1 7 1m0s c0 o0 u[]",
		"HOTP/T30/6 alice - " + secretHex + " 0 " + totp + " 2026-11-23T13:00:00L": fmt.Sprintf("totp SHA1 6 30s c0 o0 u[%d]", step),
		"HOTP alice - " + secretHex + " 7 " + hotp + " 2026-11-23T13:00:00L":       "hotp SHA1 6 0s c8 o0 u[]",
		"HOTP alice - " + secretHex + " 8 " + hotp + " 2026-11-23T13:00:00L":       "hotp SHA1 6 0s c8 o0 u[]",
	} {
		all, err := OATH([]byte("# users\n\n"+line+"\n"), berlin, false)
		a := only(t, all, err)
		if got := summary(a); got != "alice: "+want+"; 0 scratch; " {
			t.Errorf("%s\ngives %s\nwant %s", line, got, want)
		}
		if ours, theirs := code(t, a.Devices[0]), oathtool(t, a.Devices[0]); ours != theirs {
			t.Errorf("%s: %s, and oathtool says %s", line, ours, theirs)
		}
	}
}

func TestOATHUsersOfSeveralLines(t *testing.T) {
	all, err := OATH([]byte("HOTP alice - "+secretHex+"\nHOTP/T30 bob - "+secretHex+"\nHOTP/T60 alice - "+secretHex+"\nHOTP/T60 bob - 00\n"), time.UTC, false)
	if err != nil || len(all) != 2 || len(all[0].Devices) != 2 || all[0].Err != nil {
		t.Errorf("%v, %v", all, err)
	}
	wantError(t, "bob, of whom one line is wrong", all[1].Err, "secret of 1 bytes")
	if all[1].Where != "line 4" {
		t.Errorf("the fault is at %s", all[1].Where)
	}
}

func TestOATHRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"HOTP alice 1234 " + secretHex:                          "it has a PIN",
		"HOTP alice -":                                          "must have type, user, PIN, secret",
		"HOTP alice - " + secretHex + " 1 2 3 4":                "must have type, user, PIN, secret",
		"TOTP alice - " + secretHex:                             `type "TOTP"`,
		"HOTP/T45 alice - " + secretHex:                         `type "HOTP/T45"`,
		"HOTP/E/9 alice - " + secretHex:                         `type "HOTP/E/9"`,
		"HOTP/E/6/6 alice - " + secretHex:                       `type "HOTP/E/6/6"`,
		"HOTP alice - xyz":                                      "hexadecimal",
		"HOTP alice - 3132":                                     "secret of 2 bytes",
		"HOTP alice - " + secretHex + " -1":                     "counter: must be",
		"HOTP/T30 alice - " + secretHex + " 0 123456":           "must have its time",
		"HOTP/T30 alice - " + secretHex + " 0 123456 yesterday": "must look as 2006",
		"HOTP a/b - " + secretHex:                               "user: must have",
		"HOTP " + strings.Repeat("x", 256) + " - " + secretHex:  "user: must have",
		"HOTP a\x1bb - " + secretHex:                            "user: must have",
	} {
		all, err := OATH([]byte(line), time.UTC, false)
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %d accounts, %v", line, len(all), err)
			continue
		}
		wantError(t, line, all[0].Err, want)
	}
	all, err := OATH([]byte("HOTP alice 1234 "+secretHex), time.UTC, true)
	if a := only(t, all, err); len(a.Notes) != 1 || a.Notes[0] != "Its PIN is not taken over." {
		t.Errorf("without PINs: %s", summary(a))
	}
}
