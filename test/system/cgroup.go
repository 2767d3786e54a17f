package system

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// makeCgroups makes a cgroup for the guest below this process's own in each hierarchy that systemd uses (cgroups(7)):
// guests that share one would take each other's units for theirs. It has the same name in all: where there are two,
// nspawn gives the older one the path of the other.
func (c *container) makeCgroups() {
	t := c.g.t
	t.Helper()
	name := "sallyport-guest-" + machineID(t)
	for _, parent := range ownCgroups(c.g) {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatalf("a cgroup for the guest: %v", err)
		}
		c.cgroups = append(c.cgroups, dir)
	}
	if len(c.cgroups) == 0 {
		t.Fatalf("no cgroup hierarchy of systemd's is mounted on this machine")
	}
	t.Cleanup(func() {
		for _, dir := range c.cgroups {
			c.g.eventually("the guest's processes are gone", func() bool { return removeCgroup(dir) })
		}
	})
}

// ownCgroups are the directories of this process's cgroups in the unified hierarchy and in name=systemd.
func ownCgroups(g *Guest) []string {
	g.t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	var dirs []string
	for line := range strings.Lines(string(mounts)) {
		left, right, _ := strings.Cut(strings.TrimSpace(line), " - ")
		at, what := strings.Fields(left), strings.Fields(right)
		if len(at) < 5 || len(what) < 3 {
			continue
		}
		name := ""
		switch {
		case what[0] == "cgroup2":
			name = "0::"
		case what[0] == "cgroup" && slices.Contains(strings.Split(what[2], ","), "name=systemd"):
			name = ":name=systemd:"
		default:
			continue
		}
		for line := range strings.Lines(string(own)) {
			if _, path, ok := strings.Cut(strings.TrimSpace(line), name); ok {
				dirs = append(dirs, filepath.Join(at[4], path))
			}
		}
	}
	return dirs
}

// removeCgroup removes a cgroup and those below it, and reports whether it is gone: while a process in it dies, it stays.
func removeCgroup(dir string) bool {
	var all []string
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			all = append(all, path)
		}
		return nil // it may be going away
	})
	slices.Reverse(all)
	for _, path := range all {
		_ = os.Remove(path) // whether it is gone is looked at below
	}
	_, err := os.Stat(dir)
	return os.IsNotExist(err)
}
