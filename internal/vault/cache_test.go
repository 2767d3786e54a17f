package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// cachedVault is a vault on the machine's disk that has a record of alice in memory.
func cachedVault(t *testing.T) (v *Vault, r *Record, path string) {
	t.Helper()
	root := disk.Root(t.TempDir())
	v = Open(new(disk.OS), root, Keyring{})
	r = alice()
	r.Tokens[0].Label = "phone 0"
	if err := v.Put(r); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(root.Users(), fileName(r.User))
	cacheIt(t, v, r)
	return v, r, path
}

// cacheIt reads until the record is kept: one that has just been written is not.
func cacheIt(t *testing.T, v *Vault, want *Record) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if got, err := v.Get(want.User, want.UID); err != nil || got.Tokens[0].Label != want.Tokens[0].Label {
			t.Fatalf("Get = %v, %v", got, err)
		}
		if _, kept := v.cache.records[want.User]; kept {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the record is never kept")
		}
	}
}

// rewritten is the record's file with another label of the same length.
func rewritten(r *Record, label string) []byte {
	other := r.clone()
	other.Tokens[0].Label = label
	return encode(other, &Keyring{})
}

// TestCacheSeesAnotherFile has the record change behind the vault's back, in each way that there is.
func TestCacheSeesAnotherFile(t *testing.T) {
	v, r, path := cachedVault(t)
	n := 0
	for name, change := range map[string]func(data []byte) error{
		"replaced": func(data []byte) error { return new(disk.OS).WriteFile(path, data) },
		"written in place": func(data []byte) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(data)
			return errors.Join(err, f.Close())
		},
		"written in place, and its time set back": func(data []byte) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(data)
			return errors.Join(err, f.Close(), os.Chtimes(path, info.ModTime(), info.ModTime()))
		},
	} {
		cacheIt(t, v, r)
		n++
		label := fmt.Sprint("phone ", n)
		r.Tokens[0].Label = label
		if err := change(rewritten(r, label)); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(r.User, r.UID); err != nil || got.Tokens[0].Label != label {
			t.Errorf("%s: Get = %v, %v, want the new record", name, got, err)
		}
	}
	cacheIt(t, v, r)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Get(r.User, r.UID); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("removed: %v", err)
	}
}

// TestCacheSeesDistrust has the file, or its directory, become somebody else's to read or to write.
func TestCacheSeesDistrust(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	for name, loosen := range map[string]func(path string) error{
		"mode":              func(path string) error { return os.Chmod(path, 0o640) },
		"owner":             func(path string) error { return os.Chown(path, 12345, 0) },
		"directory":         func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) },
		"directory's owner": func(path string) error { return os.Chown(filepath.Dir(path), 12345, 0) },
		"link": func(path string) error {
			return errors.Join(os.Rename(path, path+".aside"), os.Symlink(path+".aside", path))
		},
		"FIFO": func(path string) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)) },
		"directory by a link": func(path string) error {
			dir := filepath.Dir(path)
			return errors.Join(os.Rename(dir, dir+".aside"), os.Symlink(dir+".aside", dir))
		},
	} {
		v, r, path := cachedVault(t)
		if err := loosen(path); err != nil {
			t.Fatal(err)
		}
		var trust *disk.TrustError
		if _, err := v.Get(r.User, r.UID); !errors.As(err, &trust) {
			t.Errorf("%s: Get = %v, want a *disk.TrustError", name, err)
		}
	}
}

// TestCacheSeesDamage damages the file.
func TestCacheSeesDamage(t *testing.T) {
	for name, spoil := range map[string]func(data []byte) []byte{
		"cut off": func(data []byte) []byte { return data[:len(data)-20] },
		"a bit":   func(data []byte) []byte { return bytes.Replace(data, []byte("period = 30"), []byte("period = 31"), 1) },
	} {
		v, r, path := cachedVault(t)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, spoil(data), 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *DamagedError
		if _, err := v.Get(r.User, r.UID); !errors.As(err, &damaged) {
			t.Errorf("%s: Get = %v, want a *DamagedError", name, err)
		}
	}
}

// TestCacheLendsCopies: what a step of a login does to its record is nobody else's, until it is Put.
func TestCacheLendsCopies(t *testing.T) {
	v, want, _ := cachedVault(t)
	got, err := v.Get(want.User, want.UID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.clone(), got) {
		t.Error("a clone is another record")
	}
	got.Tokens[0].Counter++
	got.Tokens[0].Label = "changed"
	got.Recovery = append(got.Recovery[:0], got.Recovery[1:]...)
	got.Lock = Lock{Until: time.Now()}
	got.Pending = nil
	again, err := v.Get(want.User, want.UID)
	if err != nil || !bytes.Equal(encode(again, &Keyring{}), encode(want, &Keyring{})) {
		t.Errorf("after somebody changed its copy: %v, %v", again, err)
	}
	if _, err := v.Get(want.User, want.UID+1); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("of another uid: %v", err)
	}
}

// TestCacheForgets: what was put or deleted is in memory no longer, and there is no more than so many.
func TestCacheForgets(t *testing.T) {
	v, r, _ := cachedVault(t)
	if err := v.Put(r); err != nil {
		t.Fatal(err)
	}
	if _, kept := v.cache.records[r.User]; kept {
		t.Error("a record that was put is kept in its old form")
	}
	cacheIt(t, v, r)
	from := v.cache.records[r.User].source
	if err := v.Delete(r.User); err != nil {
		t.Fatal(err)
	}
	if _, kept := v.cache.records[r.User]; kept {
		t.Error("a record that was deleted is kept")
	}
	for i := range 2 * maxCached {
		other := r.clone()
		other.User = fmt.Sprint("user", i)
		v.cache.keep(other, from)
	}
	if n := len(v.cache.records); n != maxCached {
		t.Errorf("%d records are kept, of at most %d", n, maxCached)
	}
	v.cache.keep(&Record{User: "eve"}, source{})
	if _, kept := v.cache.records["eve"]; kept {
		t.Error("a record is kept whose file could change unseen")
	}
}
