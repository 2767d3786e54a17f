package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// Open opens the ledger, and begins one where there is none. From then on nobody else has it. It fails with ErrHeld
// where another process does, with a *DamagedError, or with a *disk.TrustError.
func Open(o Options) (*Ledger, error) {
	path := o.Root.LedgerFile()
	if err := makeRuntime(filepath.Dir(path)); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(o.Wait)
	for {
		l, err := openExisting(o, path, deadline)
		if errors.Is(err, fs.ErrNotExist) {
			l, err = begin(o, path, nil, deadline)
		}
		if !errors.Is(err, errMoved) {
			return l, err
		}
	}
}

// makeRuntime makes the runtime directory where systemd has not. Unlike the ledger, the sockets in it are for everybody.
func makeRuntime(dir string) error {
	err := disk.CheckDir(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask of who logs somebody in
		return err
	}
	return disk.CheckDir(dir)
}

func openExisting(o Options, path string, deadline time.Time) (*Ledger, error) {
	f, err := acquire(path, 0, deadline)
	if err != nil {
		return nil, err
	}
	h, err := checkFile(f)
	if err != nil {
		_ = f.Close()
		return nil, damaged(path, err)
	}
	if boot := bootID(); h.Boot != boot && h.Boot != "" && boot != "" {
		// Not every /run is a tmpfs. A file that nobody syncs says nothing reliable after the machine has stopped.
		o.warn("%q is of another boot; a new ledger begins", path)
		return begin(o, path, f, deadline)
	}
	l, err := newLedger(o, path, f)
	if err != nil {
		return nil, damaged(path, err)
	}
	l.quarantine, l.head = h.Quarantine, h
	err = l.orClose(func() error {
		if err := l.upgrade(); err != nil {
			return fmt.Errorf("the ledger of an earlier version: %w", err)
		}
		l.outdateClean()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// orClose closes the ledger where fn fails, or is left by a panic: whoever cannot use it must not hold its lock.
func (l *Ledger) orClose(fn func() error) error {
	kept := false
	defer func() {
		if !kept {
			_ = l.Close()
		}
	}()
	err := fn()
	kept = err == nil
	return err
}

// begin makes a new ledger, under another name until it is whole: no ledger is ever there without the quarantine or the
// used codes that belong into it. The lock comes along with the file. outdated, if any, is the locked file that it
// replaces.
func begin(o Options, path string, outdated *os.File, deadline time.Time) (*Ledger, error) {
	if outdated != nil {
		defer func() { _ = outdated.Close() }()
	}
	unborn := path + ".new"
	f, err := acquire(unborn, os.O_CREATE, deadline)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); outdated == nil && !errors.Is(err, fs.ErrNotExist) {
		_ = f.Close()
		if err == nil {
			err = errMoved // somebody was quicker
		}
		return nil, err
	}
	if err := f.Truncate(0); err != nil { // of an attempt that was killed
		_ = f.Close()
		return nil, err
	}
	l, err := newLedger(o, path, f)
	if err != nil {
		return nil, fmt.Errorf("beginning the ledger: %w", err)
	}
	err = l.orClose(func() error {
		if err := l.restore(); err != nil {
			return err
		}
		return os.Rename(unborn, path)
	})
	if err != nil {
		return nil, fmt.Errorf("beginning the ledger: %w", err)
	}
	return l, nil
}

// errMoved says that the file was renamed or removed while its lock was waited for.
var errMoved = errors.New("the file was replaced")

// acquire opens a file that is root's alone and waits for its lock. bbolt takes the same lock (flock(2)) once more, on the
// same open file, which is no change.
func acquire(path string, flag int, deadline time.Time) (*os.File, error) {
	err := disk.CheckFile(path, disk.Secret)
	if err != nil && !(flag&os.O_CREATE != 0 && errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err = lock(f, deadline); err == nil {
		err = stillThere(f, path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func lock(f *os.File, deadline time.Time) error {
	const pause = 2 * time.Millisecond // who logs somebody in while the daemon is away has it for about as long
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err != unix.EWOULDBLOCK && err != unix.EINTR:
			return &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
		case !time.Now().Before(deadline):
			return ErrHeld
		}
		time.Sleep(pause)
	}
}

func stillThere(f *os.File, path string) error {
	opened, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(opened, named) {
		return errMoved
	}
	return err
}

// checkFile is check on a locked file.
func checkFile(f *os.File) (h head, err error) {
	info, err := f.Stat()
	if err != nil {
		return h, err
	}
	if info.Size() == 0 {
		return h, errors.New("it is empty")
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return h, os.NewSyscallError("mmap", err)
	}
	defer func() { _ = unix.Munmap(data) }()
	err = shielded(func() (err error) {
		h, err = check(data)
		return err
	})
	var broken fault
	if errors.As(err, &broken) {
		err = errors.New("its pages do not hold together")
	}
	return h, err
}

// newLedger hands the locked file to bbolt; an empty one becomes a ledger without a head.
func newLedger(o Options, path string, f *os.File) (*Ledger, error) {
	l := &Ledger{options: o, path: path, file: f}
	err := shielded(func() (err error) {
		l.db, err = bbolt.Open(f.Name(), 0o600, &bbolt.Options{
			OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return f, nil },
			Timeout:      time.Nanosecond, // the lock is ours already
			NoSync:       true,
			NoGrowSync:   true,
			FreelistType: bbolt.FreelistMapType,
			NoStatistics: true,
		})
		return err
	})
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return l, nil
}

// bootID names the time from one start of the kernel to the next (random(4)); empty: unknown, as where /proc is hidden.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
