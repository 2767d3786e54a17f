package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sallyport/test/host"
)

// container is a guest in systemd-nspawn(1): the machine's kernel, and everything else its own.
type container struct {
	g       *Guest
	root    string
	cgroups []string
	process *host.Process
	leader  int // its process 1, as the private host sees it
}

// Boot boots a container, ready in about a second. nspawn ignores MemoryMax, TasksMax and IPAddressDeny, and has the
// machine's clock, which nothing in it can set.
func Boot(t host.T) *Guest {
	t.Helper()
	return bootContainer(t, Container)
}

// BootPanel boots a container with Cockpit on port 9090.
func BootPanel(t host.T) *Guest {
	t.Helper()
	return bootContainer(t, Panel)
}

func bootContainer(t host.T, image Image) *Guest {
	t.Helper()
	g := newGuest(t, image)
	c := &container{g: g, root: filepath.Join(g.dir, "root")}
	g.kind = c
	c.mount()
	c.makeCgroups()
	g.Start()
	return g
}

// mount lays a writable layer over the image's tree.
func (c *container) mount() {
	t := c.g.t
	t.Helper()
	layer := t.TempDir()
	upper, work := filepath.Join(layer, "upper"), filepath.Join(layer, "work")
	for _, dir := range []string{upper, work, c.root} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatalf("%v", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", filepath.Join(c.g.image, "tree"), upper, work)
	if err := unix.Mount("overlay", c.root, "overlay", 0, options); err != nil {
		t.Fatalf("an overlay over the image: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(c.root, unix.MNT_DETACH) })
	host.WriteFile(t, filepath.Join(c.root, "etc/machine-id"), machineID(t)+"\n", 0o444)
}

// machineID is a new one (machine-id(5)).
func machineID(t host.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		t.Fatalf("%v", err)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "-", ""))
}

func (c *container) start() {
	t := c.g.t
	t.Helper()
	// The shell joins the guest's cgroups, then becomes nspawn.
	join := `for group; do echo $$ >"$group/cgroup.procs" || exit; done; exec systemd-nspawn --quiet --boot --directory="$0" ` +
		`--register=no --keep-unit --private-network --console=pipe --machine=guest`
	c.process = host.Start(t, "/bin/sh", append([]string{"-c", join, c.root}, c.cgroups...)...)
	c.leader = 0
	t.Cleanup(c.cut)
	c.g.eventually("nspawn starts the guest", func() bool {
		if !c.process.Running() {
			t.Fatalf("nspawn has ended:\n%s", c.process.Log())
		}
		c.leader = leader(c.process.PID())
		return c.leader != 0
	})
}

// leader is the child of nspawn that is process 1 of a namespace of its own; 0: not yet.
func leader(nspawn int) int {
	children, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is well formed
	for _, path := range children {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		fields := map[string][]string{}
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok {
				fields[name] = strings.Fields(value)
			}
		}
		ids := fields["NSpid"]
		if len(fields["PPid"]) == 1 && fields["PPid"][0] == strconv.Itoa(nspawn) && len(ids) > 1 && ids[len(ids)-1] == "1" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err == nil {
				return pid
			}
		}
	}
	return 0
}

func (c *container) started() {}

func (c *container) running() *host.Process { return c.process }

// cut kills process 1, with which the kernel kills the rest of its namespace.
func (c *container) cut() {
	if c.leader != 0 && c.process.Running() {
		_ = unix.Kill(c.leader, unix.SIGKILL) // it may just have ended
	}
	c.process.Kill()
}

func (c *container) network() (enter []string, ssh, door int) {
	return []string{"nsenter", "--net", "--target", strconv.Itoa(c.leader)}, 22, doorPort
}

// Leader is the process ID, in the private host, of a container's process 1; 0 for a machine.
func (g *Guest) Leader() int {
	if c, ok := g.kind.(*container); ok {
		return c.leader
	}
	return 0
}

// Root is where the private host sees a container's files; empty for a machine.
func (g *Guest) Root() string {
	if c, ok := g.kind.(*container); ok {
		return c.root
	}
	return ""
}
