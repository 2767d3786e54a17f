package vault

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

// At whichever step the power fails, or the disk while the process lives on, every record is readable afterwards, and
// doing it again ends as if nothing had been.
func TestKeyChangesSurviveFailure(t *testing.T) {
	for name, tt := range map[string]struct {
		sealed bool // before
		change func(*Vault, func(int)) (Change, error)
	}{
		"Seal":   {false, (*Vault).Seal},
		"Rekey":  {true, (*Vault).Rekey},
		"Unseal": {true, (*Vault).Unseal},
	} {
		for how, mend := range map[string]func(*disktest.FS){
			"lost":  (*disktest.FS).Crash,
			"torn":  (*disktest.FS).CrashTorn,
			"lives": func(files *disktest.FS) { files.StopAfter(1 << 30) },
		} {
			for n, done := 0, false; !done; n++ {
				files, v := newVault(t)
				populate(t, v)
				if tt.sealed {
					sealVault(t, v)
				}
				files.StopAfter(n)
				_, err := tt.change(v, nil)
				if done = err == nil; !done && !errors.Is(err, disktest.ErrStopped) {
					t.Fatalf("%s after %d steps: %v", name, n, err)
				}
				mend(files)
				if how != "lives" {
					v = reopen(t, files)
				}
				afterFailure(t, files, v)
				if !done {
					_, err = tt.change(reopen(t, files), nil)
					must(t, err)
				}
				onlySeal(t, reopen(t, files), name != "Unseal")
				if t.Failed() {
					t.Fatalf("%s, %s after %d steps", name, how, n)
				}
			}
		}
	}
}

// afterFailure wants that the vault reads and writes records, and that another process reads them too.
func afterFailure(t *testing.T, files *disktest.FS, v *Vault) {
	t.Helper()
	readable(t, v)
	must(t, v.Put(alice()))
	must(t, v.Put(simple("dora", 1004)))
	readable(t, reopen(t, files))
	_, err := reopen(t, files).Get("dora", 1004)
	must(t, err)
	must(t, v.Delete("dora"))
}

// onlySeal wants one key, which seals everything, or none.
func onlySeal(t *testing.T, v *Vault, sealed bool) {
	t.Helper()
	readable(t, v)
	keys, want := v.keys.Load().keys, ""
	if sealed && len(keys) == 1 {
		want = keys[0].id
	}
	if got := seals(t, v); got[want] != secretsOfPeople || len(got) != 1 || sealed != (len(keys) == 1) {
		t.Errorf("seals %v, %d keys", got, len(keys))
	}
}

func TestFullDiskEndsChange(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	sealVault(t, v)
	full := errors.New("no space left on device")
	steps := 0
	v.files = &hookedFS{files, func(path string) {
		if strings.HasPrefix(path, root.Users()) {
			steps++
			files.Fail(disktest.Create, full)
		}
	}}
	if _, err := v.Rekey(nil); !errors.Is(err, full) || steps > 2 {
		t.Errorf("Rekey on a full disk = %v after %d reads", err, steps)
	}
	readable(t, v)
}

func TestRekeyLooksAgain(t *testing.T) {
	files, v := newVault(t)
	populate(t, v)
	sealVault(t, v)
	v.files = &forgetfulFS{FS: files, forgets: "bob.toml"}
	_, err := v.Rekey(nil)
	must(t, err)
	readable(t, reopen(t, files))
}

type forgetfulFS struct {
	disk.FS
	forgets string
}

func (f *forgetfulFS) ReadDir(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		forgets := f.forgets
		f.forgets = ""
		for name, err := range f.FS.ReadDir(path) {
			if name != forgets && !yield(name, err) {
				return
			}
		}
	}
}

type hookedFS struct {
	disk.FS
	before func(path string)
}

func (f *hookedFS) ReadFile(path string, limit int64) ([]byte, error) {
	f.before(path)
	return f.FS.ReadFile(path, limit)
}

func TestGetDuringRekey(t *testing.T) {
	for _, ended := range []bool{true, false} {
		files, v := newVault(t)
		must(t, v.Put(alice()))
		sealVault(t, v)
		written, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		rekey := func() {
			_, err := v.Rekey(func(int) {
				close(written)
				<-goOn
			})
			done <- err
		}
		var begun atomic.Bool
		v.files = &hookedFS{files, func(string) {
			if begun.Swap(true) {
				return
			}
			go rekey()
			<-written
			if ended {
				close(goOn)
				must(t, <-done)
			}
		}}
		_, err := v.Get("alice", 1000)
		if err != nil {
			t.Errorf("rekey ended: %v: Get = %v", ended, err)
		}
		if !ended {
			close(goOn)
			must(t, <-done)
		}
	}
}

func TestPutDuringKeyChanges(t *testing.T) {
	files := disk.FS(new(disktest.FS))
	v := reopen(t, files)
	const users, rounds = 4, 60
	for i := range users {
		must(t, v.Put(simple(fmt.Sprint("user", i), uint32(i))))
	}
	sealVault(t, v)
	stop := make(chan struct{})
	var changes, logins sync.WaitGroup
	changes.Go(func() {
		for {
			for _, change := range []func(func(int)) (Change, error){v.Rekey, v.Unseal, v.Seal} {
				if _, err := change(nil); err != nil {
					t.Error(err)
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for i := range users {
		logins.Go(func() {
			user, uid := fmt.Sprint("user", i), uint32(i)
			for n := range int64(rounds) {
				r, err := v.Get(user, uid)
				if err != nil {
					t.Error(err)
					return
				}
				if r.Tokens[0].Offset != n {
					t.Errorf("%s: a change was lost: %d, want %d", user, r.Tokens[0].Offset, n)
					return
				}
				r.Tokens[0].Offset++
				if err := v.Put(r); err != nil {
					t.Error(err)
				}
			}
			if err := v.Delete(user); err != nil {
				t.Error(err)
			}
		})
	}
	logins.Wait()
	close(stop)
	changes.Wait()
	for user, err := range reopen(t, files).Users() {
		t.Errorf("user %q is there although it was deleted, %v", user, err)
	}
}
