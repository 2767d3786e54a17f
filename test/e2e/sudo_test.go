package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// sudo wants no messages unless sudoers says !pam_silent, so all that people see of a refusal is the next prompt.

// protectedSudo leaves the account part alone: while its timestamp is fresh sudo calls that without the auth part.
func protectedSudo(t *testing.T) {
	t.Helper()
	host.Insert(t, "sudo", host.Module(t, "auth", "required"), "", "")
}

func (p *person) sudo(t *testing.T, args ...string) *host.Terminal {
	t.Helper()
	return host.Open(t, p.command("sudo", args...))
}

func TestSudo(t *testing.T) {
	host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	code := alice.app.Code()
	x := alice.sudo(t, "sh", "-c", "id -un; "+greet)
	x.Answer(`password for alice: `, host.Password)
	x.Answer(codePrompt, code)
	x.Expect("root\r\n" + inside)
	entered(t, x)

	x = alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, host.Password)
	x.Answer(codePrompt, code) // used already
	x.Answer(codePrompt, alice.app.Code())
	entered(t, x)
}

func TestSudoRefuses(t *testing.T) {
	host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	x := alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, host.Password)
	for range 3 {
		x.Answer(codePrompt, alice.app.Wrong())
	}
	x.Expect(`Sorry, try again\.\s+\[sudo\] password for alice: `)
	x.Interrupt()
	refused(t, x)
}

// On one terminal sudo asks once for a while.
func TestSudoTimestamp(t *testing.T) {
	host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	x := host.Open(t, alice.command("sh", "-c", "sudo true && sudo -n sh -c '"+greet+"'"))
	x.Answer(`password for alice: `, host.Password)
	x.Answer(codePrompt, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
	if n := strings.Count(x.Text(), codePrompt); n != 1 {
		t.Errorf("it asks %d times", n)
	}
}

func TestSudoWithoutADaemon(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	d.Kill()
	x := alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, host.Password)
	x.Answer(codePrompt, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

// Whom the policy wants to set up a second factor cannot do it in sudo, which would show neither QR code nor key.
func TestSudoWithoutASecondFactor(t *testing.T) {
	host.StartDaemon(t, require("enroll"))
	protectedSudo(t)
	alice := &person{User: host.AddUser(t, "alice", "sudo")}
	x := alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, host.Password)
	x.Expect("sallyportctl enroll") // in the prompt, which sudo does show
	x.Interrupt()
	refused(t, x)
	if strings.Contains(x.Text(), setupPrompt) || exists("/var/lib/sallyport/users/alice.toml") {
		t.Errorf("it began a set-up that nobody can finish:\n%s", x.Text())
	}
}
