package system

import (
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m, Container) }

// TestBoot: a clean system with systemd as process 1, nothing failed, logind and sshd at work.
func TestBoot(t *testing.T) {
	g := Boot(t)
	if state := g.Run("systemctl is-system-running"); strings.TrimSpace(state) != "running" {
		t.Errorf("the guest is %s", state)
	}
	if init := g.Run("cat /proc/1/comm"); init != "systemd\n" {
		t.Errorf("process 1 is %s", init)
	}
	g.Run("systemctl is-active systemd-logind ssh dbus systemd-journald")
	g.Reboot()
	g.Run("systemctl is-active systemd-logind ssh")
}
