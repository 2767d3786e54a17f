package disk_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/disk"
)

const stranger = 54321 // a uid that is not ours

// tree makes an empty directory in a directory, and a file in it that both rules accept.
func tree(t *testing.T) (parent, file string) {
	t.Helper()
	parent = filepath.Join(t.TempDir(), "it's")
	file = filepath.Join(parent, "x")
	must(t, os.Mkdir(parent, 0o700))
	must(t, os.WriteFile(file, []byte("content"), 0o600))
	return parent, file
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Each way in which a file may not be believed: it is refused, the path at fault is named, and the mend mends.
func TestUntrusted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	both := []disk.Rule{disk.Config, disk.Secret}
	for name, tt := range map[string]struct {
		spoil   func(parent, file string) error
		rules   []disk.Rule // that refuse it
		parent  bool        // the directory is at fault
		problem string
	}{
		"readable by all":     {func(_, f string) error { return os.Chmod(f, 0o644) }, both[1:], false, "mode 0644"},
		"readable by group":   {func(_, f string) error { return os.Chmod(f, 0o640) }, both[1:], false, "mode 0640"},
		"writable by group":   {func(_, f string) error { return os.Chmod(f, 0o620) }, both, false, "mode 0620"},
		"writable by all":     {func(_, f string) error { return os.Chmod(f, 0o602) }, both, false, "mode 0602"},
		"a stranger's":        {func(_, f string) error { return os.Chown(f, stranger, 0) }, both, false, "uid 54321"},
		"symbolic link":       {linked, both, false, "symbolic link"},
		"FIFO":                {replaced(func(f string) error { return syscall.Mkfifo(f, 0o600) }), both, false, "regular file"},
		"socket":              {replaced(socket), both, false, "regular file"},
		"directory":           {replaced(func(f string) error { return os.Mkdir(f, 0o700) }), both, false, "regular file"},
		"device":              {replaced(func(f string) error { return syscall.Mknod(f, syscall.S_IFCHR|0o600, 0x103) }), both, false, "regular file"},
		"parent for group":    {func(p, _ string) error { return os.Chmod(p, 0o770) }, both, true, "mode 0770"},
		"parent for all":      {func(p, _ string) error { return os.Chmod(p, 0o777) }, both, true, "mode 0777"},
		"parent a stranger's": {func(p, _ string) error { return os.Chown(p, stranger, 0) }, both, true, "uid 54321"},
		"parent sticky, a stranger's": {func(p, _ string) error {
			return errors.Join(os.Chmod(p, 0o777|fs.ModeSticky), os.Chown(p, stranger, 0))
		}, both, true, "uid 54321"},
		"parent a link": {func(p, _ string) error { return linked("", p) }, both, true, "symbolic link"},
		"parent a file": {func(p, _ string) error {
			return errors.Join(os.RemoveAll(p), os.WriteFile(p, nil, 0o600))
		}, both, true, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, rule := range tt.rules {
				parent, file := tree(t)
				must(t, tt.spoil(parent, file))
				guilty := file
				if tt.parent {
					guilty = parent
				}
				err := inTime(t, func() error { return disk.CheckFile(file, rule) })
				var trust *disk.TrustError
				if !errors.As(err, &trust) || trust.Path != guilty || !strings.Contains(trust.Problem, tt.problem) {
					t.Fatalf("rule %d: %v, want a TrustError about %q for %q", rule, err, tt.problem, guilty)
				}
				if out, err := exec.Command("sh", "-c", trust.Mend).CombinedOutput(); err != nil {
					t.Fatalf("mend %q: %v\n%s", trust.Mend, err, out)
				}
				if err := disk.CheckFile(file, rule); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("rule %d: after %q: %v", rule, trust.Mend, err)
				}
			}
			if len(tt.rules) == 1 {
				parent, file := tree(t)
				must(t, tt.spoil(parent, file))
				must(t, disk.CheckFile(file, disk.Config))
			}
		})
	}
}

func replaced(by func(path string) error) func(string, string) error {
	return func(_, file string) error { return errors.Join(os.Remove(file), by(file)) }
}

// linked moves the thing aside and leaves a link to it.
func linked(_, file string) error {
	return errors.Join(os.Rename(file, file+".real"), os.Symlink(file+".real", file))
}

func socket(path string) error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	return l.Close()
}

// inTime fails the test where f blocks, as opening a FIFO does.
func inTime(t *testing.T, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("opening the file hangs")
		return nil
	}
}

func TestTrusted(t *testing.T) {
	parent, file := tree(t)
	must(t, os.Chmod(parent, 0o777|fs.ModeSticky)) // as /tmp
	f, err := disk.OpenTrusted(file, disk.Secret)
	must(t, err)
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "content" {
		t.Errorf("read %q, %v", got, err)
	}
	must(t, f.Close())
	must(t, disk.CheckDir(parent))
	must(t, disk.CheckDir("/"))
	// A second name for the file gives nobody a right that the file does not.
	must(t, os.Link(file, file+"2"))
	must(t, disk.CheckFile(file, disk.Secret))
}

func TestMissing(t *testing.T) {
	parent, file := tree(t)
	for _, path := range []string{file + "2", parent + "2/x"} {
		if err := disk.CheckFile(path, disk.Secret); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("CheckFile(%q) = %v, want ErrNotExist", path, err)
		}
	}
	if err := disk.CheckDir(parent + "2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CheckDir = %v, want ErrNotExist", err)
	}
}

func TestOddPaths(t *testing.T) {
	parent, _ := tree(t)
	t.Chdir(parent)
	for _, path := range []string{"x", "./x", "", ".", "/", parent + "/../it's/x", parent + "//x", parent + "/x/"} {
		if err := disk.CheckFile(path, disk.Config); err == nil {
			t.Errorf("CheckFile(%q) is content", path)
		}
		if err := new(disk.OS).WriteFile(path, nil); err == nil {
			t.Errorf("WriteFile(%q) is content", path)
		}
	}
}
