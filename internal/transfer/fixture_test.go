package transfer

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sallyport/internal/otp"
)

// noon is the first second of a step.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// run runs a real program and returns what it prints.
func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// oathtool is the code that the real program makes of a device's key, at noon or at the device's counter.
func oathtool(t *testing.T, d Device) string {
	t.Helper()
	args := []string{"--digits", fmt.Sprint(d.Key.Digits), "--base32", d.Key.Secret.Base32()}
	if d.Key.Kind == otp.HOTP {
		args = append(args, "--hotp", "--counter", fmt.Sprint(d.Counter))
	} else {
		args = append(args, "--totp="+strings.ToLower(string(d.Key.Algorithm)),
			"--time-step-size", fmt.Sprintf("%ds", d.Key.Period/time.Second), "--now", noon.Format("2006-01-02 15:04:05 UTC"))
	}
	return run(t, "", "oathtool", args...)
}

// code is what we make of it.
func code(t *testing.T, d Device) string {
	t.Helper()
	step := d.Counter
	if d.Key.Kind == otp.TOTP {
		step = d.Key.Step(noon)
	}
	c, err := d.Key.Code(step)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// only is the account of a source that has one, and no fault.
func only(t *testing.T, all []Account, err error) Account {
	t.Helper()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	if all[0].Err != nil {
		t.Fatal(all[0].Err)
	}
	return all[0]
}

// summary is an account in a line, without secrets.
func summary(a Account) string {
	var parts []string
	for _, d := range a.Devices {
		parts = append(parts, fmt.Sprintf("%s %s %d %v c%d o%d u%v", d.Key.Kind, d.Key.Algorithm, d.Key.Digits, d.Key.Period, d.Counter, d.Offset, d.Used))
	}
	return fmt.Sprintf("%s: %s; %d scratch; %s", a.User, strings.Join(parts, ", "), len(a.Scratch), strings.Join(a.Notes, " "))
}

// wantError fails unless the error says what is wrong, and has no secret in it.
func wantError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
	if err != nil && (strings.Contains(err.Error(), secret32) || strings.Contains(err.Error(), secretHex)) {
		t.Errorf("%s: the error has the secret: %v", what, err)
	}
}

// A secret in the forms that files have.
const (
	secret32  = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	secretHex = "3132333435363738393031323334353637383930"
	secret64  = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="
)
