package system

import (
	"strings"
	"testing"

	"sallyport/internal/doctor"
)

// listens waits until sshd has listened once more than before.
func (g *Guest) listens(before int) {
	g.t.Helper()
	g.eventually("sshd listens again", func() bool { return g.listened() > before })
}

func (g *Guest) listened() int {
	g.t.Helper()
	return len(g.Journal("_COMM=sshd", `MESSAGE="Server listening on :: port 22."`))
}

// TestSetup: with systemd, its timer undoes what nobody confirms, and the reboot in between is found.
func TestSetup(t *testing.T) {
	g := Boot(t)
	g.Install()
	alice := g.AddUser("alice").Enroll()
	before := g.Run("sha256sum /etc/pam.d/* /etc/ssh/sshd_config")

	n := g.listened()
	g.Run("sallyportctl setup ssh --apply --confirm-within 5m")
	g.listens(n)
	alice.LogIn()
	if timers := g.Run("systemctl list-units --type=timer --no-legend"); strings.Count(timers, "sallyport-setup-ssh-") == 0 {
		t.Errorf("timers:\n%s", timers)
	}
	n = g.listened()
	g.Run("sallyportctl setup ssh --revert")
	g.listens(n)
	if after := g.Run("sha256sum /etc/pam.d/* /etc/ssh/sshd_config"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}

	n = g.listened()
	g.Run("sallyportctl setup ssh --apply --confirm-within 2s")
	g.Eventually("test ! -e /var/lib/sallyport/setup/ssh.json")
	g.listens(n + 1)
	if after := g.Run("sha256sum /etc/pam.d/* /etc/ssh/sshd_config"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if log := g.Log(); !strings.Contains(log, "setup ssh was not confirmed and has been undone") {
		t.Errorf("the journal does not say so:\n%s", log)
	}

	g.Run("sallyportctl setup ssh --apply --confirm-within 1h")
	g.Reboot()
	overdue := func() (f doctor.Finding) {
		for _, f = range g.findings() {
			if f.ID == "setup-unconfirmed" {
				return f
			}
		}
		return doctor.Finding{}
	}
	if f := overdue(); f.ID != "" {
		t.Errorf("it is not due yet: %+v", f)
	}
	g.Run(`sed -i 's/"confirm_by": "20../"confirm_by": "2020/' /var/lib/sallyport/setup/ssh.json`)
	f := overdue()
	if f.Mend.Command == "" {
		t.Fatal("nobody undoes it, and the doctor does not say so")
	}
	g.Run(f.Mend.Command)
	if after := g.Run("sha256sum /etc/pam.d/* /etc/ssh/sshd_config"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
