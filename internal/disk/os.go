package disk

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// OS is the machine's disk. It trusts root and the process's effective user. A process makes one: new(OS).
type OS struct {
	mu   sync.RWMutex
	held heldDir // the directory of the last ReadFile
}

var _ FS = (*OS)(nil)

// ReadFile is on the way of every login, and the walk from / is most of its cost (five directories deep 15 of 20 µs, measured).
// So it keeps the directory that it read from last.
func (o *OS) ReadFile(path string, limit int64) ([]byte, error) {
	data, _, err := o.ReadStamped(path, limit)
	return data, err
}

// ReadStamped is ReadFile with the file's stamp.
func (o *OS) ReadStamped(path string, limit int64) ([]byte, Stamp, error) {
	before := time.Now()
	f, st, err := o.open(path)
	if err != nil {
		return nil, Stamp{}, err
	}
	stamp := stampOf(st)
	if !stamp.SettledBefore(before) {
		stamp = Stamp{}
	}
	defer func() { _ = unix.Close(f) }()
	if st.Size > limit {
		return nil, Stamp{}, &fs.PathError{Op: "read", Path: path, Err: ErrTooLarge}
	}
	data := make([]byte, st.Size+1) // room to notice that there is more
	n, err := readAtLeast(f, data, int(st.Size))
	switch {
	case err != nil:
		return nil, Stamp{}, &fs.PathError{Op: "read", Path: path, Err: err}
	case n != int(st.Size):
		return nil, Stamp{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("file changed while it was read")}
	}
	return data[:n], stamp, nil
}

func (o *OS) open(path string) (int, *unix.Stat_t, error) {
	dir := filepath.Dir(path)
	o.mu.RLock()
	if o.held.isAt(dir) {
		defer o.mu.RUnlock()
		return openFile(o.held.fd(), path, Secret)
	}
	o.mu.RUnlock()

	fd, err := openParent(path, unix.O_PATH)
	if err != nil {
		return -1, nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held.replace(fd, dir)
	return openFile(fd, path, Secret)
}

// heldDir is a directory that was reached by a checked walk.
type heldDir struct {
	file *os.File
	st   unix.Stat_t
}

// isAt reports whether the path leads to this directory still, and whether the directory is still to be believed.
// The directories above it need no second look: who may write those can put another directory in its place, which
// shows here, but cannot change what is in this one.
func (h *heldDir) isAt(path string) bool {
	if h.file == nil || h.file.Name() != path {
		return false
	}
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	return err == nil && st.Dev == h.st.Dev && st.Ino == h.st.Ino && judgeDir(&st, path) == nil
}

func (h *heldDir) fd() int { return int(h.file.Fd()) }

func (h *heldDir) replace(fd int, path string) {
	if h.file != nil {
		_ = h.file.Close()
	}
	h.file = os.NewFile(uintptr(fd), path)
	h.st = unix.Stat_t{}
	_ = unix.Fstat(fd, &h.st) // zeros are no directory's: the next read walks again
}

// readAtLeast reads once, and on until n bytes are there or the file ends.
func readAtLeast(fd int, data []byte, n int) (int, error) {
	for done := 0; ; {
		m, err := unix.Read(fd, data[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += m
		if m == 0 || done >= n {
			return done, nil
		}
	}
}

func (*OS) WriteFile(path string, data []byte) error { return write(path, data, 0o600) }

// WriteConfig is WriteFile for what others may read, and makes the directory where it is missing.
func (*OS) WriteConfig(path string, data []byte) error {
	if err := mkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return write(path, data, 0o644)
}

func write(path string, data []byte, mode uint32) error {
	d, err := openKernelParent(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	d.mode = mode
	return Replace(d, filepath.Base(path), data)
}

func (*OS) Remove(path string) error {
	d, err := openKernelParent(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return Discard(d, filepath.Base(path))
}

func (*OS) Rename(from, to string) error {
	source, err := openKernelParent(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := openKernelParent(to)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }()
	return Move(source, filepath.Base(from), target, filepath.Base(to))
}

func (*OS) ReadDir(path string) iter.Seq2[string, error] {
	const batch = 1024
	return func(yield func(string, error) bool) {
		fd, err := openDir(path, unix.O_RDONLY)
		if err != nil {
			yield("", err)
			return
		}
		f := os.NewFile(uintptr(fd), path)
		defer func() { _ = f.Close() }()
		for {
			names, err := f.Readdirnames(batch)
			for _, name := range names {
				if !yield(name, nil) {
					return
				}
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield("", err)
				return
			}
		}
	}
}

func (*OS) MkdirAll(path string) error { return mkdirAll(path, 0o700) }

func mkdirAll(path string, mode uint32) error {
	err := CheckDir(path)
	if !errors.Is(err, fs.ErrNotExist) || path == "/" {
		return err
	}
	if err := mkdirAll(filepath.Dir(path), mode); err != nil {
		return err
	}
	d, err := openKernelParent(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	err = unix.Mkdirat(d.fd, filepath.Base(path), mode)
	if err != nil && err != unix.EEXIST {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	if err := d.Sync(); err != nil {
		return err
	}
	return CheckDir(path)
}

// kernelDir is a Dir by descriptor.
type kernelDir struct {
	fd   int
	path string
	mode uint32 // of files that are made in it
}

// openKernelParent opens the directory that the path's last step is in.
func openKernelParent(path string) (*kernelDir, error) {
	fd, err := openParent(path, unix.O_RDONLY) // fsync wants more than O_PATH
	if err != nil {
		return nil, err
	}
	return &kernelDir{fd, filepath.Dir(path), 0o600}, nil
}

func (d *kernelDir) Create(name string) (File, error) {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(d.fd, name, flags, d.mode)
	if err != nil {
		return nil, d.fail("create", name, err)
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

func (d *kernelDir) Rename(name string, to Dir, newName string) error {
	target, ok := to.(*kernelDir)
	if !ok {
		return d.fail("rename", name, errors.ErrUnsupported)
	}
	return d.fail("rename", newName, unix.Renameat(d.fd, name, target.fd, newName))
}

func (d *kernelDir) Remove(name string) error {
	return d.fail("remove", name, unix.Unlinkat(d.fd, name, 0))
}

func (d *kernelDir) Sync() error {
	for {
		if err := unix.Fsync(d.fd); err != unix.EINTR {
			return d.fail("sync", "", err)
		}
	}
}

func (d *kernelDir) Close() error { return unix.Close(d.fd) }

func (d *kernelDir) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}
