package attack

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/test/burst"
	"sallyport/test/host"
)

// owner is whose logins must go on, service the one that they come by, mallory who attacks.
const owner, service, mallory = "owner0", "attacked", "mallory"

// What the daemon may take of memory (VmHWM, proc(5)), and a login of time: two answers at the module's five seconds, and
// slack for the conversation on a machine that is loaded.
const (
	mostMemory = 64 << 10 // KiB
	deadline   = 15 * time.Second
)

// siege is a host with somebody who logs in and somebody who attacks.
type siege struct {
	daemon   *host.Daemon
	program  string
	owner    *burst.Person
	attacker *user.User
	binary   string // this one, where the attacker can run it
}

func newSiege(t *testing.T) *siege {
	t.Helper()
	t.Setenv("TMPDIR", "/run") // for the daemon's log: /tmp will be full
	s := &siege{program: burst.Compile(t), attacker: host.AddUser(t, mallory)}
	s.owner = burst.AddPeople(t, "owner", 1)[0]
	host.PAM(t, service, host.Module(t, "auth", "required"))
	s.daemon = host.StartDaemon(t, fmt.Sprintf("[[rule]]\nservices = [%q, \"su-l\", \"sudo\", \"login\"]\nrequire = \"always\"\n", service))
	s.daemon.Kill()
	if err := os.Remove(disk.Root("").LedgerFile()); err != nil {
		t.Fatal(err)
	}
	burst.BeginLedger(t, "")
	s.daemon.Start()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.binary = filepath.Join("/run", "attacker")
	host.Output(t, "install", "-m", "0755", exe, s.binary)
	for _, dir := range open { // those of the private host are as large as the machine's memory
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "size=128m"); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
	}
	t.Cleanup(func() { // when the attackers have ended
		for _, dir := range open {
			host.Output(t, "find", dir, "-mindepth", "1", "-user", mallory, "-delete")
		}
	})
	return s
}

// everything is all roles at once.
const everything = "all of it at once"

func (s *siege) attackAll(t *testing.T) []*attacker {
	t.Helper()
	return s.play(t, 1, slices.Sorted(maps.Keys(roles))...)
}

// play has attackers play roles, and returns when each has done its worst so often.
func (s *siege) play(t *testing.T, often int, names ...string) (all []*attacker) {
	t.Helper()
	for _, name := range names {
		for range roles[name].processes {
			all = append(all, s.attack(t, name))
		}
	}
	host.Eventually(t, "every attacker does its worst", func() bool {
		for _, a := range all {
			if a.count(t) < often {
				return false
			}
		}
		return true
	})
	return all
}

// vault is what every record holds but the attacker's own.
func vault(t *testing.T) map[string][sha256.Size]byte {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(disk.Root("").Users(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string][sha256.Size]byte{}
	for _, path := range all {
		name := filepath.Base(path)
		if name == mallory+".toml" || disk.IsTemp(name) {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sums[name] = sha256.Sum256(data)
	}
	return sums
}

// small fails the test where the daemon has taken more memory than it may. It returns the most that it has had, in KiB.
func (s *siege) small(t *testing.T) int {
	t.Helper()
	memory := s.memory(t)
	if memory > mostMemory {
		t.Errorf("the daemon took %d KiB of memory, and may take %d", memory, mostMemory)
	}
	return memory
}

var highest = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// memory is the most that the daemon has had at once, in KiB.
func (s *siege) memory(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.daemon.PID()))
	if err != nil {
		t.Fatal(err)
	}
	found := highest.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmHWM in:\n%s", text)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// attacker is a process of the attacker's.
type attacker struct {
	cmd    *exec.Cmd
	ask    io.Writer
	told   *bufio.Scanner
	errors strings.Builder
}

// attack starts one.
func (s *siege) attack(t *testing.T, name string) *attacker {
	t.Helper()
	line := host.As(s.attacker, "env", roleVariable+"="+name, s.binary)
	a := &attacker{cmd: host.Command(line[0], line[1:]...)}
	a.cmd.Stderr = &a.errors
	stdin, err := a.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	a.ask, a.told = stdin, bufio.NewScanner(stdout)
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.end)
	return a
}

// count is how often it has done its worst.
func (a *attacker) count(t *testing.T) int {
	t.Helper()
	fmt.Fprintln(a.ask)
	if !a.told.Scan() {
		t.Fatalf("the attacker has ended: %v %s", a.told.Err(), &a.errors)
	}
	n, err := strconv.Atoi(a.told.Text())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (a *attacker) end() {
	_ = a.cmd.Process.Kill() // or it has ended
	_ = a.cmd.Wait()
}
