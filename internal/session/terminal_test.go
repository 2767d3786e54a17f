package session

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
)

// pty is a pseudo-terminal: its master, and its name below /dev.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("pts/%d", n)
}

func TestTerminalsOfDescendants(t *testing.T) {
	_, name := pty(t)
	slave, err := os.OpenFile("/dev/"+name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	// As sshd: the leader has no terminal, a shell below it does.
	cmd := exec.Command("sh", "-c", "setsid -c sleep 600 <&1 & wait")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL); _ = cmd.Wait() })
	l := identify(t, cmd.Process.Pid)
	eventually(t, "the shell's terminal is found", func() bool { return slices.Equal(Kernel{}.Terminals(l), []string{name}) })
	l.Start++
	if got := (Kernel{}).Terminals(l); got != nil {
		t.Errorf("another process's terminals: %v", got)
	}
}

func TestPAMTerminal(t *testing.T) {
	for tty, want := range map[string]string{
		"tty1": "tty1", "/dev/tty1": "tty1", "pts/3": "pts/3", "/dev/pts/3": "pts/3",
		"": "", "ssh": "", ":0": "", "tty": "", "ttyS0": "", "pts/": "", "pts/-1": "", "pts/03": "", "pts/../tty1": "", "/dev//dev/tty1": "", "/dev/../etc/passwd": "",
	} {
		if got := PAMTerminal(tty); got != want {
			t.Errorf("%q is %q, want %q", tty, got, want)
		}
	}
	w := ledger.Window{PID: os.Getpid(), TTY: "tty3"}
	if got := Terminals(Kernel{}, w); !slices.Equal(got, []string{"tty3"}) {
		t.Errorf("what PAM was told: %v", got)
	}
}

func TestTell(t *testing.T) {
	master, name := pty(t)
	uid := uint32(os.Getuid())
	Tell([]string{name, "../etc/passwd", "null"}, uid, "Taken over.\x1b[2J\n")
	buffer := make([]byte, 256)
	n, err := master.Read(buffer)
	if got := string(buffer[:n]); err != nil || !strings.Contains(got, "Taken over.[2J") || strings.Contains(got, "\x1b") {
		t.Errorf("on the terminal: %q, %v", got, err)
	}
}

// TestTellOthers are what must not be written to.
func TestTellOthers(t *testing.T) {
	master, name := pty(t)
	uid := uint32(os.Getuid())
	dir := t.TempDir()
	file, link, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/"+name, link); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{"a file": file, "a link": link, "a pipe": fifo, "another device": "/dev/null", "nothing": dir + "/none"} {
		if err := tell(path, uid, "x"); err == nil {
			t.Errorf("%s is written to", what)
		}
	}
	if err := tell("/dev/"+name, uid+1, "x"); err == nil {
		t.Error("another's terminal is written to")
	}
	// A terminal that is stopped, and full: nobody waits for it.
	for range 1000 {
		if tell("/dev/"+name, uid, strings.Repeat("x", 500)) != nil {
			break
		}
	}
	_ = master
}
