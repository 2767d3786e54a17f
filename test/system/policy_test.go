package system

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestPolicySwitch: the daemon writes its drop-in from within its sandbox, what it says holds over a reboot, and the
// journal says who did it; a delegate has what the panel's file of owners says.
func TestPolicySwitch(t *testing.T) {
	g := Boot(t)
	g.Install()
	alice := g.AddUser("alice").Enroll()
	g.ProtectSSH()

	if said := g.Run("sallyportctl policy disable"); !strings.HasPrefix(said, "Two-factor login is off now") {
		t.Errorf("it says %q", said)
	}
	if changes := g.Journal("SALLYPORT_KIND=policy-changed"); len(changes) != 1 || changes[0]["SALLYPORT_BY"] != "root" ||
		changes[0]["SALLYPORT_SETTING"] != "enabled" || changes[0]["SALLYPORT_VALUE"] != "false" {
		t.Errorf("the journal has %v", changes)
	}
	g.Reboot()
	x := alice.SSH(greet)
	x.Answer(PasswordPrompt, host.Password)
	x.Expect(greeting)
	x.Close()
	g.Run("sallyportctl policy enable")
	alice.Refused(alice.App.Wrong())
	alice.LogIn()

	rita := g.AddUser("rita")
	g.WriteFile("/etc/trueuserowners", "#userowners v1\nalice: rita\n", 0o644)
	g.WriteFile("/etc/sallyport/sallyport.d/10-resellers.toml",
		"[[delegate]]\nwho = [\"rita\"]\nowners = \"/etc/trueuserowners\"\nmay = [\"disable\"]\n", 0o644)
	g.Run("systemctl reload sallyportd")
	g.Run(rita.As("sallyportctl disable --yes alice"))
	if done := g.Journal("SALLYPORT_KIND=disabled"); len(done) != 1 || done[0]["SALLYPORT_BY"] != "rita" || done[0]["SALLYPORT_USER"] != "alice" {
		t.Errorf("the journal has %v", done)
	}
	if out, status := g.Try(rita.As("sallyportctl disable --yes root")); status == 0 {
		t.Errorf("a delegate disables root: %s", out)
	}
}
