// Package e2e has the tests with the programs that people log in by: sshd, sudo, su, login, and PAM hosts of other
// kinds. They run in a private host (package host) with its /etc/pam.d as Debian ships it and Sallyport put in.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

// What people see; see internal/login.
const (
	passwordPrompt    = `Password: `
	codePrompt        = `Verification code: `
	splitPrompt       = `Password and verification code: `
	setupPrompt       = `Code from your app: `
	acknowledgePrompt = `Press Enter when you have written them down: `
)

// person is a user of the private host with a second factor.
type person struct {
	*user.User
	app      *host.Authenticator
	recovery []string
}

// enrolled adds a user that sets up its second factor with sallyportctl, as a person would.
func enrolled(t *testing.T, name string, groups ...string) *person {
	t.Helper()
	p := &person{User: host.AddUser(t, name, groups...)}
	x := host.Open(t, p.command(host.Build(t).Ctl, "enroll"))
	x.Expect(setupPrompt) // the key is above it
	p.app = host.NewAuthenticator(t, typedKey(t, x.Text()))
	x.Reply(p.app.Code())
	if status := x.Wait(); status != 0 {
		t.Fatalf("sallyportctl enroll: exit status %d\n%s", status, x.Text())
	}
	p.recovery = recoveryCodes(t, x.Text())
	return p
}

// command is a program that the user has started at a terminal of its own.
func (p *person) command(program string, args ...string) *exec.Cmd {
	line := host.As(p.User, program, args...)
	return host.Command(line[0], line[1:]...)
}

// typedKey is the key on a screen, for who cannot scan the QR code beside it.
func typedKey(t *testing.T, screen string) string {
	t.Helper()
	found := regexp.MustCompile(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n`).FindStringSubmatch(screen)
	if found == nil {
		t.Fatalf("no key on the screen:\n%s", screen)
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// recoveryCodes are those on a screen.
func recoveryCodes(t *testing.T, screen string) []string {
	t.Helper()
	codes := regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`).FindAllString(screen, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes, want 10, on the screen:\n%s", len(codes), screen)
	}
	return codes
}

// entered fails the test if the program on the terminal did not end with status 0.
func entered(t *testing.T, x *host.Terminal) {
	t.Helper()
	if status := x.Wait(); status != 0 {
		t.Errorf("exit status %d; the terminal shows:\n%s", status, x.Text())
	}
}

// refused fails the test if the program on the terminal ended with status 0, or printed what only who got in can.
func refused(t *testing.T, x *host.Terminal) {
	t.Helper()
	if status := x.Wait(); status == 0 || strings.Contains(x.Text(), inside) {
		t.Errorf("exit status %d, so it let somebody in; the terminal shows:\n%s", status, x.Text())
	}
}

// inside is printed by greet and does not stand in any command line or message.
const inside = "let in: 42"

// greet is a shell command that says that somebody is in.
const greet = "echo let in: $((6*7))"

// require is a policy with one rule for everybody.
func require(value string) string { return fmt.Sprintf("[[rule]]\nrequire = %q\n", value) }

// tellsNothing fails the test if a text has one of the words that nobody may find in a log.
func tellsNothing(t *testing.T, what, text string, secrets ...string) {
	t.Helper()
	for _, secret := range append(secrets, host.Password) {
		if strings.Contains(text, secret) {
			t.Errorf("%s has a secret in it:\n%s", what, text)
		}
	}
}

// exists reports whether a file is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
