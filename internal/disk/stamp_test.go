package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/disk"
)

// TestStamp gives a stamp only to what ReadFile would read, through the directory that is held and by the way to it.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	o := new(disk.OS)
	must(t, o.WriteFile(file, []byte("old")))
	before, err := o.Stamp(file)
	must(t, err)
	_, fresh, err := o.ReadStamped(file, 10)
	must(t, err)
	if fresh != (disk.Stamp{}) && time.Since(changed(t, file)) < 50*time.Millisecond {
		t.Error("a file that has just been written has a stamp to rely on")
	}
	var read disk.Stamp
	for deadline := time.Now().Add(10 * time.Second); read == (disk.Stamp{}); {
		_, read, err = o.ReadStamped(file, 10)
		must(t, err)
		if time.Now().After(deadline) {
			t.Fatal("the file never has a stamp to rely on")
		}
	}
	if held, err := o.Stamp(file); err != nil || held != read || held != before {
		t.Errorf("the same file has the stamps %v, %v and %v, %v", before, read, held, err)
	}
	must(t, os.Chmod(file, 0o604))
	for name, from := range map[string]*disk.OS{"held": o, "anew": new(disk.OS)} {
		var trust *disk.TrustError
		if _, err := from.Stamp(file); !errors.As(err, &trust) {
			t.Errorf("%s: the stamp of a file that others can read: %v", name, err)
		}
		if _, err := from.Stamp(file + "2"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the stamp of no file: %v", name, err)
		}
	}
}

// changed is when the file was written last.
func changed(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.ModTime()
}
