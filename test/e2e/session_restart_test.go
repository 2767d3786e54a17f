package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"sallyport/test/host"
)

// The daemon is killed and started in the middle. Sessions go on, those that open and end without it are known to it
// afterwards, and one that is displaced meanwhile is told and ended, too.
func TestSessionDaemonRestarts(t *testing.T) {
	d, alice := newDesk(t, "")
	bob, carol := addDesk(t, alice.s, "bob"), addDesk(t, alice.s, "carol")
	before, his := alice.shell("127.0.0.2"), bob.shell("127.0.0.2")
	d.Kill()
	during := alice.shell("127.0.0.2")
	carol.shell("127.0.0.4")
	his.Type("exit\n")
	his.Wait() // nobody waits for the daemon to log out
	d.Start()
	eventuallyOpen(t, "alice@127.0.0.2×2 carol@127.0.0.4×1")
	if !strings.Contains(d.Log(), `session closed: user "bob"`) {
		t.Errorf("bob's end is not in the log:\n%s", d.Log())
	}

	d.Kill()
	newer := alice.shell("127.0.0.3")
	for _, x := range []*host.Terminal{before, during} {
		x.Expect(`taken over at \d\d:\d\d by a login from 127\.0\.0\.3`)
		x.Wait()
	}
	d.Start()
	eventuallyOpen(t, "alice@127.0.0.3×1 carol@127.0.0.4×1")
	d.Stop()
	d.Start()
	open(t, "after a stop in good order", "alice@127.0.0.3×1 carol@127.0.0.4×1")
	newer.Type("exit\n")
	newer.Wait()
	eventuallyOpen(t, "carol@127.0.0.4×1")
	kill(t, leader(t), syscall.SIGKILL)
	eventuallyOpen(t, "")
}

// Without a daemon the limit holds all the same.
func TestSessionDeniedWithoutADaemon(t *testing.T) {
	d, alice := newDesk(t, "[sessions]\nexcess = \"deny\"\n")
	d.Kill()
	x := alice.shell("127.0.0.2")
	if out, err := alice.run("127.0.0.3", greet); err == nil || !strings.Contains(out, "Already logged in from 127.0.0.2") {
		t.Errorf("a second session: %v: %s", err, out)
	}
	kill(t, sshdOf(t, "alice"), syscall.SIGKILL)
	if out, err := alice.run("127.0.0.3", greet); err != nil || !strings.Contains(out, inside) {
		t.Errorf("after the first one's leader was killed: %v: %s", err, out)
	}
	_ = x
}

// sshdOf is sshd's privileged process for a user's connection.
func sshdOf(t *testing.T, name string) int {
	t.Helper()
	var pid int
	out := host.Output(t, "pgrep", "-f", "^sshd: "+name+` \[priv\]`)
	if _, err := fmt.Sscan(out, &pid); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return pid
}

// While no daemon runs the leader dies, and its PID goes to another process: that one leads nothing, and is left alone.
func TestSessionPIDReuse(t *testing.T) {
	d, alice := newDesk(t, "")
	alice.shell("127.0.0.2")
	pid := leader(t)
	d.Stop()
	kill(t, -pid, syscall.SIGKILL) // with its group: a group's number is not given out
	host.Eventually(t, "the PID is free", func() bool { return syscall.Kill(pid, 0) != nil && syscall.Kill(-pid, 0) != nil })
	other := startWithPID(t, pid)
	d.Start()
	open(t, "with another process's PID", "")
	newer := alice.shell("127.0.0.3")
	newer.Type("exit\n")
	newer.Wait()
	eventuallyOpen(t, "")
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other process: %v", err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || strings.Contains(string(text), ") Z ") {
		t.Errorf("the other process was ended: %s, %v", text, err)
	}
}

// startWithPID starts a process that gets a PID that is free: the kernel gives out the next one after ns_last_pid
// (pid_namespaces(7)). Another process may be quicker; then the next try has to do.
func startWithPID(t *testing.T, pid int) *exec.Cmd {
	t.Helper()
	for range 100 {
		host.WriteFile(t, "/proc/sys/kernel/ns_last_pid", fmt.Sprint(pid-1), 0o644)
		cmd := host.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if cmd.Process.Pid == pid {
			return cmd
		}
	}
	t.Fatalf("no process gets the PID %d", pid)
	return nil
}
