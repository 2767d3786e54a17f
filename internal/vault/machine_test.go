package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

func TestUntrustedRecord(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const stranger = 54321
	for name, spoil := range map[string]func(file string) error{
		"readable by others": func(f string) error { return os.Chmod(f, 0o644) },
		"a stranger's":       func(f string) error { return os.Chown(f, stranger, 0) },
		"symbolic link": func(f string) error {
			return errors.Join(os.Rename(f, f+".real"), os.Symlink(f+".real", f))
		},
		"FIFO":               func(f string) error { return errors.Join(os.Remove(f), syscall.Mkfifo(f, 0o600)) },
		"directory":          func(f string) error { return errors.Join(os.Remove(f), os.Mkdir(f, 0o700)) },
		"directory writable": func(f string) error { return os.Chmod(filepath.Dir(f), 0o777) },
		"parent writable":    func(f string) error { return os.Chmod(filepath.Dir(filepath.Dir(f)), 0o777) },
		"parent a stranger's": func(f string) error {
			return os.Chown(filepath.Dir(filepath.Dir(f)), stranger, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			here := disk.Root(t.TempDir())
			must(t, Open(new(disk.OS), here, Keyring{}).Put(alice()))
			must(t, spoil(filepath.Join(here.Users(), "alice.toml")))
			done := make(chan error, 1)
			go func() {
				_, err := Open(new(disk.OS), here, Keyring{}).Get("alice", 1000)
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.As(err, new(*disk.TrustError)) {
					t.Errorf("Get = %v, want a TrustError", err)
				}
			case <-time.After(time.Minute):
				t.Error("Get hangs")
			}
		})
	}
}

func TestLinkedRecord(t *testing.T) {
	here := disk.Root(t.TempDir())
	v := Open(new(disk.OS), here, Keyring{})
	must(t, v.Put(alice()))
	must(t, os.Link(filepath.Join(here.Users(), "alice.toml"), filepath.Join(here.Users(), "bob.toml")))
	if _, err := v.Get("bob", 1000); !errors.As(err, new(*DamagedError)) {
		t.Errorf("alice's record as bob's: %v", err)
	}
	_, err := v.Get("alice", 1000)
	must(t, err)
}

func TestFullAndReadOnlyDisk(t *testing.T) {
	if !disktest.InMountNamespace(t) {
		return
	}
	here := disk.Root(t.TempDir())
	disktest.Tmpfs(t, string(here), "64k")
	v := Open(new(disk.OS), here, Keyring{})
	must(t, v.Put(alice()))
	filler := filepath.Join(string(here), "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
	refused := func(want error) {
		t.Helper()
		if err := v.Put(simple("alice", 1000)); !errors.Is(err, want) {
			t.Errorf("Put = %v", err)
		}
		if _, err := v.Seal(nil); !errors.Is(err, want) {
			t.Errorf("Seal = %v", err)
		}
		got, err := v.Get("alice", 1000)
		must(t, err)
		same(t, got, alice())
	}
	refused(syscall.ENOSPC)
	must(t, os.Remove(filler))
	disktest.ReadOnly(t, string(here))
	refused(syscall.EROFS)
	if err := v.Delete("alice"); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Delete = %v", err)
	}
	names, err := os.ReadDir(here.Users())
	if err != nil || len(names) != 1 {
		t.Errorf("the directory has %d entries, %v", len(names), err)
	}
}

func TestManyUsersAtOnce(t *testing.T) {
	here := disk.Root(t.TempDir())
	v := Open(new(disk.OS), here, Keyring{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			user := fmt.Sprintf("user%d", i)
			for n := range int64(10) {
				r := simple(user, uint32(i))
				r.Tokens[0].Offset = n
				if err := v.Put(r); err != nil {
					t.Error(err)
				}
				got, err := v.Get(user, uint32(i))
				if err != nil || got.Tokens[0].Offset != n {
					t.Errorf("%s: %v", user, err)
				}
			}
			if err := v.Delete(user); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkGet(b *testing.B) {
	here := disk.Root(b.TempDir())
	v := Open(new(disk.OS), here, Keyring{})
	must(b, v.Put(simple("alice", 1000)))
	b.Run("plain", func(b *testing.B) { benchmarkGet(b, v) })
	sealVault(b, v)
	b.Run("sealed", func(b *testing.B) { benchmarkGet(b, v) })
}

func benchmarkGet(b *testing.B, v *Vault) {
	for b.Loop() {
		if _, err := v.Get("alice", 1000); err != nil {
			b.Fatal(err)
		}
	}
}
