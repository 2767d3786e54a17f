package disktest

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const childVariable = "SALLYPORT_TEST_CHILD"

// InChild runs the calling test again in a process of its own, where it may do what cannot be undone, and returns true
// there. In the parent it returns false when the child has passed, and fails the test otherwise.
func InChild(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(childVariable) == t.Name() {
		return true
	}
	child := exec.Command("/proc/self/exe", "-test.v", "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"="+t.Name())
	child.SysProcAttr = attr
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in the child process: %v\n%s", err, out)
	}
	return false
}

// InMountNamespace is InChild with mounts that nobody else sees.
func InMountNamespace(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	if !InChild(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}) {
		return false
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("making mounts private: %v", err)
	}
	return true
}

// Tmpfs mounts a file system of the size ("64k") on the directory, for a test inside InMountNamespace.
func Tmpfs(t *testing.T, dir, size string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, "mode=0755,size="+size); err != nil {
		t.Fatalf("mounting a tmpfs on %q: %v", dir, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// ReadOnly makes what Tmpfs mounted read-only.
func ReadOnly(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatalf("making %q read-only: %v", dir, err)
	}
}
