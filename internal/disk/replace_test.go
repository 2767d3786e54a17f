package disk_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

const (
	dir  = "/var/lib/sallyport/users"
	name = dir + "/alice.toml"
)

var powerFailures = map[string]func(*disktest.FS){"lost": (*disktest.FS).Crash, "torn": (*disktest.FS).CrashTorn}

// What WriteFile promises, at each step at which the power can fail.
func TestWriteFileSurvivesPowerFailure(t *testing.T) {
	for how, crash := range powerFailures {
		for n, done := 0, false; !done; n++ {
			fs := new(disktest.FS)
			fs.Put(name, []byte("old"))
			fs.StopAfter(n)
			err := fs.WriteFile(name, []byte("new"))
			done = err == nil
			if !done && !errors.Is(err, disktest.ErrStopped) {
				t.Fatalf("%s after %d steps: WriteFile = %v", how, n, err)
			}
			crash(fs)
			got, err := fs.ReadFile(name, 100)
			if err != nil {
				t.Fatalf("%s after %d steps: %v", how, n, err)
			}
			if s := string(got); s != "new" && (done || s != "old") {
				t.Errorf("%s after %d steps (finished: %v): file is %q", how, n, done, s)
			}
			if err := disk.RemoveTemps(fs, dir); err != nil {
				t.Fatal(err)
			}
			if files := fs.Files(); !slices.Equal(files, []string{name}) {
				t.Errorf("%s after %d steps: files %q", how, n, files)
			}
			if n > 20 {
				t.Fatal("WriteFile does not end")
			}
		}
	}
}

func TestWriteFileFailure(t *testing.T) {
	full := errors.New("no space left on device")
	for _, op := range []disktest.Op{disktest.Create, disktest.Write, disktest.SyncFile, disktest.Rename} {
		fs := new(disktest.FS)
		fs.Put(name, []byte("old"))
		fs.FailNext(op, full)
		if err := fs.WriteFile(name, []byte("new")); !errors.Is(err, full) {
			t.Errorf("%s fails: WriteFile = %v", op, err)
		}
		if got, _ := fs.ReadFile(name, 100); string(got) != "old" {
			t.Errorf("%s fails: file is %q, want the old content", op, got)
		}
		if files := fs.Files(); !slices.Equal(files, []string{name}) {
			t.Errorf("%s fails: files %q, want no temporary one", op, files)
		}
		if err := fs.WriteFile(name, []byte("new")); err != nil {
			t.Errorf("the write after a failed %s: %v", op, err)
		}
	}
	fs := new(disktest.FS)
	fs.Put(name, []byte("old"))
	fs.FailNext(disktest.SyncDir, full)
	if err := fs.WriteFile(name, []byte("new")); !errors.Is(err, full) {
		t.Errorf("the last sync fails: WriteFile = %v", err)
	}
}

func TestRenameAndRemoveSurvivePowerFailure(t *testing.T) {
	to := "/var/lib/sallyport/aside"
	for how, crash := range powerFailures {
		fs := new(disktest.FS)
		fs.Put(name, []byte("record"))
		if err := fs.Rename(name, to); err != nil {
			t.Fatal(err)
		}
		crash(fs)
		if files := fs.Files(); !slices.Equal(files, []string{to}) {
			t.Errorf("%s after Rename: files %q", how, files)
		}
		if err := fs.Remove(to); err != nil {
			t.Fatal(err)
		}
		crash(fs)
		if files := fs.Files(); len(files) != 0 {
			t.Errorf("%s after Remove: files %q", how, files)
		}
	}
}

// The simulation must be able to catch who forgets a sync, or the tests above prove nothing.
func TestCrashForgetsWhatWasNotSynced(t *testing.T) {
	for _, forgotten := range []disktest.Op{disktest.SyncFile, disktest.SyncDir} {
		fs := new(disktest.FS)
		fs.Put(name, []byte("old"))
		d, err := fs.OpenDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := disk.Replace(forgetful{d, forgotten}, "alice.toml", []byte("new")); err != nil {
			t.Fatal(err)
		}
		if forgotten == disktest.SyncFile {
			fs.CrashTorn()
		} else {
			fs.Crash()
		}
		if got, _ := fs.ReadFile(name, 100); string(got) == "new" {
			t.Errorf("without %q the new content is there after a crash", forgotten)
		}
	}
}

// What one process took away, and did not sync before it died, is gone for good once another has been told that it is gone.
func TestDiscardOfWhatIsGone(t *testing.T) {
	fs := new(disktest.FS)
	fs.Put(name, []byte("old"))
	d, err := fs.OpenDir(dir)
	must(t, err)
	must(t, d.Remove("alice.toml"))
	if fs.Durable(name) {
		t.Error("a removal without a sync is durable")
	}
	if err := disk.Discard(d, "alice.toml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Discard = %v", err)
	}
	if !fs.Durable(name) {
		t.Error("the file comes back after a power failure")
	}
}

// forgetful is a directory that leaves out one kind of sync.
type forgetful struct {
	disk.Dir
	op disktest.Op
}

func (d forgetful) Create(name string) (disk.File, error) {
	f, err := d.Dir.Create(name)
	if d.op == disktest.SyncFile {
		f = unsynced{f}
	}
	return f, err
}

func (d forgetful) Rename(name string, _ disk.Dir, newName string) error {
	return d.Dir.Rename(name, d.Dir, newName)
}

func (d forgetful) Sync() error {
	if d.op == disktest.SyncDir {
		return nil
	}
	return d.Dir.Sync()
}

type unsynced struct{ disk.File }

func (unsynced) Sync() error { return nil }

func ExampleTrustError() {
	fmt.Println(&disk.TrustError{Path: "/etc/sallyport", Problem: "has mode 0777: others may change what is in it", Mend: "chmod go-w '/etc/sallyport'"})
	// Output: "/etc/sallyport" has mode 0777: others may change what is in it; run: chmod go-w '/etc/sallyport'
}
