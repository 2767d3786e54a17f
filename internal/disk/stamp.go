package disk

import (
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Stamper is an FS that can tell for little whether a file is still what was read.
type Stamper interface {
	// ReadStamped is ReadFile, and gives the stamp that the file has as long as nobody touches it; the zero Stamp where a
	// touch might not show.
	ReadStamped(path string, limit int64) ([]byte, Stamp, error)
	// Stamp is the file's stamp. It fails where ReadFile would for what the file is, or where it is.
	Stamp(path string) (Stamp, error)
}

var _ Stamper = (*OS)(nil)

// Stamp tells two states of a file apart: which one it is, whose, for whom, how long, and since when. The time of change
// (inode(7), ctime) moves with each write, chmod, chown and rename, and cannot be set, but with the clock.
type Stamp struct {
	Dev, Ino     uint64
	Size         int64
	Mtime, Ctime unix.Timespec
	UID, Mode    uint32
}

// settles is by how much a file must be older than the look at it: two changes within one tick of the kernel's clock (at
// most 10 ms) leave the same times.
const settles = 50 * time.Millisecond

func stampOf(st *unix.Stat_t) Stamp {
	return Stamp{st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim, st.Uid, st.Mode}
}

// SettledBefore reports whether a change after now would show. After the clock was set back it might not.
func (s Stamp) SettledBefore(now time.Time) bool {
	return now.Sub(time.Unix(s.Ctime.Unix())) >= settles
}

// Stamp looks at the file where it is, in the directory that was read from last, if that is its directory still.
func (o *OS) Stamp(path string) (Stamp, error) {
	var st unix.Stat_t
	ok, err := o.statHeld(path, &st)
	if !ok {
		var fd int
		var opened *unix.Stat_t
		if fd, opened, err = o.open(path); err != nil {
			return Stamp{}, err
		}
		return stampOf(opened), unix.Close(fd)
	}
	if err == nil {
		err = judgeFile(&st, path, Secret)
	}
	if err != nil {
		return Stamp{}, err
	}
	return stampOf(&st), nil
}

// statHeld is fstatat(2) in the held directory; ok is false where that is not the path's.
func (o *OS) statHeld(path string, st *unix.Stat_t) (ok bool, err error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if !o.held.isAt(filepath.Dir(path)) {
		return false, nil
	}
	if err := unix.Fstatat(o.held.fd(), filepath.Base(path), st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return true, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return true, nil
}
