package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sallyport/internal/disk"
)

// Load reads the policy of a host: the vendor's defaults
// /usr/lib/sallyport/*.toml in name order, then /etc/sallyport/sallyport.toml,
// then /etc/sallyport/sallyport.d/*.toml in name order. Each overrides those
// before it, see Parse. Any of them may be missing; a file that somebody else
// than root could have written is not read. The error is Problems, with all of
// them.
func Load(root disk.Root) (*Policy, error) {
	l := collect(root)
	return parse(l.files, l.problems)
}

// collect reads the files of a host's policy, in the order in which they override each other.
func collect(root disk.Root) loader {
	var l loader
	l.dir(root.Vendor())
	l.file(filepath.Join(root.Config(), "sallyport.toml"), true)
	l.dir(root.DropIns())
	return l
}

// loader collects files, and what is wrong with those that it cannot take.
type loader struct {
	files    []File
	problems Problems
}

// dir adds the *.toml files of a directory in name order, but for hidden ones,
// which editors leave behind.
func (l *loader) dir(path string) {
	if err := disk.CheckDir(path); err != nil {
		l.failed(path, err, true)
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		l.failed(path, err, true)
		return
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".") {
			l.file(filepath.Join(path, name), false)
		}
	}
}

// file adds a file, which may be missing where it is optional.
func (l *loader) file(path string, optional bool) {
	f, err := disk.OpenTrusted(path, disk.Config)
	if err != nil {
		l.failed(path, err, optional)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1)) // one more than Parse takes
	if err != nil {
		l.failed(path, err, false)
		return
	}
	l.files = append(l.files, File{Name: path, Data: data})
}

func (l *loader) failed(path string, err error, optional bool) {
	if optional && errors.Is(err, fs.ErrNotExist) {
		return
	}
	p := Problem{File: path, Text: fmt.Sprintf("This cannot be read: %v.", err)}
	var trust *disk.TrustError
	if errors.As(err, &trust) {
		p.Text = fmt.Sprintf("%q %s.", trust.Path, trust.Problem)
		p.Hint = fmt.Sprintf("Run: %s", trust.Mend)
	}
	l.problems = append(l.problems, p)
}
