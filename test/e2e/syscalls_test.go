package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sallyport/test/host"
)

// filter is the unit's SystemCallFilter, expanded by systemd.
type filter struct {
	groups  map[string][]string // "@io-event" → calls, those of the groups in it too
	allowed map[string]bool
}

// unitFilter reads the filter of the unit: a list, what is taken out of it, and what is put in again.
func unitFilter(t *testing.T) filter {
	t.Helper()
	top, err := host.Repository()
	if err != nil {
		t.Fatal(err)
	}
	unit, err := os.ReadFile(filepath.Join(top, "systemd/sallyportd.service"))
	if err != nil {
		t.Fatal(err)
	}
	f := filter{map[string][]string{}, map[string]bool{}}
	direct := map[string][]string{}
	group := ""
	for line := range strings.Lines(host.Output(t, "systemd-analyze", "--no-pager", "syscall-filter")) {
		switch name := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "@"):
			group = name
		case strings.HasPrefix(line, " ") && name != "" && name[0] != '#':
			direct[group] = append(direct[group], name)
		}
	}
	var expand func(name string) []string
	expand = func(name string) []string {
		if name[0] != '@' {
			return []string{name}
		}
		var all []string
		for _, inner := range direct[name] {
			all = append(all, expand(inner)...)
		}
		return all
	}
	for name := range direct {
		f.groups[name] = expand(name)
	}
	for _, m := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(string(unit), -1) {
		for _, name := range strings.Fields(m[2]) {
			for _, call := range expand(name) {
				f.allowed[call] = m[1] == ""
			}
		}
	}
	if !f.allowed["openat"] || f.allowed["ptrace"] || f.allowed["setuid"] {
		t.Fatalf("the filter is not understood: %d calls", len(f.allowed))
	}
	return f
}

// called are the system calls in a trace, and those of kill's kind that needed a capability.
func called(t *testing.T, trace string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z_0-9]+)\(`).FindAllStringSubmatch(string(data), -1) {
		calls[m[1]]++
	}
	return calls
}

// unlisted are calls that a program makes before systemd's filter would count, or that are none for the filter.
var unlisted = []string{"execve"} // systemd's own, in front of the program

// TestSystemCalls traces the daemon through its life: start, enrolment, right and wrong logins, reload, sessions that open,
// displace each other and end by a signal, a new key for the vault, stop. Every call that it makes is one that the unit
// allows. What the unit allows beyond that is in docs/security.md, by group; the log has the lists.
func TestSystemCalls(t *testing.T) {
	f := unitFilter(t)
	trace := filepath.Join(t.TempDir(), "trace")
	host.Fresh(t, require("always")+"[sessions]\nservices = [\"sshd\"]\nlimit = 1\n")
	host.StartJournal(t)
	daemon := host.Start(t, "setpriv", append(only("kill"), "strace", "-D", "-f", "-qq", "-o", trace, host.Build(t).Daemon)...)
	host.Eventually(t, "the daemon takes calls", host.DaemonAnswers)
	live(t, daemon)
	if status := daemon.Terminate(); status != 0 {
		t.Fatalf("the daemon ended with status %d", status)
	}
	var calls map[string]int
	host.Eventually(t, "the trace ends", func() bool {
		calls = called(t, trace)
		return calls["exit_group"] > 0
	})
	for _, wanted := range []string{"pidfd_open", "pidfd_send_signal", "fsync", "flock", "renameat", "accept4", "adjtimex"} {
		if calls[wanted] == 0 {
			t.Errorf("%s is not called: this tests little", wanted)
		}
	}
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		if !f.allowed[call] && !slices.Contains(unlisted, call) {
			t.Errorf("the daemon calls %s, %d times, which the unit forbids", call, calls[call])
		}
	}
	report(t, f, calls)
}

// only is setpriv's options for a root that has no capability but these.
func only(capabilities ...string) []string {
	bound := "-all"
	for _, c := range capabilities {
		bound += ",+" + c
	}
	return []string{"--no-new-privs", "--bounding-set=" + bound, "--inh-caps=-all"}
}

// TestCapabilities: with CAP_KILL, the unit's only one, the daemon ends a session whose leader is a process of the user's.
// Without it that process stays, so the capability is needed.
func TestCapabilities(t *testing.T) {
	unit := host.Output(t, "grep", "-h", "^CapabilityBoundingSet=", "../../systemd/sallyportd.service")
	if strings.TrimSpace(unit) != "CapabilityBoundingSet=CAP_KILL" {
		t.Fatalf("the unit has %s", unit)
	}
	for name, ends := range map[string]bool{"kill": true, "": false} {
		t.Run("capability "+name, func(t *testing.T) {
			host.Fresh(t, require("always")+"[sessions]\nservices = [\""+service+"\"]\nlimit = 1\njoin = \"never\"\n")
			options := only()
			if name != "" {
				options = only(name)
			}
			host.Start(t, "setpriv", append(options, host.Build(t).Daemon)...)
			host.Eventually(t, "the daemon takes calls", host.DaemonAnswers)
			onlySallyport(t)
			alice := enrolled(t, "alice-"+name+"x")
			// Its own process is the leader; at the end it stands at a prompt.
			first := host.Open(t, alice.command("pamtester", service, alice.Username, "authenticate", "open_session", "authenticate"))
			first.Answer(codePrompt, alice.app.Code())
			first.Expect("opened|" + codePrompt)
			second := pamtester(t, alice.Username, "authenticate", "open_session")
			second.Answer(codePrompt, alice.recovery[0])
			second.Wait()
			if ends {
				host.Eventually(t, "the first session's leader ends", first.Ended)
			} else if first.Ended() {
				t.Errorf("it ended without the capability:\n%s", first.Text())
			}
			first.Close()
		})
	}
}

// live is the daemon's life.
func live(t *testing.T, daemon *host.Process) {
	t.Helper()
	host.Protect(t, "sshd")
	s := host.StartSSHD(t)
	alice := enrolled(t, "alice")
	login := func(code string) *host.Terminal {
		x := host.Open(t, s.Client("ssh", "-tt", "alice@127.0.0.1", "echo in $((6*7)); exec sleep 1000"))
		x.Answer(`[Pp]assword: `, host.Password)
		x.Answer(codePrompt, code)
		return x
	}
	login(alice.app.Wrong()).Expect("wrong")
	first := login(alice.app.Code())
	first.Expect("in 42")
	host.Policy(t, require("always")+"[sessions]\nservices = [\"sshd\"]\nlimit = 1\njoin = \"never\"\n")
	host.Output(t, "kill", "-HUP", fmt.Sprint(daemon.PID()))
	host.Output(t, host.Build(t).Ctl, "policy", "status")
	second := login(alice.recovery[0])
	second.Expect("in 42")
	first.Wait() // displaced
	host.Output(t, host.Build(t).Ctl, "vault", "seal")
	host.Output(t, host.Build(t).Ctl, "users")
	host.Output(t, host.Build(t).Ctl, "clock")
	second.Close()
}

// report logs what was called, and what the unit allows beyond that.
func report(t *testing.T, f filter, calls map[string]int) {
	t.Helper()
	t.Logf("%d calls are made: %s", len(calls), strings.Join(slices.Sorted(maps.Keys(calls)), " "))
	for _, name := range slices.Sorted(maps.Keys(f.groups)) {
		var used, idle int
		for _, call := range f.groups[name] {
			if f.allowed[call] && calls[call] > 0 {
				used++
			} else if f.allowed[call] {
				idle++
			}
		}
		if used+idle > 0 && name != "@default" {
			t.Logf("%s: %d used, %d more allowed", name, used, idle)
		}
	}
}
