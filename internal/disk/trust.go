package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Rule says who else may do what with a file. Under every rule the file is a regular one (no link, device or FIFO), its
// owner is root or the process's effective user, and so is that of each directory above it; others may not write
// any of them, sticky directories such as /tmp aside (there they cannot touch what is not theirs). The bits of a POSIX
// access list show in the group's bits, so they need no look of their own.
type Rule int

const (
	Config Rule = iota // others may read it
	Secret             // nobody else may read it
)

// TrustError says that a file or a directory above it is open to somebody who could put words into root's mouth.
type TrustError struct {
	Path    string
	Problem string // what is wrong, as in "PATH " + Problem
	Mend    string // the command for root's shell that puts it right
}

func (e *TrustError) Error() string {
	return fmt.Sprintf("%q %s; run: %s", e.Path, e.Problem, e.Mend)
}

// OpenTrusted opens a file for reading and checks the opened file, and each directory that led to it, by the rule. The
// error is a *TrustError, or a *fs.PathError such as fs.ErrNotExist.
func OpenTrusted(path string, rule Rule) (*os.File, error) {
	dir, err := openParent(path, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(dir) }()
	fd, _, err := openFile(dir, path, rule)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// CheckFile is OpenTrusted for who needs only the answer.
func CheckFile(path string, rule Rule) error {
	f, err := OpenTrusted(path, rule)
	if err != nil {
		return err
	}
	return f.Close()
}

// CheckDir checks a directory and those above it.
func CheckDir(path string) error {
	fd, err := openDir(path, unix.O_PATH)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// openFile opens the last step of the path in dir. It does not block, so that a FIFO in the file's place does not hold
// a login up; for a regular file that makes no difference.
func openFile(dir int, path string, rule Rule) (int, *unix.Stat_t, error) {
	fd, err := openAt(dir, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if errors.Is(err, unix.ENXIO) { // a socket
		return -1, nil, notRegular(path)
	}
	if err != nil {
		return -1, nil, err
	}
	st, err := checkFile(fd, path, rule)
	if err != nil {
		_ = unix.Close(fd)
		return -1, nil, err
	}
	return fd, st, nil
}

// openDir opens a directory with the flags given and checks it and all above it. To pass through those, search
// permission is enough.
func openDir(path string, flags int) (int, error) {
	above := unix.AT_FDCWD
	if path != "/" {
		parent, err := openParent(path, unix.O_PATH)
		if err != nil {
			return -1, err
		}
		defer func() { _ = unix.Close(parent) }()
		above = parent
	}
	fd, err := openAt(above, path, flags|unix.O_DIRECTORY)
	if err != nil {
		return -1, err
	}
	if err := checkDir(fd, path); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// openParent opens the directory that the path's last step is in.
func openParent(path string, flags int) (int, error) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return -1, &fs.PathError{Op: "open", Path: path, Err: errors.New("path must be absolute, clean and below /")}
	}
	return openDir(filepath.Dir(path), flags)
}

// openAt opens the last step of the path in dir. A symbolic link is a *TrustError: who wrote it does not answer for
// what it leads to.
func openAt(dir int, path string, flags int) (int, error) {
	name := filepath.Base(path)
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		switch err {
		case nil:
			return fd, nil
		case unix.EINTR:
			continue
		case unix.ELOOP, unix.ENOTDIR: // link or not; with O_DIRECTORY both are ENOTDIR
			return -1, notDirect(dir, path)
		}
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
}

func notDirect(dir int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, filepath.Base(path), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		q := Quote(path)
		return &TrustError{path, "is a symbolic link: the thing itself must be there",
			fmt.Sprintf(`t=$(readlink -f %s) && rm %s && cp -a "$t" %s`, q, q, q)}
	}
	return &TrustError{path, "is not a directory", aside(path)}
}

func checkDir(fd int, path string) error {
	st, err := status(fd, path)
	if err != nil {
		return err
	}
	return judgeDir(st, path)
}

func judgeDir(st *unix.Stat_t, path string) error {
	if err := checkOwner(st, path); err != nil {
		return err
	}
	if st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0 {
		return &TrustError{path, fmt.Sprintf("has mode %04o: others may change what is in it", st.Mode&0o7777), "chmod go-w " + Quote(path)}
	}
	return nil
}

func checkFile(fd int, path string, rule Rule) (*unix.Stat_t, error) {
	st, err := status(fd, path)
	if err != nil {
		return nil, err
	}
	if err := judgeFile(st, path, rule); err != nil {
		return nil, err
	}
	return st, nil
}

func judgeFile(st *unix.Stat_t, path string, rule Rule) error {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return notRegular(path)
	}
	if err := checkOwner(st, path); err != nil {
		return err
	}
	mode := st.Mode & 0o7777
	switch {
	case rule == Config && mode&0o022 != 0:
		return &TrustError{path, fmt.Sprintf("has mode %04o: others may write it", mode), "chmod go-w " + Quote(path)}
	case rule != Config && mode&0o077 != 0:
		return &TrustError{path, fmt.Sprintf("has mode %04o: others may read or write it", mode), "chmod 0600 " + Quote(path)}
	}
	return nil
}

func checkOwner(st *unix.Stat_t, path string) error {
	if st.Uid == 0 || int(st.Uid) == os.Geteuid() {
		return nil
	}
	return &TrustError{path, fmt.Sprintf("belongs to uid %d: it must be root's", st.Uid), "chown root:root " + Quote(path)}
}

func status(fd int, path string) (*unix.Stat_t, error) {
	st := new(unix.Stat_t)
	if err := unix.Fstat(fd, st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return st, nil
}

func notRegular(path string) error {
	return &TrustError{path, "is not a regular file", aside(path)}
}

func aside(path string) string { return "mv " + Quote(path) + " " + Quote(path+".aside") }

// Quote makes one word of a path for a POSIX shell.
func Quote(path string) string {
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
