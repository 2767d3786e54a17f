package system

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sallyport/test/host"
)

// Guest is a booted system.
type Guest struct {
	t      host.T
	kind   kind
	dir    string // the harness's own, with a short name: sockets are in it
	image  string // the image's directory
	master *host.Process
}

// With is the same guest for a subtest, which fails by itself.
func (g *Guest) With(t host.T) *Guest {
	sub := *g
	sub.t = t
	return &sub
}

// kind is how a guest runs.
type kind interface {
	// start boots it and returns as soon as there is somebody to connect to.
	start()
	// started does what is left to do when commands can be run in it.
	started()
	// running is the process whose end is the guest's.
	running() *host.Process
	// cut ends it at once.
	cut()
	// network is what a program is started by so that the guest's ports can be reached, and their numbers there.
	network() (enter []string, ssh, door int)
}

// patience is how long a guest may take to boot or to end. It ends tests that have failed and slows no other.
const patience = 10 * time.Minute

func newGuest(t host.T, image Image) *Guest {
	t.Helper()
	path, err := image.dir()
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("no %s image: name it in system.Main (%v)", image, err)
	}
	dir, err := os.MkdirTemp("/run", "guest-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the private host's end takes the rest
	return &Guest{t: t, dir: dir, image: path}
}

// Start boots the guest and waits until all its units are up, or in its target.
func (g *Guest) Start() {
	g.t.Helper()
	g.kind.start()
	g.waitForDoor()
	g.openDoor()
	g.kind.started()
	if state, _ := g.Try("systemctl is-system-running --wait"); strings.TrimSpace(state) != "running" {
		units, _ := g.Try("systemctl --failed --no-legend --plain")
		g.t.Logf("the guest is %s: %s", strings.TrimSpace(state), units)
	}
}

// waitForDoor waits for the door's banner: a port that QEMU forwards takes connections before anybody listens.
func (g *Guest) waitForDoor() {
	g.t.Helper()
	enter, _, port := g.kind.network()
	// A machine under emulation on a busy one takes seconds to agree on a key.
	probe := append(enter, "ssh-keyscan", "-T", "30", "-t", "ed25519", "-p", strconv.Itoa(port), "127.0.0.1")
	g.eventually("the guest's door opens", func() bool {
		if !g.kind.running().Running() {
			g.t.Fatalf("the guest has ended:\n%s", g.Console())
		}
		out, _ := host.Command(probe[0], probe[1:]...).Output() // nobody there yet
		return len(out) > 0
	})
}

// openDoor connects to the door once for all commands that follow.
func (g *Guest) openDoor() {
	g.t.Helper()
	enter, _, port := g.kind.network()
	socket := filepath.Join(g.dir, "door")
	_ = os.Remove(socket) // of the boot before
	line := append(enter, "ssh", "-F", "none", "-M", "-N", "-S", socket, "-i", filepath.Join(g.image, "key"), "-p", strconv.Itoa(port),
		"-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "UserKnownHostsFile="+g.knownHosts(port, "etc/door/host_key.pub"),
		"-o", "StrictHostKeyChecking=yes", "root@127.0.0.1")
	g.master = host.Start(g.t, line[0], line[1:]...)
	g.eventually("the door lets the test in", func() bool {
		if !g.master.Running() {
			g.t.Fatalf("the guest's door does not let the test in:\n%s%s", g.master.Log(), g.Console())
		}
		_, err := os.Stat(socket)
		return err == nil
	})
}

// knownHosts is a file with one of the guest's host keys.
func (g *Guest) knownHosts(port int, key string) string {
	g.t.Helper()
	public, err := os.ReadFile(filepath.Join(g.image, "tree", key))
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	path := filepath.Join(g.dir, fmt.Sprintf("known_hosts-%d", port))
	host.WriteFile(g.t, path, fmt.Sprintf("[127.0.0.1]:%d %s127.0.0.1 %s", port, public, public), 0o600)
	return path
}

// Command is a shell command of root's in the guest, in no session of logind's.
func (g *Guest) Command(line string) *exec.Cmd {
	return host.Command("ssh", "-F", "none", "-S", filepath.Join(g.dir, "door"), "-T", "guest", line)
}

