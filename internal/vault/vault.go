// Package vault keeps each user's second factor, one file per user under /var/lib/sallyport/users, and is the only one
// who writes there. A record is durable when Put returns, and it is there whole or not at all.
package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"sallyport/internal/disk"
)

const maxRecord = 64 << 10 // bytes

// Vault is safe for concurrent use; who reads a record to change and write it keeps others from the same user meanwhile. One process at
// a time writes: the one that holds the ledger.
type Vault struct {
	files disk.FS
	root  disk.Root

	keys  atomic.Pointer[Keyring]
	cache cache
	// Rewriting a record with other keys (held alone) must not undo a Put or a Delete (held shared). Get needs neither.
	changes sync.RWMutex
	// One Seal, Rekey or Unseal at a time.
	rewriting sync.Mutex
}

// Open does not touch the disk.
func Open(files disk.FS, root disk.Root, keys Keyring) *Vault {
	v := &Vault{files: files, root: root}
	v.keys.Store(&keys)
	return v
}

// Get reads the user's record. A missing one, or one of another uid, is ErrNotEnrolled; one that cannot be believed is a
// *DamagedError, a *KeyMissingError or a *disk.TrustError. Whatever the error, nobody may be let in on it but
// ErrNotEnrolled.
func (v *Vault) Get(user string, uid uint32) (*Record, error) {
	r, err := v.Read(user)
	if err != nil {
		return nil, err
	}
	if r.UID != uid {
		return nil, fmt.Errorf("user %q: the record is of uid %d, not %d: %w", user, r.UID, uid, ErrNotEnrolled)
	}
	return r, nil
}

// Read is Get for who looks and lets nobody in: it gives the record of whichever uid.
func (v *Vault) Read(user string) (*Record, error) {
	path, err := v.path(user)
	if err != nil {
		return nil, err
	}
	if r := v.cache.find(user, v.keys.Load(), func() (disk.Stamp, error) { return stamp(v.files, path) }); r != nil {
		return r, nil
	}
	var from source
	r, _, err := v.readFile(path, user, &from)
	if err == nil {
		v.cache.keep(r, from)
	}
	return r, err
}

// read reads the user's file, and returns with the record what decode does.
func (v *Vault) read(user string) (*Record, []string, error) {
	path, err := v.path(user)
	if err != nil {
		return nil, nil, err
	}
	return v.readFile(path, user, new(source))
}

// source is what a record was made of.
type source struct {
	stamp disk.Stamp // of the file; zero: not known
	keys  *Keyring
}

// readFile says in from what the record was made of.
func (v *Vault) readFile(path, user string, from *source) (*Record, []string, error) {
	for {
		from.keys = v.keys.Load()
		data, stamp, err := readStamped(v.files, path)
		from.stamp = stamp
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil, fmt.Errorf("user %q: %w", user, ErrNotEnrolled)
		case errors.Is(err, disk.ErrTooLarge):
			return nil, nil, damagedRecord(path, user, fmt.Sprintf("it is larger than %d bytes", maxRecord))
		case err != nil:
			return nil, nil, fmt.Errorf("reading the record of user %q: %w", user, err)
		}
		r, used, err := decode(data, user, from.keys)
		var missing *missingKey
		if errors.As(err, &missing) && v.newKeys(from.keys, missing.id) {
			continue
		}
		if err != nil {
			return nil, nil, v.unreadable(path, user, err)
		}
		return r, used, nil
	}
}

// newKeys looks for a key that old does not have: the record was sealed anew since old was current, or somebody has put a lost
// key back.
func (v *Vault) newKeys(old *Keyring, id string) bool {
	if !v.rewriting.TryLock() { // Seal and its like keep the keys themselves
		return v.keys.Load() != old
	}
	defer v.rewriting.Unlock()
	if v.keys.Load() != old {
		return true
	}
	fresh := LoadKeys(v.files, v.root, old.directory)
	if fresh.has(id) {
		v.keys.Store(&fresh)
	}
	return fresh.has(id)
}

