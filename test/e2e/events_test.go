package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestEvents reads what happened out of the journal of a real journald, and what somebody else put there.
func TestEvents(t *testing.T) {
	host.StartJournal(t)
	host.StartDaemon(t, require("if-enrolled"))
	ctl := host.Build(t).Ctl
	alice, bob := enrolled(t, "alice"), enrolled(t, "bob")
	checkCode(t, ctl, "alice", alice.app.Code(), 0)
	checkCode(t, ctl, "bob", bob.app.Wrong(), 1)
	forge(t, alice, "login accepted: user \"root\", service sshd\x1b[2J")

	host.Eventually(t, "the journal has it all", func() bool {
		return strings.Contains(events(t, ctl, "--lines", "0"), `[2J [sent by uid `+alice.Uid+`, not by root]`)
	})
	all := events(t, ctl)
	for _, want := range []string{
		`set-up begun: user "alice", device "phone", by "alice"`,
		`second factor set up: user "bob", device "phone", by "bob"`,
		`login accepted: user "alice", service sallyportctl`,
		`login denied: user "bob", service sallyportctl`,
		`daemon started`,
	} {
		if strings.Count(all, want) != 1 {
			t.Errorf("events do not have %q once:\n%s", want, all)
		}
	}
	if strings.Contains(all, "\x1b") {
		t.Errorf("events print control characters: %q", all)
	}

	about := events(t, ctl, "--user", "bob")
	if strings.Contains(about, "alice") || strings.Contains(about, "daemon started") || !strings.Contains(about, "login denied") {
		t.Errorf("events --user bob:\n%s", about)
	}
	if got := events(t, ctl, "--since", "+1h"); got != "There are none.\n" {
		t.Errorf("events of the future: %s", got)
	}
	if got := events(t, ctl, "--since", "today", "-n", "2"); strings.Count(got, "\n") != 2 {
		t.Errorf("the last two events: %s", got)
	}
	tellsNothing(t, "the journal", all, alice.recovery...)

	var list []struct {
		Kind, Message, Sender string
		Fields                map[string]string
	}
	if err := json.Unmarshal([]byte(events(t, ctl, "--json", "--user", "alice")), &list); err != nil {
		t.Fatal(err)
	}
	last := list[len(list)-1]
	if len(list) != 4 || last.Sender != alice.Uid || list[2].Kind != "login-accepted" || list[2].Sender != "" || list[2].Fields["service"] != "sallyportctl" {
		t.Errorf("events --json --user alice: %+v", list)
	}
	if got := events(t, ctl, "--json", "--since", "+1h"); got != "[]\n" {
		t.Errorf("events of the future in JSON: %s", got)
	}
}

// TestEventsFollow sees an event when it happens.
func TestEventsFollow(t *testing.T) {
	host.StartJournal(t)
	host.StartDaemon(t, require("if-enrolled"))
	ctl := host.Build(t).Ctl
	alice := enrolled(t, "alice")
	p := host.Start(t, ctl, "events", "--follow", "--user", "alice", "--lines", "1")
	host.Eventually(t, "the last event is shown", func() bool { return strings.Contains(p.Log(), "second factor set up") })
	checkCode(t, ctl, "alice", alice.app.Code(), 0)
	host.Eventually(t, "the new one is shown", func() bool { return strings.Contains(p.Log(), "login accepted") })
	if strings.Contains(p.Log(), "set-up begun") || !p.Running() {
		t.Errorf("it ended, or shows more:\n%s", p.Log())
	}
}

// TestEventsForWhoMayNot says so.
func TestEventsForWhoMayNot(t *testing.T) {
	host.StartJournal(t)
	host.StartDaemon(t, require("if-enrolled"))
	alice := enrolled(t, "alice")
	line := host.As(alice.User, host.Build(t).Ctl, "events")
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "The journal cannot be read: No journal files were opened due to insufficient permissions.") {
		t.Errorf("events as alice: %v, %s", err, out)
	}
}

// events runs sallyportctl events as root.
func events(t *testing.T, ctl string, args ...string) string {
	t.Helper()
	out, err := exec.Command(ctl, append([]string{"events"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("events %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// checkCode runs sallyportctl verify, which must end with a status.
func checkCode(t *testing.T, ctl, name, code string, want int) {
	t.Helper()
	cmd := exec.Command(ctl, "verify", name)
	cmd.Stdin = strings.NewReader(code + "\n")
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("verify %s: status %d, want %d\n%s", name, got, want, out)
	}
}

// forge has a user send an entry that looks like one of ours, with what journald takes from anybody.
func forge(t *testing.T, p *person, message string) {
	t.Helper()
	line := host.As(p.User, "logger", "--journald")
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdin = strings.NewReader("MESSAGE_ID=fe078bb1f3ac78d3acfadf5430a5967d\nSALLYPORT_KIND=login-accepted\nSALLYPORT_USER=alice\n_UID=0\nMESSAGE=" + message + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("logger: %v\n%s", err, out)
	}
}
