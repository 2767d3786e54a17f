// Package rollout puts Sallyport's module into the login stacks of a host, and takes it out again byte for byte. A change
// can undo itself unless somebody confirms it from a new login.
package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"sallyport/internal/disk"
	"sallyport/internal/doctor"
)

// Target is what a setup protects.
type Target string

// The targets.
const (
	SSH     Target = "ssh"
	Sudo    Target = "sudo"
	Cockpit Target = "cockpit"
)

// Targets lists all of them.
func Targets() []Target { return []Target{SSH, Sudo, Cockpit} }

// services are the PAM services of a target. All but the first may be missing.
func (t Target) services() []string {
	return map[Target][]string{SSH: {"sshd"}, Sudo: {"sudo", "sudo-i"}, Cockpit: {"cockpit"}}[t]
}

// Setup is one target on one host, or in one tree.
type Setup struct {
	Root   disk.Root
	Target Target
	Now    time.Time
}

func (s Setup) patient() doctor.Patient { return doctor.Patient{Root: s.Root, Now: s.Now} }

// live reports whether it is about the host that this process runs on.
func (s Setup) live() bool { return s.Root == "" || s.Root == "/" }

// prefix is what stands before the host's paths.
func (s Setup) prefix() string {
	if s.live() {
		return ""
	}
	return string(s.Root)
}

// Change is one file, before and after.
type Change struct {
	Path    string
	Existed bool
	Mode    fs.FileMode
	UID     int
	GID     int
	Before  []byte
	After   []byte
}

// Diff is the change as a unified diff.
func (c Change) Diff() string {
	_, text, _ := bytes.Cut(diff.Diff(c.Path, c.Before, c.Path, c.After), []byte("\n")) // the first line names the program
	return string(text)
}

// Plan lists the changes that are needed; none: everything is in place.
func (s Setup) Plan(ctx context.Context) ([]Change, error) {
	var all []Change
	for i, name := range s.Target.services() {
		c, err := s.planService(name)
		switch {
		case err != nil && i == 0:
			return nil, err
		case err == nil && c != nil:
			all = append(all, *c)
		}
	}
	if s.Target != SSH {
		return all, nil
	}
	c, err := s.planSSHD(ctx)
	if c != nil {
		all = append(all, *c)
	}
	return all, err
}

// planService is the change of a service's file. A vendor's file stays as it is: the host's own comes before it.
func (s Setup) planService(name string) (*Change, error) {
	file, edits, err := doctor.Insertion(s.patient(), name)
	if err != nil || len(edits) == 0 {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	after, err := doctor.Change(string(text), edits)
	if err != nil {
		return nil, err
	}
	return change(filepath.Join(s.prefix(), "/etc/pam.d", name), []byte(after))
}

// change is a file as it is now, and what is to be in it; nil: it is so already.
func change(path string, after []byte) (*Change, error) {
	c := &Change{Path: path, Mode: 0o644, After: after}
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file, so somebody else looks after it: make the change there", path)
	}
	c.Existed, c.Mode = true, st.Mode().Perm()
	if owner, ok := st.Sys().(*syscall.Stat_t); ok {
		c.UID, c.GID = int(owner.Uid), int(owner.Gid)
	}
	if c.Before, err = os.ReadFile(path); bytes.Equal(c.Before, after) {
		return nil, err
	}
	return c, err
}

// Objections are the findings of the doctor, about the host as it would be, that speak against the changes: somebody
// would be locked out.
func (s Setup) Objections(ctx context.Context, changes []Change) ([]doctor.Finding, error) {
	dir, err := os.MkdirTemp("", "sallyport-setup-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // in /tmp
	if err := s.stage(dir, changes); err != nil {
		return nil, err
	}
	p := s.patient()
	p.Staged = dir
	all, err := doctor.Examine(ctx, p)
	return slices.DeleteFunc(all, func(f doctor.Finding) bool {
		ours := len(f.Services) == 0 || slices.ContainsFunc(f.Services, func(name string) bool { return slices.Contains(s.Target.services(), name) })
		return f.Effect != doctor.LocksOut || !ours
	}), err
}

// stage copies PAM's and sshd's configuration into a directory, and makes the changes there.
func (s Setup) stage(dir string, changes []Change) error {
	for _, from := range []string{"/etc/pam.d", "/usr/lib/pam.d", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"} {
		if err := copyText(s.prefix()+from, dir+from); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, c := range changes {
		to := dir + strings.TrimPrefix(c.Path, s.prefix())
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, c.After, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyText copies a file, or the files of a directory.
func copyText(from, to string) error {
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if st.IsDir() {
		entries, err := os.ReadDir(from)
		for _, e := range entries {
			if err == nil && !e.IsDir() {
				err = copyText(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
			}
		}
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
