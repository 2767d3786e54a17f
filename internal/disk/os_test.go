package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for name, err := range new(disk.OS).ReadDir(dir) {
		must(t, err)
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestWriteFile(t *testing.T) {
	parent, file := tree(t)
	d := new(disk.OS)
	held, err := os.Open(file) // so that nothing else gets its inode number
	must(t, err)
	defer held.Close()
	before, err := held.Stat()
	must(t, err)
	for _, content := range [][]byte{[]byte("new"), {}, bytes.Repeat([]byte("x"), 1<<20)} {
		must(t, d.WriteFile(file, content))
		got, err := d.ReadFile(file, 1<<20)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes written, %d read, %v", len(content), len(got), err)
		}
	}
	after, err := os.Stat(file)
	must(t, err)
	if after.Mode() != 0o600 || os.SameFile(before, after) {
		t.Errorf("mode %v, written in place: %v", after.Mode(), os.SameFile(before, after))
	}
	if got := names(t, parent); !slices.Equal(got, []string{"x"}) {
		t.Errorf("directory holds %q", got)
	}
}

func TestWriteFileUnderAnyUmask(t *testing.T) {
	if !disktest.InChild(t, nil) {
		return
	}
	_, file := tree(t)
	syscall.Umask(0)
	must(t, new(disk.OS).WriteFile(file, nil))
	must(t, disk.CheckFile(file, disk.Secret))
}

// TestWriteConfig makes what others may read, and nobody else may write.
func TestWriteConfig(t *testing.T) {
	if !disktest.InChild(t, nil) {
		return
	}
	parent, _ := tree(t)
	syscall.Umask(0)
	file := filepath.Join(parent, "new.d", "file.toml")
	for _, content := range []string{"first", "second"} {
		must(t, new(disk.OS).WriteConfig(file, []byte(content)))
		if got, err := os.ReadFile(file); err != nil || string(got) != content {
			t.Errorf("%q was written, and %q is there, %v", content, got, err)
		}
	}
	for path, want := range map[string]fs.FileMode{file: 0o644, filepath.Dir(file): fs.ModeDir | 0o755} {
		if st, err := os.Stat(path); err != nil || st.Mode() != want {
			t.Errorf("%s has mode %v, want %v, %v", path, st.Mode(), want, err)
		}
	}
	must(t, disk.CheckFile(file, disk.Config))
}

func TestWriteFileReplacesLinkAndNotItsTarget(t *testing.T) {
	parent, file := tree(t)
	link := filepath.Join(parent, "link")
	must(t, os.Symlink(file, link))
	must(t, new(disk.OS).WriteFile(link, []byte("new")))
	if got, _ := os.ReadFile(file); string(got) != "content" {
		t.Errorf("the link's target now holds %q", got)
	}
	must(t, disk.CheckFile(link, disk.Secret))
}

func TestNothingIsChangedInUntrustedDirectory(t *testing.T) {
	parent, file := tree(t)
	must(t, os.Chmod(parent, 0o777))
	d := new(disk.OS)
	for name, err := range map[string]error{
		"WriteFile": d.WriteFile(file, []byte("new")),
		"Remove":    d.Remove(file),
		"Rename":    d.Rename(file, file+"2"),
		"MkdirAll":  d.MkdirAll(parent + "/dir"),
	} {
		if !errors.As(err, new(*disk.TrustError)) {
			t.Errorf("%s = %v, want a TrustError", name, err)
		}
	}
	for _, err := range d.ReadDir(parent) {
		if !errors.As(err, new(*disk.TrustError)) {
			t.Errorf("ReadDir = %v, want a TrustError", err)
		}
	}
	must(t, os.Chmod(parent, 0o700))
	if got, err := d.ReadFile(file, 100); string(got) != "content" {
		t.Errorf("file holds %q, %v", got, err)
	}
}

func TestReadFileLimit(t *testing.T) {
	_, file := tree(t)
	d := new(disk.OS)
	for limit, want := range map[int64]error{6: disk.ErrTooLarge, 7: nil, 8: nil} {
		if _, err := d.ReadFile(file, limit); !errors.Is(err, want) {
			t.Errorf("7 bytes, limit %d: %v", limit, err)
		}
	}
}

func TestReadFileThatIsLongerThanItSays(t *testing.T) {
	path := fmt.Sprintf("/proc/%d/auxv", os.Getpid()) // says that it is empty
	if got, err := new(disk.OS).ReadFile(path, 1<<16); err == nil {
		t.Errorf("read %d bytes and no error", len(got))
	}
}

// What Replace and its like take for granted, of the machine's directory and of the simulated one.
func TestDir(t *testing.T) {
	_, file := tree(t)
	simulated := new(disktest.FS)
	simulated.Put(file, []byte("content"))
	for name, open := range map[string]func() (disk.Dir, error){
		"OS":       func() (disk.Dir, error) { return disk.OpenDir(file) },
		"disktest": func() (disk.Dir, error) { return simulated.OpenDir(filepath.Dir(file)) },
	} {
		d, err := open()
		must(t, err)
		if _, err := d.Create("x"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: Create of what is there = %v", name, err)
		}
		if err := d.Rename("nothing", d, "x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Rename of what is not there = %v", name, err)
		}
		if err := d.Remove("nothing"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Remove of what is not there = %v", name, err)
		}
		f, err := d.Create("y")
		must(t, err)
		_, err = f.Write([]byte("new"))
		must(t, errors.Join(err, f.Sync(), f.Close(), d.Rename("y", d, "x"), d.Sync(), d.Close()))
	}
	for name, d := range map[string]disk.FS{"OS": new(disk.OS), "disktest": simulated} {
		if got, err := d.ReadFile(file, 100); string(got) != "new" {
			t.Errorf("%s: file holds %q, %v", name, got, err)
		}
	}
}

