package ledger

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

// newRoot is a root of its own on a tmpfs where there is one, as /run is.
func newRoot(t testing.TB) disk.Root {
	t.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "sallyport-"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return disk.Root(dir)
	}
	return disk.Root(t.TempDir())
}

func tryOpen(t testing.TB, root disk.Root, now time.Time, files disk.FS) (*Ledger, error) {
	t.Helper()
	return Open(Options{Root: root, FS: files, Now: now, Warn: t.Logf})
}

func mustOpen(t testing.TB, root disk.Root, now time.Time, files disk.FS) *Ledger {
	t.Helper()
	l, err := tryOpen(t, root, now, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mustPut(t testing.TB, l *Ledger, user string, a *Account) {
	t.Helper()
	if err := l.Put(user, a); err != nil {
		t.Fatal(err)
	}
}

func mustGet(t testing.TB, l *Ledger, user string) *Account {
	t.Helper()
	a, err := l.Get(user)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func used(steps ...int64) *Account {
	a := &Account{}
	for _, s := range steps {
		a.Use(token, s)
	}
	return a
}

func TestPutGetDelete(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	if a := mustGet(t, l, "alice"); !a.empty() || a.Tokens == nil {
		t.Errorf("an unknown user has %+v", a)
	}
	mustPut(t, l, "alice", used(5))
	mustPut(t, l, "bob", wide)
	mustPut(t, l, "alice", used(5, 6))
	if err := l.Delete("nobody"); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start.Add(day), &disktest.FS{})
	if got := mustGet(t, l, "alice"); !reflect.DeepEqual(got, used(5, 6)) {
		t.Errorf("alice has %d tokens", len(got.Tokens))
	}
	if got := mustGet(t, l, "bob"); !reflect.DeepEqual(got, wide) {
		t.Errorf("bob has another account, with %d wrong codes", len(got.Wrong))
	}
	if err := l.Delete("bob"); err != nil {
		t.Error(err)
	}
	if !mustGet(t, l, "bob").empty() {
		t.Error("bob was not deleted")
	}
	if !l.Quarantine().Equal(start) {
		t.Errorf("the quarantine of the first opening was %s, is %s", start, l.Quarantine())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Get("alice"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// TestFullRuntime fills the file system that the ledger is on: what was stored stays, what cannot be is an error, and
// it goes on once there is room again.
func TestFullRuntime(t *testing.T) {
	if !disktest.InMountNamespace(t) {
		return
	}
	dir := t.TempDir()
	disktest.Tmpfs(t, dir, "128k")
	root := disk.Root(dir)
	l := mustOpen(t, root, start, &disktest.FS{})
	mustPut(t, l, "small", used(1))
	stored := 0
	for ; stored < 1000; stored++ {
		if err := l.Put(fmt.Sprint("user", stored), wide); err != nil {
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("a full disk: %v", err)
			}
			break
		}
	}
	if stored == 0 || stored == 1000 {
		t.Fatalf("%d accounts were stored", stored)
	}
	for range 10 {
		_ = l.Put("more", wide)
	}
	check := func() {
		t.Helper()
		for i := range stored {
			if got := mustGet(t, l, fmt.Sprint("user", i)); !reflect.DeepEqual(got, wide) {
				t.Fatalf("user%d is gone", i)
			}
		}
	}
	check()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start, &disktest.FS{})
	check()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "size=1m"); err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "more", wide)
	mustPut(t, l, "small", used(1, 2))
	check()
}

func TestConcurrentUse(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			user := fmt.Sprint("user", i)
			for step := range int64(100) {
				a, err := l.Get(user)
				if err == nil {
					a.Use(token, step)
					err = l.Put(user, a)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Go(func() {
		for range 20 {
			if err := errors.Join(l.Prune(start), l.Save(false, start)); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	for i := range 16 {
		a := mustGet(t, l, fmt.Sprint("user", i))
		for step := range int64(100) {
			if a.Usable(token, step, 0) == nil {
				t.Fatalf("user%d: step %d is lost", i, step)
			}
		}
	}
}

func TestPrune(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	for i := range 1000 {
		a := &Account{}
		fail(a, "s", 1, start, limits)
		mustPut(t, l, fmt.Sprint("guessed", i), a)
	}
	mustPut(t, l, "alice", used(5))
	ahead := &Account{}
	fail(ahead, "s", 5, start.Add(365*day), limits)
	mustPut(t, l, "ahead", ahead)

	now := start.Add(day + time.Second)
	if err := l.Prune(now); err != nil {
		t.Fatal(err)
	}
	left := 0
	if err := l.each(func(_, _ []byte) error { left++; return nil }); err != nil {
		t.Fatal(err)
	}
	if left != 2 {
		t.Errorf("%d accounts are left instead of 2", left)
	}
	if mustGet(t, l, "alice").Usable(token, 5, 0) == nil {
		t.Error("a used step was dropped")
	}
	if got := mustGet(t, l, "ahead").LockedUntil("s", now.Add(limits.Lock), limits); !got.IsZero() {
		t.Errorf("a lock from a clock that was ahead lasts until %s", got)
	}
	if mustGet(t, l, "ahead").LockedUntil("s", now.Add(limits.Lock-1), limits).IsZero() {
		t.Error("a lock from a clock that was ahead was dropped")
	}
}

// TestStrangers: names that somebody makes up do not make the ledger grow, and are in no copy.
func TestStrangers(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	a := &Account{}
	fail(a, "s", 5, start, limits)
	value, err := encodeAccount("user", a)
	if err != nil {
		t.Fatal(err)
	}
	err = l.update(func(accounts *bbolt.Bucket) error {
		for i := range maxStrangers + 100 {
			user := []byte(Stranger(fmt.Sprintf("%06d", i)))
			if err := put(accounts, user, seal(user, value[sumSize:])); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "alice", a)
	if err := l.Prune(start); err != nil {
		t.Fatal(err)
	}
	left := 0
	if err := l.each(func(_, _ []byte) error { left++; return nil }); err != nil {
		t.Fatal(err)
	}
	if left != maxStrangers+1 || mustGet(t, l, "alice").empty() {
		t.Errorf("%d accounts are left", left)
	}
	h.save(l, false, start)
	data, err := h.disk.ReadFile(h.root.Saved(), maxSaved)
	if err != nil || strings.Count(string(data), "\n") != 3 {
		t.Errorf("the copy has %d bytes, %v", len(data), err)
	}
}

// TestReplaceLosesNothing: what a login stores while Prune looks at the old account is not overwritten.
func TestReplaceLosesNothing(t *testing.T) {
	l := mustOpen(t, newRoot(t), start, &disktest.FS{})
	mustPut(t, l, "alice", used(1))
	old, err := encodeAccount("alice", used(1))
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "alice", used(1, 2))
	if err := l.replace([]byte("alice"), old, &Account{}); err != nil {
		t.Fatal(err)
	}
	if mustGet(t, l, "alice").Usable(token, 2, 0) == nil {
		t.Error("a used step was lost")
	}
}