// Forward is a socket on this side that leads to one of the guest's, as root there.
func (g *Guest) Forward(socket string) string {
	g.t.Helper()
	here := filepath.Join(g.dir, filepath.Base(socket))
	host.Output(g.t, "ssh", "-F", "none", "-S", filepath.Join(g.dir, "door"), "-O", "forward", "-L", here+":"+socket, "guest")
	return here
}

// Terminal is a shell command of root's in the guest, on a terminal there. Answer its prompts with Type: Reply would
// wait for somebody on this side to read.
func (g *Guest) Terminal(line string) *host.Terminal {
	g.t.Helper()
	return host.Open(g.t, host.Command("ssh", "-F", "none", "-S", filepath.Join(g.dir, "door"), "-tt", "guest", line))
}

// Run runs a shell command as root in the guest and returns what it printed. A status that is not 0 fails the test.
func (g *Guest) Run(line string) string {
	g.t.Helper()
	out, status := g.Try(line)
	if status != 0 {
		g.t.Fatalf("in the guest, %s: exit status %d\n%s", line, status, out)
	}
	return out
}

// Try is Run for a command that may fail: it returns its status too.
func (g *Guest) Try(line string) (out string, status int) {
	g.t.Helper()
	text, err := g.Command(line).CombinedOutput()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return string(text), ended.ExitCode()
	case err != nil:
		g.t.Fatalf("%v", err)
	}
	return string(text), 0
}

// ReadFile is a file of the guest's.
func (g *Guest) ReadFile(path string) string {
	g.t.Helper()
	return g.Run("cat " + path)
}

// WriteFile writes a file of the guest's, with its directory.
func (g *Guest) WriteFile(path, text string, mode os.FileMode) {
	g.t.Helper()
	cmd := g.Command(fmt.Sprintf("mkdir -p %s && cat >%s && chmod %o %s", filepath.Dir(path), path, mode.Perm(), path))
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("writing %s in the guest: %v\n%s", path, err, out)
	}
}

// Copy copies what is in a directory of the private host's into one of the guest's, owned by root.
func (g *Guest) Copy(from, to string) {
	g.t.Helper()
	tar := host.Command("tar", "-C", from, "--owner=root", "--group=root", "-c", ".")
	pipe, err := tar.StdoutPipe()
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	untar := g.Command(fmt.Sprintf("mkdir -p %s && tar -C %s --keep-directory-symlink --no-overwrite-dir -x", to, to))
	untar.Stdin = pipe
	if err := tar.Start(); err != nil {
		g.t.Fatalf("%v", err)
	}
	out, err := untar.CombinedOutput()
	if tarErr := tar.Wait(); err == nil {
		err = tarErr
	}
	if err != nil {
		g.t.Fatalf("copying %s to the guest: %v\n%s", from, err, out)
	}
}

// Console is what the guest has written on its console.
func (g *Guest) Console() string { return g.kind.running().Log() }

// PowerOff shuts the guest down in order. Start boots it again, with its disk as it is.
func (g *Guest) PowerOff() {
	g.t.Helper()
	_, _ = g.Try("systemctl poweroff --no-block") // the connection may end before the command does
	g.eventually("the guest shuts down", func() bool { return !g.kind.running().Running() })
	g.master.Kill()
}

// Reboot shuts the guest down in order and boots it again.
func (g *Guest) Reboot() {
	g.t.Helper()
	g.PowerOff()
	g.Start()
}

// Cut is the end of the guest's power. Start boots it again, with what had reached its disk.
func (g *Guest) Cut() {
	g.t.Helper()
	g.kind.cut()
	g.master.Kill()
}

// Eventually is host.Eventually with a command in the guest: until its status is 0.
func (g *Guest) Eventually(line string) {
	g.t.Helper()
	g.eventually(line, func() bool {
		_, status := g.Try(line)
		return status == 0
	})
}

func (g *Guest) eventually(what string, done func() bool) {
	g.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(end) {
			console := g.Console()
			g.t.Fatalf("not within %v: %s\nThe console ends with:\n%s", patience, what, console[max(0, len(console)-4096):])
		}
	}
}

// freePorts are two TCP ports that nothing in the private host uses. The kernel gives them at random: the second is asked
// for while the first is taken, or they would now and then be the same.
func freePorts(t host.T) (ssh, way int) {
	t.Helper()
	var ports [2]int
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1]
}
