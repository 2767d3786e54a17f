package vault

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

const root disk.Root = "/"

var aliceFile = root.Users() + "/alice.toml"

func newVault(t testing.TB) (*disktest.FS, *Vault) {
	t.Helper()
	files := new(disktest.FS)
	return files, reopen(t, files)
}

// reopen is what a new process sees of the disk.
func reopen(t testing.TB, files disk.FS) *Vault {
	t.Helper()
	keys := LoadKeys(files, root, "")
	must(t, keys.Problem())
	return Open(files, root, keys)
}

func sealVault(t testing.TB, v *Vault) {
	t.Helper()
	_, err := v.Seal(nil)
	must(t, err)
}

func TestPutGetDelete(t *testing.T) {
	files, v := newVault(t)
	if _, err := v.Get("alice", 1000); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("Get before Put = %v", err)
	}
	must(t, v.Delete("alice"))
	must(t, v.Put(alice()))
	got, err := v.Get("alice", 1000)
	must(t, err)
	same(t, got, alice())
	if all := files.Files(); !slices.Equal(all, []string{aliceFile}) {
		t.Errorf("files %q", all)
	}
	must(t, v.Delete("alice"))
	if _, err := v.Get("alice", 1000); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("Get after Delete = %v", err)
	}
}

func TestNameThatWasGivenToSomebodyElse(t *testing.T) {
	_, v := newVault(t)
	must(t, v.Put(alice()))
	if _, err := v.Get("alice", 2000); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("with another uid: %v", err)
	}
	must(t, v.Put(simple("alice", 2000)))
	got, err := v.Get("alice", 2000)
	must(t, err)
	same(t, got, simple("alice", 2000))
	if _, err := v.Get("alice", 1000); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("the old alice: %v", err)
	}
}

// A damaged record denies its user, says what to do, and stays as it is; others are not touched.
func TestDamagedRecord(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty":     {},
		"truncated": encode(alice(), new(Keyring))[:300],
		"garbage":   []byte(strings.Repeat("\x00\xff", 100)),
		"too large": []byte(strings.Repeat("x", maxRecord+1)),
		"bob's":     encode(simple("bob", 1000), new(Keyring)),
	} {
		files, v := newVault(t)
		must(t, v.Put(simple("bob", 1001)))
		files.Put(aliceFile, content)
		steps := files.Steps()
		_, err := v.Get("alice", 1000)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.Path != aliceFile || !strings.HasSuffix(damaged.Mend, "rm '"+aliceFile+"'") {
			t.Errorf("%s: Get = %v, want a DamagedError for %q", name, err, aliceFile)
		}
		if files.Steps() != steps {
			t.Errorf("%s: reading it changed the disk", name)
		}
		if _, err := v.Get("bob", 1001); err != nil {
			t.Errorf("%s: bob: %v", name, err)
		}
	}
}

// After a power failure at any step there is the old record or the new one, and once Put has returned, the new one.
func TestPutSurvivesPowerFailure(t *testing.T) {
	old, new := simple("alice", 1000), alice()
	for how, crash := range map[string]func(*disktest.FS){"lost": (*disktest.FS).Crash, "torn": (*disktest.FS).CrashTorn} {
		for n, done := 0, false; !done; n++ {
			files, v := newVault(t)
			must(t, v.Put(old))
			files.StopAfter(n)
			done = v.Put(new) == nil
			crash(files)
			got, err := reopen(t, files).Get("alice", 1000)
			must(t, err)
			if text := plainText(got); text != plainText(new) && (done || text != plainText(old)) {
				t.Errorf("%s after %d steps (finished: %v): neither the old record nor the new", how, n, done)
			}
		}
		for n, done := 0, false; !done; n++ {
			files, v := newVault(t)
			must(t, v.Put(old))
			files.StopAfter(n)
			done = v.Delete("alice") == nil
			crash(files)
			if _, err := reopen(t, files).Get("alice", 1000); err == nil && done || err != nil && !errors.Is(err, ErrNotEnrolled) {
				t.Errorf("%s after %d steps of Delete (finished: %v): %v", how, n, done, err)
			}
		}
		for n, done := 0, false; !done; n++ { // the first record of all, whose directory is not there yet
			files, v := newVault(t)
			files.StopAfter(n)
			done = v.Put(new) == nil
			crash(files)
			if _, err := reopen(t, files).Get("alice", 1000); err != nil && (done || !errors.Is(err, ErrNotEnrolled)) {
				t.Errorf("%s after %d steps of the first Put (finished: %v): %v", how, n, done, err)
			}
		}
	}
}

func TestPutOnFailingDisk(t *testing.T) {
	full := errors.New("no space left on device")
	for _, op := range []disktest.Op{disktest.Create, disktest.Write, disktest.SyncFile, disktest.Rename} {
		files, v := newVault(t)
		must(t, v.Put(alice()))
		files.FailNext(op, full)
		if err := v.Put(simple("alice", 1000)); !errors.Is(err, full) {
			t.Errorf("%s fails: Put = %v", op, err)
		}
		got, err := v.Get("alice", 1000)
		must(t, err)
		same(t, got, alice())
	}
	files, v := newVault(t)
	must(t, v.Put(alice()))
	files.Fail(disktest.Remove, full)
	if err := v.Delete("alice"); !errors.Is(err, full) {
		t.Errorf("Delete = %v", err)
	}
	files.Fail(disktest.Read, full)
	if _, err := v.Get("alice", 1000); !errors.Is(err, full) || errors.Is(err, ErrNotEnrolled) {
		t.Errorf("Get = %v", err)
	}
}

// On the machine's own disk: what is in the record's place instead of it.
// A hard link gives nobody a right that the file does not, but it is not the other user's record either.
func TestLeftoversAreRemoved(t *testing.T) {
	files, v := newVault(t)
	must(t, v.Put(alice()))
	files.StopAfter(2) // the temporary file is created and written
	if err := v.Put(simple("alice", 1000)); !errors.Is(err, disktest.ErrStopped) {
		t.Fatal(err)
	}
	files.CrashTorn()
	if n := len(files.Files()); n != 2 {
		t.Fatalf("%d files after the crash; the test wants a leftover", n)
	}
	must(t, disk.RemoveTemps(files, root.Users()))
	if all := files.Files(); !slices.Equal(all, []string{aliceFile}) {
		t.Errorf("files %q", all)
	}
	must(t, disk.RemoveTemps(files, "/nowhere"))
}

func TestCount(t *testing.T) {
	files, v := newVault(t)
	if n := v.Count(); n != 0 {
		t.Errorf("before anybody enrolled: %d", n)
	}
	must(t, v.Put(alice()))
	must(t, v.Put(simple("bob", 1001)))
	must(t, files.WriteFile(root.Users()+"/carol.toml", []byte("damaged")))
	must(t, files.WriteFile(root.Users()+"/.tmp-1.toml", []byte("unfinished")))
	must(t, files.WriteFile(root.Users()+"/notes", []byte("somebody's")))
	if n := v.Count(); n != 3 {
		t.Errorf("%d records, want 3", n)
	}
}