// RetryKeys reads the keys again where a source of them could not be used, and returns what is wrong still, or nil. One read
// error would otherwise last as long as the process.
func (v *Vault) RetryKeys() error {
	old := v.keys.Load()
	if old.problem == nil {
		return nil
	}
	if !v.rewriting.TryLock() { // Seal and its like have read them just now
		return v.keys.Load().problem
	}
	defer v.rewriting.Unlock()
	if v.keys.Load() != old {
		return v.keys.Load().problem
	}
	fresh := LoadKeys(v.files, v.root, old.directory)
	if fresh.problem == nil {
		v.keys.Store(&fresh)
	}
	return fresh.problem
}

func (v *Vault) unreadable(path, user string, err error) error {
	damaged := damagedRecord(path, user, err.Error())
	var missing *missingKey
	if !errors.As(err, &missing) {
		return damaged
	}
	damaged.Problem = missing.Error()
	damaged.Mend = fmt.Sprintf("put the key back into %q, or %s", v.root.KeyFile(), damaged.Mend)
	return &KeyMissingError{*damaged, missing.id, v.keys.Load().problem}
}

// Put writes the record, in place of the user's record if there is one, of whichever uid. Where there is a key, the
// secrets are sealed.
func (v *Vault) Put(r *Record) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if err := v.RetryKeys(); err != nil {
		return err
	}
	v.changes.RLock()
	defer v.changes.RUnlock()
	return v.write(r, v.keys.Load())
}

// Feign writes as much as a record has, as durably, to where no user's is.
func (v *Vault) Feign() error {
	if err := writeFile(v.files, v.root.Feigned(), make([]byte, feigned)); err != nil {
		return fmt.Errorf("writing what is no record: %w", err)
	}
	return nil
}

// feigned is how many bytes a usual record has: one app and ten recovery codes.
const feigned = 1600

func (v *Vault) write(r *Record, keys *Keyring) error {
	if keys.problem != nil {
		return keys.problem // it might be the key that must seal this
	}
	path, err := v.path(r.User)
	if err != nil {
		return err
	}
	v.cache.drop(r.User)
	if err := writeFile(v.files, path, encode(r, keys)); err != nil {
		return fmt.Errorf("writing the record of user %q: %w", r.User, err)
	}
	return nil
}

// writeFile makes the directory where there is none.
func writeFile(files disk.FS, path string, data []byte) error {
	err := files.WriteFile(path, data)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := files.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return files.WriteFile(path, data)
}

// Delete removes the user's record, if there is one.
func (v *Vault) Delete(user string) error {
	path, err := v.path(user)
	if errors.Is(err, ErrNotEnrolled) {
		return nil
	}
	if err != nil {
		return err
	}
	v.changes.RLock()
	defer v.changes.RUnlock()
	v.cache.drop(user)
	if err := v.files.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the record of user %q: %w", user, err)
	}
	return nil
}

// Users streams the names of all who have a record, whatever is in it, in no order. An entry that cannot be anybody's
// record is an error of its own, and the rest follows. Unfinished writes are passed over.
func (v *Vault) Users() iter.Seq2[string, error] {
	dir := v.root.Users()
	return func(yield func(string, error) bool) {
		for name, err := range v.files.ReadDir(dir) {
			if errors.Is(err, fs.ErrNotExist) {
				return // nobody has enrolled yet
			}
			if err == nil && disk.IsTemp(name) {
				continue
			}
			user := ""
			if err == nil {
				if user, err = userOf(name); err != nil {
					path := filepath.Join(dir, name)
					err = &DamagedError{path, err.Error(), "move it away: mv " + disk.Quote(path) + " /root/"}
				}
			}
			if !yield(user, err) {
				return
			}
		}
	}
}

// Count is how many records there are, by the names of their files: one that is damaged counts, too.
func (v *Vault) Count() int {
	n := 0
	for name, err := range v.files.ReadDir(v.root.Users()) {
		if err == nil && !disk.IsTemp(name) && strings.HasSuffix(name, suffix) {
			n++
		}
	}
	return n
}

// path is where the user's record is. No file system has one for a name that does not fit.
func (v *Vault) path(user string) (string, error) {
	if err := checkUser(user); err != nil {
		return "", err
	}
	name := fileName(user)
	if len(name) > maxName {
		return "", fmt.Errorf("user %q: the name is too long for a record: %w", user, ErrNotEnrolled)
	}
	return filepath.Join(v.root.Users(), name), nil
}
