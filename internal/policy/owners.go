package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// maxOwners bounds a file of owners, in bytes: some 500,000 accounts.
const maxOwners = 16 << 20

// Owners knows the files that delegates' `owners` name: one line "account: owner"
// for each account, empty lines and those that begin with "#" aside
// (/etc/trueuserowners of cPanel & WHM). A file is read again when it has
// changed. One that cannot be read, that somebody else than root could have
// written, or that has a line which is none, gives no account an owner.
//
// It is safe for concurrent use. Do not copy it once it is used.
type Owners struct {
	Now        func() time.Time
	Unreadable func(path string, err error) // called once for each state of a file that gives nothing

	mu    sync.Mutex
	files map[string]ownersFile
}

// ownersFile is what was read, and when the file had changed last.
type ownersFile struct {
	version version
	settled bool // a later change cannot have the same version
	owners  map[string]string
}

// version is what differs when a file has been changed; the zero value is that of one that is not there.
type version struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

// settleTime is longer than the steps in which file systems count time.
const settleTime = 2 * time.Second

// Owner gives the owner of an account; empty: it has none.
func (o *Owners) Owner(path, account string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, read := o.files[path]
	if read && known.settled && known.version == versionOf(path) {
		return known.owners[account]
	}
	next, err := readOwners(path, o.Now())
	if err != nil && (!read || known.owners != nil || known.version != next.version) {
		o.Unreadable(path, err)
	}
	if o.files == nil {
		o.files = make(map[string]ownersFile)
	}
	o.files[path] = next
	return next.owners[account]
}

// readOwners reads a file. owners is nil where there is an error.
func readOwners(path string, now time.Time) (ownersFile, error) {
	read := ownersFile{version: versionOf(path)}
	changed := time.Unix(read.version.ctime.Unix())
	read.settled = now.Sub(changed) > settleTime
	f, err := disk.OpenTrusted(path, disk.Config)
	if err != nil {
		read.settled = false // what is wrong may be put right in a directory above it
		return read, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxOwners+1))
	if err != nil {
		return read, err
	}
	if versionOf(path) != read.version {
		read.settled = false
		return read, &fs.PathError{Op: "read", Path: path, Err: errors.New("it changed while it was read")}
	}
	owners, err := parseOwners(data)
	if err != nil {
		return read, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	read.owners = owners
	return read, nil
}

// versionOf looks at the file. Who may write none of the directories above it cannot put another one in its place
// with the same version.
func versionOf(path string) version {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return version{}
	}
	return version{uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
}

// parseOwners reads the lines. A file that is being written may end anywhere, so the last line has to be whole.
func parseOwners(data []byte) (map[string]string, error) {
	switch {
	case len(data) > maxOwners:
		return nil, fmt.Errorf("it is larger than %d MiB", maxOwners>>20)
	case len(data) > 0 && data[len(data)-1] != '\n':
		return nil, errors.New("its last line is not complete")
	}
	owners := make(map[string]string)
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		account, owner, found := strings.Cut(line, ":")
		account, owner = strings.TrimSpace(account), strings.TrimSpace(owner)
		if !found || isGroup(account) || isGroup(owner) || checkMember(account) != nil || checkMember(owner) != nil {
			return nil, fmt.Errorf("line %d is not \"account: owner\"", n)
		}
		if other, twice := owners[account]; twice && other != owner {
			return nil, fmt.Errorf("line %d gives %s another owner than a line before", n, quote(account))
		}
		owners[account] = owner
	}
	return owners, nil
}

// checkOwners holds the value of `owners` against what can be the path of a file.
func checkOwners(path string) *fault {
	switch {
	case path == "":
		return &fault{"owners must not be empty.", "It names a file; leave it out where over says it all."}
	case len(path) > 4095 || !printable(path): // PATH_MAX, limits.h(0P)
		return &fault{fmt.Sprintf("%s is no path of a file.", quote(path)), ""}
	case path[0] != '/' || path == "/" || path != filepath.Clean(path):
		return &fault{fmt.Sprintf("owners must be an absolute path, without \"..\", not %s.", quote(path)), `Write "/etc/trueuserowners".`}
	}
	return nil
}
