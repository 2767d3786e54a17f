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
	"sallyport/test/proof"
)

// owner is whose logins must go on, service the one that they come by.
const owner, service = "owner0", "attacked"

// What the daemon may take of memory (VmHWM, proc(5)), and a login of time: two answers at the module's five seconds, and
// slack for the conversation on a machine that is loaded.
const (
	mostMemory = 64 << 10 // KiB
	deadline   = 15 * time.Second
)

// TestLocalAttacker: whatever a user does, root's logins get their answers in time, the daemon stays small, and nothing of
// anybody else's is changed.
func TestLocalAttacker(t *testing.T) {
	s := newSiege(t)
	table := proof.NewTable("while a user attacks with", "done so often", "logins of others", "slowest", "the daemon's memory, at most", "lines in the log about it")
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		s.under(t, table, name)
	}
	s.under(t, table, "all of it at once", "")
	if !t.Failed() {
		proof.Keep(t, "local attacker", table)
	}
}

// TestManyLocalAttackers: as many users as have room beside one another, on both sockets, do not make the daemon large.
func TestManyLocalAttackers(t *testing.T) {
	const each, users = 64, 16
	s := newSiege(t)
	var all []*attacker
	for _, p := range burst.AddPeople(t, "mallory", users) {
		id := strconv.Itoa(int(p.UID))
		s.attacker = &user.User{Uid: id, Gid: id}
		for _, role := range []string{"all of a message but its end", "logins that do not begin"} {
			all = append(all, s.attack(t, role))
		}
	}
	host.Eventually(t, "all of them have their connections", func() bool {
		for _, a := range all {
			if a.count(t) < each {
				return false
			}
		}
		return true
	})
	slowest := s.logins(t, proof.Rounds(3, 100))
	memory := s.memory(t)
	if memory > mostMemory {
		t.Errorf("the daemon took %d KiB of memory, and may take %d", memory, mostMemory)
	}
	table := proof.NewTable("attackers", "connections that they hold", "logins of others", "slowest", "the daemon's memory, at most")
	table.Row(users, 2*each*users, fmt.Sprintf("all %d got in", proof.Rounds(3, 100)), slowest.Round(time.Millisecond), fmt.Sprintf("%.0f MiB", float64(memory)/1024))
	if !t.Failed() {
		proof.Keep(t, "many local attackers", table)
	}
}

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
	s := &siege{program: burst.Compile(t), attacker: host.AddUser(t, "mallory")}
	s.owner = burst.AddPeople(t, "owner", 1)[0]
	host.PAM(t, service, host.Module(t, "auth", "required"))
	s.daemon = host.StartDaemon(t, fmt.Sprintf("[[rule]]\nservices = [%q]\nrequire = \"always\"\n", service))
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
	return s
}

// under has the owner log in while the attacker plays a role, or all of them.
func (s *siege) under(t *testing.T, table *proof.Table, names ...string) {
	t.Helper()
	t.Run(names[0], func(t *testing.T) {
		playing, often := []string{names[0]}, roles[names[0]].often
		if len(names) > 1 {
			playing, often = nil, 1
			for name := range roles {
				playing = append(playing, name)
			}
		}
		began, quiet := time.Now(), len(s.daemon.Log())
		var all []*attacker
		for _, name := range playing {
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
		slowest := s.logins(t, proof.Rounds(6, 100))
		lines := s.lines(t, quiet, time.Since(began))
		done := 0
		for _, a := range all {
			done += a.count(t)
			if said := a.errors.String(); said != "" {
				t.Errorf("the attacker says: %s", said)
			}
			a.end()
		}
		memory := s.memory(t)
		if memory > mostMemory {
			t.Errorf("the daemon took %d KiB of memory, and may take %d", memory, mostMemory)
		}
		table.Row(names[0], done, fmt.Sprintf("all %d got in", proof.Rounds(6, 100)), slowest.Round(time.Millisecond), fmt.Sprintf("%.0f MiB", float64(memory)/1024), lines)
	})
}

// mostLines is how many lines one user can have the daemon log in a minute: 30 about what takes a code, 30 about what takes
// none, and a count of the rest of each.
const mostLines = 62

// lines are those about others than the owner, since the log was so long, in that time. Each login of the owner's has one.
func (s *siege) lines(t *testing.T, quiet int, took time.Duration) int {
	t.Helper()
	log := s.daemon.Log()[quiet:]
	accepted := strings.Count(log, fmt.Sprintf("login accepted: user %q", owner))
	if want := proof.Rounds(6, 100); accepted != want {
		t.Errorf("the log has %d logins of %s, want %d", accepted, owner, want)
	}
	others := strings.Count(log, "\n") - accepted
	if most := mostLines * (int(took/time.Minute) + 2); others > most {
		t.Errorf("the log has %d lines about others in %v, want at most %d", others, took, most)
	}
	return others
}

// logins are the owner's, each with a new device. The vault is the same before and after each.
func (s *siege) logins(t *testing.T, n int) (slowest time.Duration) {
	t.Helper()
	for range n {
		burst.Enrol(t, s.owner)
		before := vault(t)
		o := burst.One(t, s.program, nil, burst.Attempt{Service: service, User: owner, Code: s.owner.Code(time.Now())})
		if !o.Granted() || o.Took > deadline {
			t.Errorf("a right code: %s, after %v", o.Result(), o.Took)
		}
		slowest = max(slowest, o.Took)
		if after := vault(t); !maps.Equal(before, after) {
			t.Errorf("the vault was %v and is %v", before, after)
		}
	}
	return slowest
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
		if name == "mallory.toml" || disk.IsTemp(name) {
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
