package disktest

import (
	"io/fs"
	"path"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// Stamped is an FS that tells whether a file is what was read, as the machine's does: by inode numbers, each of which a new
// file gets as soon as no other has it, and by times of change, which move in ticks of the kernel's.
type Stamped struct{ *FS }

var _ disk.Stamper = Stamped{}

const tick = 10 * time.Millisecond

// newFile is an empty one. The lock is held.
func (d *FS) newFile() *file {
	f := &file{}
	if d.Now != nil {
		f.ino = d.freeInode()
		d.touch(f)
	}
	return f
}

func (d *FS) freeInode() uint64 {
	taken := map[uint64]bool{}
	for _, t := range []tree{d.now, d.kept} {
		for _, names := range t {
			for _, f := range names {
				taken[f.ino] = true
			}
		}
	}
	ino := uint64(1)
	for taken[ino] {
		ino++
	}
	return ino
}

func (d *FS) touch(f *file) {
	if d.Now != nil {
		f.changed = d.Now().Truncate(tick)
	}
}

// ReadStamped is disk.Stamper's.
func (s Stamped) ReadStamped(name string, limit int64) ([]byte, disk.Stamp, error) {
	data, err := s.ReadFile(name, limit)
	if err != nil {
		return nil, disk.Stamp{}, err
	}
	stamp, err := s.Stamp(name)
	if err != nil || !stamp.SettledBefore(s.Now()) {
		stamp = disk.Stamp{}
	}
	return data, stamp, nil
}

// Stamp is disk.Stamper's.
func (s Stamped) Stamp(name string) (disk.Stamp, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.now[path.Dir(name)][path.Base(name)]
	if f == nil {
		return disk.Stamp{}, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return disk.Stamp{Ino: f.ino, Size: int64(len(f.now)), Ctime: unix.NsecToTimespec(f.changed.UnixNano())}, nil
}
