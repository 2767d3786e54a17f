package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// Saved is what is kept of a change until it is undone: /var/lib/sallyport/setup/TARGET.json, and the files as they were
// beside it, byte for byte.
type Saved struct {
	ID        string     `json:"id"`
	Applied   time.Time  `json:"applied"`
	ConfirmBy *time.Time `json:"confirm_by,omitempty"` // absent: it stays by itself
	Confirmed bool       `json:"confirmed"`
	Boot      string     `json:"boot"`  // the kernel's boot_id
	Since     int64      `json:"since"` // nanoseconds of CLOCK_BOOTTIME when it was in place
	Files     []kept     `json:"files"`
}

// kept is one file of a change.
type kept struct {
	Path    string      `json:"path"`
	Existed bool        `json:"existed"`
	Mode    fs.FileMode `json:"mode"`
	UID     int         `json:"uid"`
	GID     int         `json:"gid"`
	Before  string      `json:"before"` // SHA-256
	After   string      `json:"after"`
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func (s Setup) dir() string { return filepath.Join(s.Root.State(), "setup") }

func (s Setup) savedPath() string { return filepath.Join(s.dir(), string(s.Target)+".json") }

func (s Setup) originalPath(i int) string {
	return filepath.Join(s.dir(), fmt.Sprintf("%s.original-%d", s.Target, i))
}

// maxSaved is more than a configuration file has, in bytes.
const maxSaved = 1 << 20

// Saved is the change that is in place; nil: there is none of ours.
func (s Setup) Saved() (*Saved, error) {
	data, err := new(disk.OS).ReadFile(s.savedPath(), maxSaved)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := new(Saved)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", s.savedPath(), err)
	}
	return v, nil
}

// save writes the originals first: a TARGET.json has them all.
func (s Setup) save(v *Saved, changes []Change) error {
	files := new(disk.OS)
	if err := files.MkdirAll(s.dir()); err != nil {
		return err
	}
	for i, c := range changes {
		if len(c.Before) > maxSaved {
			return fmt.Errorf("%s is too large to be kept", c.Path)
		}
		if err := files.WriteFile(s.originalPath(i), c.Before); err != nil {
			return err
		}
		v.Files = append(v.Files, kept{c.Path, c.Existed, c.Mode, c.UID, c.GID, sum(c.Before), sum(c.After)})
	}
	return s.store(v)
}

func (s Setup) store(v *Saved) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return new(disk.OS).WriteFile(s.savedPath(), append(data, '\n'))
}

// forget removes what was kept, the TARGET.json first.
func (s Setup) forget(v *Saved) error {
	files := new(disk.OS)
	if err := files.Remove(s.savedPath()); err != nil {
		return err
	}
	for i := range v.Files {
		if err := files.Remove(s.originalPath(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lock keeps others from changing anything meanwhile: the rollback, and another sallyportctl.
func (s Setup) lock() (unlock func(), err error) {
	if err := new(disk.OS).MkdirAll(s.dir()); err != nil {
		return nil, err
	}
	f, err := os.Open(s.dir())
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("locking %s: %w", s.dir(), err)
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}

// replace puts a file in place, so that its name leads to the old content or the new.
func replace(path string, data []byte, mode fs.FileMode, uid, gid int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sallyport-*") // no *.conf, and no service's name
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone, when it was renamed
	_, err = f.Write(data)
	err = errors.Join(err, f.Chown(uid, gid), f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
