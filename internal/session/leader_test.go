package session

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// child starts a process that lives until it is killed.
func child(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func identify(t *testing.T, pid int) Leader {
	t.Helper()
	l, err := Kernel{}.Identify(pid)
	if err != nil || l.PID != pid || l.Start == 0 {
		t.Fatalf("process %d: %+v, %v", pid, l, err)
	}
	return l
}

// eventually waits for what other processes do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func TestLeaderEnds(t *testing.T) {
	cmd := child(t)
	l := identify(t, cmd.Process.Pid)
	if !Alive(Kernel{}, l) {
		t.Error("a running process is not alive")
	}
	h, err := Kernel{}.Open(l)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// Not reaped yet: the number is still taken, and nobody is there.
	eventually(t, "a zombie is not alive", func() bool { return !Alive(Kernel{}, l) })
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("the process ended with %v", err)
	}
	if err := h.Signal(unix.SIGTERM); !errors.Is(err, ErrGone) {
		t.Errorf("a signal to who has ended: %v", err)
	}
	if _, err := (Kernel{}).Open(l); !errors.Is(err, ErrGone) {
		t.Errorf("opening who has ended: %v", err)
	}
}

func TestAnotherProcessIsNotTheLeader(t *testing.T) {
	l := identify(t, child(t).Process.Pid)
	l.Start--
	if Alive(Kernel{}, l) {
		t.Error("a process that began at another time passes for the leader")
	}
	if _, err := (Kernel{}).Open(l); !errors.Is(err, ErrGone) {
		t.Errorf("and can be opened: %v", err)
	}
	for _, pid := range []int{0, -1, 1 << 30} {
		if _, err := (Kernel{}).Identify(pid); !errors.Is(err, ErrGone) {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

func TestOwnedBy(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	root := identify(t, child(t).Process.Pid)
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12, Gid: 12}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	other := identify(t, cmd.Process.Pid)
	for _, test := range []struct {
		l    Leader
		uid  uint32
		want bool
	}{{root, 0, true}, {root, 12, false}, {other, 12, true}, {other, 0, false}, {other, 1, false}, {Leader{other.PID, 1}, 12, false}} {
		if got := (Kernel{}).OwnedBy(test.l, test.uid); got != test.want {
			t.Errorf("%+v is %d's: %v, want %v", test.l, test.uid, got, test.want)
		}
	}
}

func TestParseStat(t *testing.T) {
	const good = "1234 (a) Z (b) S 1 1234 1234 34817 1234 0 0 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3\n"
	s, err := parseStat(good)
	if err != nil || s.start != 987654 || terminalName(s.terminal) != "pts/1" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, state := range []string{"Z", "X", "x"} {
		if _, err := parseStat(strings.Replace(good, ") S", ") "+state, 1)); !errors.Is(err, ErrGone) {
			t.Errorf("state %s: %v", state, err)
		}
	}
	for _, bad := range []string{"", "1234 (a) S 1", strings.Replace(good, "987654", "x", 1)} {
		if _, err := parseStat(bad); err == nil || errors.Is(err, ErrGone) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
