package disk_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

func content(t *testing.T, dir string) string {
	t.Helper()
	got, err := new(disk.OS).ReadFile(filepath.Join(dir, "x"), 1<<20)
	must(t, err)
	return string(got)
}

func TestFullDisk(t *testing.T) {
	if !disktest.InMountNamespace(t) {
		return
	}
	dir := t.TempDir()
	disktest.Tmpfs(t, dir, "64k")
	d, file := new(disk.OS), filepath.Join(dir, "x")
	must(t, d.WriteFile(file, []byte("old")))
	err := d.WriteFile(file, bytes.Repeat([]byte("n"), 128<<10))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WriteFile on a full disk = %v", err)
	}
	if got, all := content(t, dir), names(t, dir); got != "old" || !slices.Equal(all, []string{"x"}) {
		t.Errorf("afterwards the file holds %q, the directory %q", got, all)
	}
	if err := d.WriteFile(file, []byte("new")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	if !disktest.InMountNamespace(t) {
		return
	}
	dir := t.TempDir()
	disktest.Tmpfs(t, dir, "64k")
	d, file := new(disk.OS), filepath.Join(dir, "x")
	must(t, d.WriteFile(file, []byte("old")))
	disktest.ReadOnly(t, dir)
	for name, err := range map[string]error{
		"WriteFile": d.WriteFile(file, []byte("new")),
		"Remove":    d.Remove(file),
		"Rename":    d.Rename(file, file+"2"),
		"MkdirAll":  d.MkdirAll(dir + "/d"),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s on a read-only disk = %v", name, err)
		}
	}
	if got, all := content(t, dir), names(t, dir); got != "old" || !slices.Equal(all, []string{"x"}) {
		t.Errorf("afterwards the file holds %q, the directory %q", got, all)
	}
}

// The kernel is made to fail each of the two syncs, which also shows that they are asked for.
func TestFailingFsyncOfFile(t *testing.T) {
	if !disktest.InChild(t, nil) {
		return
	}
	dir, directory := syncTree(t)
	failFsync(t, func(fd int) bool { return fd != directory })
	if err := new(disk.OS).WriteFile(filepath.Join(dir, "x"), []byte("new")); !errors.Is(err, syscall.EIO) {
		t.Errorf("WriteFile = %v", err)
	}
	if got, all := content(t, dir), names(t, dir); got != "old" || !slices.Equal(all, []string{"x"}) {
		t.Errorf("afterwards the file holds %q, the directory %q", got, all)
	}
}

func TestFailingFsyncOfDirectory(t *testing.T) {
	if !disktest.InChild(t, nil) {
		return
	}
	dir, directory := syncTree(t)
	failFsync(t, func(fd int) bool { return fd == directory })
	d, file := new(disk.OS), filepath.Join(dir, "x")
	for name, err := range map[string]error{
		"WriteFile": d.WriteFile(file, []byte("new")),
		"MkdirAll":  d.MkdirAll(dir + "/d"),
	} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s = %v", name, err)
		}
	}
	if err := d.Remove(file); !errors.Is(err, syscall.EIO) {
		t.Errorf("Remove = %v", err)
	}
}

// syncTree makes a directory with a file in it, and tells which descriptor the directory will have when it is synced.
func syncTree(t *testing.T) (dir string, fd int) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, "x")
	must(t, new(disk.OS).WriteFile(file, []byte("old")))
	fd, err := disk.DescriptorToSync(file)
	must(t, err)
	return dir, fd
}

// failFsync makes the kernel answer EIO to fsync of the descriptors chosen, for the rest of the process's life.
func failFsync(t *testing.T, chosen func(fd int) bool) {
	t.Helper()
	const descriptors = 64
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the system call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_FSYNC, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}} // the low half of its first argument
	for fd := range descriptors {
		if chosen(fd) {
			program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(fd), Jf: 1},
				unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)})
		}
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(program)
	if errno != 0 {
		t.Fatalf("seccomp: %v", errno)
	}
}
