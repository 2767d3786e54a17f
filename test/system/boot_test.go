package system

import (
	"strings"
	"testing"
)

// TestBoot: a clean system with systemd as process 1, nothing failed, logind and sshd at work; a reboot is one.
func TestBoot(t *testing.T) {
	g := Boot(t)
	if state := g.Run("systemctl is-system-running"); strings.TrimSpace(state) != "running" {
		t.Errorf("the guest is %s", state)
	}
	if init := g.Run("cat /proc/1/comm"); init != "systemd\n" {
		t.Errorf("process 1 is %s", init)
	}
	g.Run("systemctl is-active systemd-logind ssh dbus systemd-journald")
	before := property(g, "ssh", "InvocationID")
	g.Reboot()
	if after := property(g, "ssh", "InvocationID"); after == before {
		t.Error("the guest has not booted again")
	}
}
