package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sallyport/test/host"
)

// desk is somebody with a key, who may log in with it from any address of 127.0.0.0/8.
type desk struct {
	*person
	t   *testing.T
	s   *host.SSHD
	key []string
}

// newDesk is a daemon with the policy, sshd, and alice, who has no second factor and is let in with her key.
func newDesk(t *testing.T, policy string, lines ...string) (*host.Daemon, *desk) {
	t.Helper()
	d, s := protectedSSHD(t, policy+require("if-enrolled"), lines...)
	return d, addDesk(t, s, "alice")
}

func addDesk(t *testing.T, s *host.SSHD, name string) *desk {
	t.Helper()
	p := &person{User: host.AddUser(t, name)}
	return &desk{person: p, t: t, s: s, key: p.sshKey(t)}
}

// from are the arguments of a client at that address.
func (d *desk) from(address string, args ...string) []string {
	return append(slices.Concat(d.key, []string{"-o", "BindAddress=" + address, "-o", "BatchMode=yes"}), args...)
}

func (d *desk) target() string { return d.Username + "@127.0.0.1" }

// shell is an interactive shell of a client at that address.
func (d *desk) shell(address string) *host.Terminal {
	d.t.Helper()
	x := host.Open(d.t, d.s.Client("ssh", d.from(address, d.target())...))
	x.Expect(`\$ `)
	return x
}

// run is a command's output.
func (d *desk) run(address, command string) (string, error) {
	out, err := d.s.Client("ssh", d.from(address, d.target(), command)...).CombinedOutput()
	return string(out), err
}

// openWindow and openSession are as "sallyportctl sessions --json" has them.
type openWindow struct {
	Service   string   `json:"service"`
	Terminals []string `json:"terminals"`
	PID       int      `json:"pid"`
}

type openSession struct {
	ID      string       `json:"id"`
	User    string       `json:"user"`
	Source  string       `json:"source"`
	Windows []openWindow `json:"windows"`
}

func sessions(t *testing.T) []openSession {
	t.Helper()
	var all []openSession
	out := host.Output(t, host.Build(t).Ctl, "sessions", "--json")
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return all
}

// summary is who is logged in, "user@source×windows ..." by age.
func summary(t *testing.T) string {
	t.Helper()
	var texts []string
	for _, s := range sessions(t) {
		texts = append(texts, fmt.Sprintf("%s@%s×%d", s.User, s.Source, len(s.Windows)))
	}
	return strings.Join(texts, " ")
}

func eventuallyOpen(t *testing.T, want string) {
	t.Helper()
	got := ""
	defer func() {
		if got != want {
			t.Logf("open at last: %q", got)
		}
	}()
	host.Eventually(t, fmt.Sprintf("open are %q", want), func() bool { got = summary(t); return got == want })
}

func open(t *testing.T, what, want string) {
	t.Helper()
	if got := summary(t); got != want {
		t.Errorf("%s: open are %q, want %q", what, got, want)
	}
}

// leader is the process that leads the only session's only window.
func leader(t *testing.T) int {
	t.Helper()
	all := sessions(t)
	if len(all) != 1 || len(all[0].Windows) != 1 {
		t.Fatalf("not one window: %+v", all)
	}
	return all[0].Windows[0].PID
}

// kill sends a signal to a process that another one has started.
func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
