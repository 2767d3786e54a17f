// Package disk is the files that must be believed: what is read was written by root only, and what is written is
// there after a power loss.
//
// Every path is absolute and clean. Each directory on the way to a file is opened by descriptor, without following
// symbolic links, and checked on that descriptor; so what was checked is what is used.
package disk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
)

// FS is what the vault and the saved ledger need of a disk. OS is the machine's; disktest.FS forgets what was not
// synced, and fails when told to. A missing file is fs.ErrNotExist. It is safe for concurrent use.
type FS interface {
	// ReadFile reads a file that passes the Secret rule, and of at most limit bytes: ErrTooLarge.
	ReadFile(path string, limit int64) ([]byte, error)
	// WriteFile replaces the file, or makes it with mode 0600. The new content is durable when it returns nil. On an error the old
	// content is in place, save where the very last step failed, the sync of the directory: then either may be.
	WriteFile(path string, data []byte) error
	// Remove unlinks the file, durably.
	Remove(path string) error
	// Rename moves the file, replacing what is there, durably.
	Rename(from, to string) error
	// ReadDir streams the names in a directory, in no order, temporary files too (IsTemp). An error ends it.
	ReadDir(path string) iter.Seq2[string, error]
	// MkdirAll makes what is missing of the path, durably, with mode 0700.
	MkdirAll(path string) error
}

// ErrTooLarge says that a file is larger than its reader allows.
var ErrTooLarge = errors.New("file is too large")

// Dir is one open directory: the steps that OS and disktest.FS make their operations of. A simulation counts, fails
// and forgets these steps, so that what it finds is true of Replace and not of a copy.
type Dir interface {
	Create(name string) (File, error) // for writing, mode 0600; fs.ErrExist
	Rename(name string, to Dir, newName string) error
	Remove(name string) error
	Sync() error
	Close() error
}

// File is a file being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// Replace puts a file into d by way of a temporary one, so that its name leads to the old content or the new and
// never to part of it (rename(2)), and syncs file, then directory (fsync(2): the name is the directory's). Nothing
// temporary is left behind, unless the machine stops in between: see RemoveTemps.
func Replace(d Dir, name string, data []byte) error {
	temp := tempPrefix + rand.Text()
	err := createSynced(d, temp, data)
	if err == nil {
		err = d.Rename(temp, d, name)
	}
	if err != nil {
		_ = d.Remove(temp) // not there when creating it failed; and err says more than this failure would
		return err
	}
	return d.Sync()
}

func createSynced(d Dir, name string, data []byte) error {
	f, err := d.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

// Move renames durably.
func Move(from Dir, name string, to Dir, newName string) error {
	if err := from.Rename(name, to, newName); err != nil {
		return err
	}
	if err := to.Sync(); err != nil {
		return err
	}
	return from.Sync()
}

// Discard removes durably. What is not there may have been taken away by a process that died before it could sync: that it is
// gone is durable, too.
func Discard(d Dir, name string) error {
	err := d.Remove(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e := d.Sync(); e != nil {
		return e
	}
	return err
}

const tempPrefix = ".tmp-"

// IsTemp reports whether a name in a directory is that of an unfinished WriteFile. No record's name begins so.
func IsTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// RemoveTemps removes from the directory what a crash left of unfinished writes. A missing directory has none.
// The caller must be the only one who writes there.
func RemoveTemps(disk FS, dir string) error {
	var temps []string
	for name, err := range disk.ReadDir(dir) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if IsTemp(name) {
			temps = append(temps, name)
		}
	}
	for _, name := range temps {
		if err := disk.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("removing an unfinished write: %w", err)
		}
	}
	return nil
}
