package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

func TestSFTPAndSCP(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	dir := t.TempDir()
	local, batch := filepath.Join(dir, "local"), filepath.Join(dir, "batch")
	host.WriteFile(t, local, "by scp\n", 0o644)
	x := host.Open(t, s.Client("scp", local, "alice@127.0.0.1:sent"))
	entered(t, login(t, x, alice.app.Code()))
	if text, err := os.ReadFile(filepath.Join(alice.HomeDir, "sent")); string(text) != "by scp\n" {
		t.Errorf("scp sent %q, %v", text, err)
	}

	host.WriteFile(t, batch, fmt.Sprintf("get sent %s/got\nbye\n", dir), 0o644)
	x = host.Open(t, s.Client("sftp", "-o", "BatchMode=no", "-b", batch, "alice@127.0.0.1"))
	entered(t, login(t, x, alice.app.Code()))
	if text, err := os.ReadFile(filepath.Join(dir, "got")); string(text) != "by scp\n" {
		t.Errorf("sftp got %q, %v", text, err)
	}

	x = host.Open(t, s.Client("scp", "-o", "NumberOfPasswordPrompts=1", local, "alice@127.0.0.1:never"))
	login(t, x, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	refused(t, x)
	if exists(filepath.Join(alice.HomeDir, "never")) {
		t.Error("scp sent a file without a code")
	}
}

// ssh -N has no session, only what it forwards.
func TestSSHForwardingOnly(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	listen := filepath.Join(t.TempDir(), "forward")
	x := host.Open(t, s.Client("ssh", "-N", "-L", fmt.Sprintf("%s:127.0.0.1:%d", listen, s.Port), "alice@127.0.0.1"))
	x.Answer(passwordPrompt, host.Password)
	if exists(listen) {
		t.Error("it forwards before it has seen a code")
	}
	x.Answer(codePrompt, alice.app.Code())
	host.Eventually(t, "the forwarded socket is there", func() bool { return exists(listen) })
	c, err := net.Dial("unix", listen)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(line, "SSH-2.0-") {
		t.Errorf("through the tunnel came %q, %v", line, err)
	}
}

// Who comes in through a ControlMaster is a window of the login that is there.
func TestSSHControlMaster(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	control := filepath.Join(t.TempDir(), "master")
	x := host.Open(t, s.Client("ssh", "-M", "-S", control, "-N", "alice@127.0.0.1"))
	login(t, x, alice.app.Code())
	host.Eventually(t, "the master listens", func() bool { return exists(control) })
	for range 3 {
		out, err := noPrompt(s, "ssh", "-S", control, "alice@127.0.0.1", greet).CombinedOutput()
		if err != nil || !strings.Contains(string(out), inside) {
			t.Errorf("a window of the master: %v: %s", err, out)
		}
	}
	if out, err := noPrompt(s, "ssh", "-S", control, "-O", "exit", "alice@127.0.0.1").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	x.Wait()
	if out, err := noPrompt(s, "ssh", "-S", control, "alice@127.0.0.1", greet).CombinedOutput(); err == nil {
		t.Errorf("let in after the master had gone: %s", out)
	}
}

// noPrompt runs a client that can ask nobody.
func noPrompt(s *host.SSHD, program string, args ...string) *exec.Cmd {
	return s.Client(program, append([]string{"-o", "BatchMode=yes"}, args...)...)
}