func TestRemoveRenameMkdir(t *testing.T) {
	parent, file := tree(t)
	d := new(disk.OS)
	deep := filepath.Join(parent, "a/b/c")
	must(t, d.MkdirAll(deep))
	must(t, d.MkdirAll(deep))
	st, err := os.Stat(filepath.Join(parent, "a"))
	must(t, err)
	if st.Mode().Perm() != 0o700 {
		t.Errorf("MkdirAll gave mode %v", st.Mode())
	}
	must(t, d.Rename(file, deep+"/y"))
	if got := names(t, deep); !slices.Equal(got, []string{"y"}) {
		t.Errorf("after Rename %q", got)
	}
	must(t, d.Remove(deep+"/y"))
	for name, err := range map[string]error{
		"Remove":   d.Remove(deep + "/y"),
		"Rename":   d.Rename(deep+"/y", file),
		"ReadFile": second(d.ReadFile(file, 1)),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of a missing file = %v", name, err)
		}
	}
	for _, err := range d.ReadDir(parent + "/nowhere") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadDir of a missing directory = %v", err)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestReadDirStreams(t *testing.T) {
	parent, _ := tree(t)
	want := []string{"x"}
	for i := range 3000 {
		name := fmt.Sprintf("%04d", i)
		want = append(want, name)
		must(t, os.WriteFile(filepath.Join(parent, name), nil, 0o600))
	}
	slices.Sort(want)
	if got := names(t, parent); !slices.Equal(got, want) {
		t.Errorf("%d names, want %d", len(got), len(want))
	}
	for range new(disk.OS).ReadDir(parent) {
		break
	}
}

// The directory that was read from last is kept; that must not outlast the directory, nor the trust in it.
func TestHeldDirectory(t *testing.T) {
	parent, file := tree(t)
	d := new(disk.OS)
	read := func() (string, error) {
		got, err := d.ReadFile(file, 100)
		return string(got), err
	}
	if got, err := read(); got != "content" {
		t.Fatal(got, err)
	}

	must(t, os.Rename(parent, parent+".old"))
	if _, err := read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory moved away: %v", err)
	}
	must(t, os.Mkdir(parent, 0o700))
	must(t, os.WriteFile(file, []byte("other"), 0o600))
	if got, err := read(); got != "other" {
		t.Errorf("directory replaced: %q, %v", got, err)
	}
	must(t, os.Chmod(parent, 0o777))
	if _, err := read(); !errors.As(err, new(*disk.TrustError)) {
		t.Errorf("directory opened to all: %v", err)
	}
	must(t, os.Chmod(parent, 0o700))
	if got, err := read(); got != "other" {
		t.Errorf("directory mended: %q, %v", got, err)
	}

	// Who can write above the directory puts another in its place: that is walked to, and refused.
	above := filepath.Dir(parent)
	must(t, os.Chmod(above, 0o777))
	must(t, os.Rename(parent, parent+".older"))
	must(t, os.Rename(parent+".old", parent))
	if _, err := read(); !errors.As(err, new(*disk.TrustError)) {
		t.Errorf("directory replaced below one that others may write: %v", err)
	}
}

func TestReadWhileDirectoryIsReplaced(t *testing.T) {
	parent, file := tree(t)
	d := new(disk.OS)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				got, err := d.ReadFile(file, 100)
				if string(got) != "content" && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("read %q, %v", got, err)
				}
			}
		})
	}
	for range 200 {
		must(t, os.Rename(parent, parent+".old"))
		must(t, os.Mkdir(parent, 0o700))
		must(t, os.WriteFile(file+".new", []byte("content"), 0o600))
		must(t, os.Rename(file+".new", file))
		must(t, os.RemoveAll(parent+".old"))
	}
	wg.Wait()
}

func TestRoot(t *testing.T) {
	for root, want := range map[disk.Root]string{
		"":      "/var/lib/sallyport/users",
		"/":     "/var/lib/sallyport/users",
		"/srv":  "/srv/var/lib/sallyport/users",
		"/srv/": "/srv/var/lib/sallyport/users",
	} {
		if got := root.Users(); got != want {
			t.Errorf("Root(%q).Users() = %q, want %q", root, got, want)
		}
	}
	// A relative root leads nowhere rather than to the host's own files.
	if err := disk.CheckFile(disk.Root("srv").KeyFile(), disk.Secret); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a relative root is taken: %v", err)
	}
}

func BenchmarkReadFile(b *testing.B) {
	dir := b.TempDir() + "/lib/sallyport/users" // as deep as the vault's
	file := dir + "/alice.toml"
	d := new(disk.OS)
	if err := errors.Join(d.MkdirAll(dir), d.WriteFile(file, make([]byte, 500))); err != nil {
		b.Fatal(err)
	}
	b.Run("held", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.ReadFile(file, 1<<16); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("walked", func(b *testing.B) {
		for b.Loop() {
			if _, err := new(disk.OS).ReadFile(file, 1<<16); err != nil {
				b.Fatal(err)
			}
		}
	})
}
