package ledger

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

func TestModes(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	root := newRoot(t)
	mustOpen(t, root, start, &disktest.FS{})
	for path, want := range map[string]fs.FileMode{root.Runtime(): 0o755 | fs.ModeDir, root.LedgerFile(): 0o600} {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %s instead of %s", path, info.Mode(), want)
		}
	}
	entries, err := os.ReadDir(root.Runtime())
	if err != nil || len(entries) != 1 {
		t.Errorf("%s has %v, %v", root.Runtime(), entries, err)
	}
}

func TestHeld(t *testing.T) {
	root := newRoot(t)
	holder := mustOpen(t, root, start, &disktest.FS{})
	for _, wait := range []time.Duration{0, 300 * time.Millisecond} {
		began := time.Now()
		_, err := Open(Options{Root: root, FS: &disktest.FS{}, Now: start, Wait: wait})
		if !errors.Is(err, ErrHeld) {
			t.Fatalf("a held ledger: %v", err)
		}
		if took := time.Since(began); took < wait {
			t.Errorf("asked to wait for %s, it waited for %s", wait, took)
		}
	}
	opened := make(chan error)
	go func() {
		l, err := Open(Options{Root: root, FS: &disktest.FS{}, Now: start, Wait: time.Minute})
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("after the lock was given up: %v", err)
	}
}

// TestReplacedWhileWaiting: who waits for the lock of a file that is then removed does not end up with that file.
func TestReplacedWhileWaiting(t *testing.T) {
	root := newRoot(t)
	first := mustOpen(t, root, start, &disktest.FS{})
	opened := make(chan *Ledger)
	go func() {
		l, err := Open(Options{Root: root, FS: &disktest.FS{}, Now: start, Wait: time.Minute})
		if err != nil {
			t.Error(err)
		}
		opened <- l
	}()
	for deadline := time.Now().Add(30 * time.Second); descriptors(t, root.LedgerFile()) < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the lock")
		}
	}
	if err := os.Remove(root.LedgerFile()); err != nil {
		t.Fatal(err)
	}
	second := mustOpen(t, root, start.Add(time.Hour), &disktest.FS{})
	if !second.Quarantine().Equal(start.Add(time.Hour)) {
		t.Error("a ledger that begins anew has no quarantine")
	}
	mustPut(t, second, "alice", used(1))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	l := <-opened
	if mustGet(t, l, "alice").empty() {
		t.Error("it has the file that was removed")
	}
	_ = l.Close()
}

// descriptors is how many descriptors of this process lead to the path.
func descriptors(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && target == path {
			n++
		}
	}
	return n
}

// TestBeginAgain: whatever a killed attempt to begin a ledger has left, the next one begins at nothing, and never replaces
// a ledger that is there.
func TestBeginAgain(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	mustPut(t, l, "alice", used(1))
	_ = l.Close()
	file, err := os.ReadFile(root.LedgerFile())
	if err != nil {
		t.Fatal(err)
	}
	_, err = begin(Options{Root: root, FS: &disktest.FS{}, Now: start}, root.LedgerFile(), nil, time.Now())
	if !errors.Is(err, errMoved) {
		t.Errorf("beginning a second ledger: %v", err)
	}
	for name, leftover := range map[string][]byte{"a ledger": file, "half of one": file[:len(file)/2], "a page": file[:100], "noise": []byte("noise")} {
		if err := os.RemoveAll(root.Runtime()); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(root.Runtime(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root.LedgerFile()+".new", leftover, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := tryOpen(t, root, start.Add(time.Minute), &disktest.FS{})
		if err != nil {
			t.Errorf("%s was left: %v", name, err)
			continue
		}
		if !mustGet(t, l, "alice").empty() || !l.Quarantine().Equal(start.Add(time.Minute)) {
			t.Errorf("%s was left, and is used", name)
		}
		_ = l.Close()
	}
}

func TestTrust(t *testing.T) {
	other := "/dev/shm"
	for name, spoil := range map[string]func(root disk.Root) error{
		"readable by others": func(r disk.Root) error { return os.Chmod(r.LedgerFile(), 0o644) },
		"another owner":      func(r disk.Root) error { return os.Chown(r.LedgerFile(), 1000, 1000) },
		"a symbolic link": func(r disk.Root) error {
			return errors.Join(os.Rename(r.LedgerFile(), r.LedgerFile()+"2"), os.Symlink(r.LedgerFile()+"2", r.LedgerFile()))
		},
		"a FIFO": func(r disk.Root) error {
			return errors.Join(os.Remove(r.LedgerFile()), unix.Mkfifo(r.LedgerFile(), 0o600))
		},
		"a directory": func(r disk.Root) error {
			return errors.Join(os.Remove(r.LedgerFile()), os.Mkdir(r.LedgerFile(), 0o700))
		},
		"in a directory that others may write": func(r disk.Root) error { return os.Chmod(r.Runtime(), 0o777) },
		"in another's directory":               func(r disk.Root) error { return os.Chown(r.Runtime(), 1000, 1000) },
		"below a directory that others may write": func(r disk.Root) error {
			return os.Chmod(filepath.Dir(r.Runtime()), 0o777)
		},
		"new, and somebody has put a link there": func(r disk.Root) error {
			return errors.Join(os.Remove(r.LedgerFile()), os.Symlink(other, r.LedgerFile()+".new"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			if err := mustOpen(t, root, start, &disktest.FS{}).Close(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(root); err != nil {
				t.Fatal(err)
			}
			_, err := tryOpen(t, root, start, &disktest.FS{})
			var trust *disk.TrustError
			if !errors.As(err, &trust) || trust.Mend == "" {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestReadOnlyRuntime: where no ledger can be begun, none is opened.
func TestReadOnlyRuntime(t *testing.T) {
	if !disktest.InMountNamespace(t) {
		return
	}
	dir := t.TempDir()
	disktest.Tmpfs(t, dir, "1m")
	if err := os.Mkdir(dir+"/run", 0o755); err != nil {
		t.Fatal(err)
	}
	disktest.ReadOnly(t, dir)
	if _, err := tryOpen(t, disk.Root(dir), start, &disktest.FS{}); !errors.Is(err, unix.EROFS) {
		t.Errorf("%v", err)
	}
}

const processesVariable = "SALLYPORT_TEST_LEDGER"

// TestOneVerifierAtATime has many processes begin, open, count in and close one ledger: no count is lost.
func TestOneVerifierAtATime(t *testing.T) {
	const processes, rounds = 8, 40
	if dir := os.Getenv(processesVariable); dir != "" {
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // all begin at once
		for range rounds {
			l, err := Open(Options{Root: disk.Root(dir), FS: new(disk.OS), Now: start, Wait: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			a := mustGet(t, l, "alice")
			n := int64(0)
			if u := a.Tokens[token]; u != nil {
				n = u.Steps[0]
			}
			a.Tokens[token] = &TokenUse{Steps: []int64{n + 1}}
			mustPut(t, l, "alice", a)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	root := newRoot(t)
	var children []*exec.Cmd
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for range processes {
		c := exec.Command("/proc/self/exe", "-test.run=^TestOneVerifierAtATime$")
		c.Env = append(os.Environ(), processesVariable+"="+string(root))
		c.Stdin = reader
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children = append(children, c)
	}
	_ = reader.Close()
	_ = writer.Close()
	for _, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("a process: %v", err)
		}
	}
	l := mustOpen(t, root, start, &disktest.FS{})
	if got := mustGet(t, l, "alice").Tokens[token].Steps[0]; got != processes*rounds {
		t.Errorf("%d were counted instead of %d", got, processes*rounds)
	}
}
