package host_test

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

func TestKeyboardInteractive(t *testing.T) {
	host.AddUser(t, "alice")
	log := host.StartSyslog(t)
	s := host.StartSSHD(t)
	x := host.Open(t, s.Client("ssh", "alice@127.0.0.1", "id -un; exit 3"))
	x.Answer("Password: ", "wrong")
	x.Answer("Password: ", host.Password)
	x.Expect("alice")
	if status := x.Wait(); status != 3 {
		t.Errorf("exit status %d; the terminal shows:\n%s", status, x.Text())
	}
	if !strings.Contains(s.Log(), "Accepted keyboard-interactive/pam for alice from 127.0.0.1") {
		t.Errorf("sshd's log:\n%s", s.Log())
	}
	host.Eventually(t, "pam_unix has logged the session", func() bool {
		return strings.Contains(log.Text(), "session opened for user alice")
	})
}

func TestSourceAddress(t *testing.T) {
	host.AddUser(t, "alice")
	s := host.StartSSHD(t)
	x := host.Open(t, s.Client("ssh", "-b", "127.0.0.2", "alice@127.0.0.1", "echo $SSH_CONNECTION"))
	x.Answer("Password: ", host.Password)
	x.Expect(`127\.0\.0\.2 \d+ 127\.0\.0\.1`)
}
