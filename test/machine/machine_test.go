// Package machine has the tests that need a kernel and a clock of their own, on machines under QEMU (package system).
// They take minutes: make system-test runs them, make test does not.
package machine

import (
	"strings"
	"testing"

	"sallyport/test/host"
	"sallyport/test/system"
)

func TestMain(m *testing.M) { system.Main(m, system.Machine) }

// TestSystemctl: the daemon goes away and comes back between two logins and in the middle of a third; a code works each
// time.
func TestSystemctl(t *testing.T) {
	g := system.BootMachine(t, system.MachineOptions{})
	g.InstallPackages(g.CopyPackages())
	g.ProtectSSH()
	alice, bob := g.AddUser("alice").Enroll(), g.AddUser("bob").Enroll()
	alice.LogIn()
	g.Run("systemctl mask --now sallyportd.service")
	alice.LogIn() // the module verifies
	x := bob.Begin()
	g.Run("systemctl unmask sallyportd.service && systemctl start sallyportd")
	if screen, in := bob.Finish(x, bob.App.Code()); !in {
		t.Errorf("bob does not get in:\n%s\n%s", screen, g.Log())
	}
}

// TestBoot: a machine answers, with nothing failed; its clock is its own; a reboot is one.
func TestBoot(t *testing.T) {
	g := system.BootMachine(t, system.MachineOptions{})
	if state := g.Run("systemctl is-system-running"); strings.TrimSpace(state) != "running" {
		t.Errorf("the machine is %s", state)
	}
	g.Run("date --set '2020-02-02 02:02:02'")
	if year := g.Run("date +%Y"); strings.TrimSpace(year) != "2020" {
		t.Errorf("the machine's clock cannot be set: %s", year)
	}
	if year := strings.TrimSpace(host.Output(t, "date", "+%Y")); year == "2020" {
		t.Errorf("the clock of this host was set")
	}
	before := g.ReadFile("/proc/sys/kernel/random/boot_id")
	g.Reboot()
	if after := g.ReadFile("/proc/sys/kernel/random/boot_id"); after == before {
		t.Error("the machine has not booted again")
	}
}
