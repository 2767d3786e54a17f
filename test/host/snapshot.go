package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Snapshot is how a machine looks: its /etc to the last change, the names, kinds, owners and modes of what is in /run
// and /var/lib, and its users.
type Snapshot map[string]string

// busy are the parts of /run and /var/lib where a machine's own services write at any time.
func busy() []string {
	return []string{
		"/run/systemd", "/run/user", "/run/log", "/run/udev", "/run/docker", "/run/containerd", "/run/lock", "/run/NetworkManager",
		"/var/lib/systemd", "/var/lib/docker", "/var/lib/containerd", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/dhcp",
		"/var/lib/NetworkManager",
	}
}

// Look takes a snapshot.
func Look() (Snapshot, error) {
	s := Snapshot{}
	for _, root := range []string{"/etc", "/run", "/var/lib"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && slices.Contains(busy(), path) {
				return filepath.SkipDir
			}
			if err == nil {
				err = s.add(path, root == "/etc")
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it has just gone
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add notes one file. Its ctime changes with every write and every chmod, whatever a program does to hide it.
func (s Snapshot) add(path string, withTime bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	s[path] = fmt.Sprintf("%v %d:%d", info.Mode(), st.Uid, st.Gid)
	if withTime {
		s[path] += fmt.Sprintf(" inode %d changed %d.%09d", st.Ino, st.Ctim.Sec, st.Ctim.Nsec)
	}
	return nil
}

// Changes says what is different later, one line each.
func (s Snapshot) Changes(later Snapshot) []string {
	var lines []string
	for path, was := range s {
		if is, ok := later[path]; !ok {
			lines = append(lines, path+" is gone")
		} else if is != was {
			lines = append(lines, fmt.Sprintf("%s was %s and is %s", path, was, is))
		}
	}
	for path := range later {
		if _, ok := s[path]; !ok {
			lines = append(lines, path+" is new")
		}
	}
	slices.Sort(lines)
	return lines
}

// processesIn lists, as "process PID name", the processes in one of the given namespaces.
func processesIn(namespaces []string) []string {
	var found []string
	links, _ := filepath.Glob("/proc/[0-9]*/ns/*") // the pattern is well formed
	for _, link := range links {
		if ns, err := os.Readlink(link); err != nil || !slices.Contains(namespaces, ns) {
			continue
		}
		dir := filepath.Dir(filepath.Dir(link))
		name, _ := os.ReadFile(filepath.Join(dir, "comm")) // gone already: no name
		found = append(found, "process "+filepath.Base(dir)+" "+strings.TrimSpace(string(name)))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// namespaces are the mount and the PID namespace of a process, as /proc/PID/ns names them.
func namespaces(pid int) ([]string, error) {
	var names []string
	for _, kind := range []string{"mnt", "pid"} {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
