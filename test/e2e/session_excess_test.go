package e2e

import (
	"os"
	"strings"
	"testing"

	"sallyport/test/host"
)

// A login from elsewhere displaces the session that is there: its terminal is told, and the shell ends.
func TestSessionDisplaced(t *testing.T) {
	d, alice := newDesk(t, "")
	bob := addDesk(t, alice.s, "bob")
	hers, his := alice.shell("127.0.0.2"), bob.shell("127.0.0.2")
	again := alice.shell("127.0.0.2")
	newer := alice.shell("127.0.0.3")
	open(t, "at once", "alice@127.0.0.3×1 bob@127.0.0.2×1")
	for _, x := range []*host.Terminal{hers, again} {
		x.Expect(`This session was taken over at \d\d:\d\d by a login from 127\.0\.0\.3 \(sshd\)\.`)
		if x.Wait() == 0 {
			t.Error("the displaced client ends as if all were well")
		}
	}
	for _, x := range []*host.Terminal{newer, his} {
		x.Type(greet + "; exit\n")
		x.Expect(inside)
		x.Wait()
	}
	eventuallyOpen(t, "")
	if got := strings.Count(d.Log(), "session displaced"); got != 2 {
		t.Errorf("%d windows were displaced, want 2:\n%s", got, d.Log())
	}
}

func TestSessionDenied(t *testing.T) {
	d, alice := newDesk(t, "[sessions]\nexcess = \"deny\"\n")
	x := alice.shell("127.0.0.2")
	out, err := alice.run("127.0.0.3", greet)
	if err == nil || strings.Contains(out, inside) {
		t.Errorf("a second session: %v: %s", err, out)
	}
	if !strings.Contains(out, "Already logged in from 127.0.0.2 since ") || !strings.Contains(out, "You may have 1 session at a time.") {
		t.Errorf("it is told:\n%s", out)
	}
	if !strings.Contains(alice.s.Log(), "pam_open_session") {
		t.Errorf("sshd does not know of the refusal:\n%s", alice.s.Log())
	}
	x.Type("exit\n")
	x.Wait()
	eventuallyOpen(t, "")
	if out, err := alice.run("127.0.0.3", greet); err != nil || !strings.Contains(out, inside) {
		t.Errorf("afterwards: %v: %s", err, out)
	}
	if !strings.Contains(d.Log(), "session refused: user \"alice\", service sshd, from 127.0.0.3") {
		t.Errorf("not in the log:\n%s", d.Log())
	}
}

// The question comes in the dialogue, after the code; Enter is a no.
func TestSessionAsk(t *testing.T) {
	_, s := protectedSSHD(t, "[sessions]\nexcess = \"ask\"\n"+require("if-enrolled"))
	alice := enrolled(t, "alice")
	first := host.Open(t, s.Client("ssh", "-b", "127.0.0.2", "alice@127.0.0.1"))
	login(t, first, alice.app.Code())
	first.Expect(`\$ `)

	question := `Already logged in from 127\.0\.0\.2 since \d\d:\d\d on pts/\d+\. Take over\? \[y/N\] `
	x := login(t, ssh(t, s, "alice", "-b", "127.0.0.3", "-o", "NumberOfPasswordPrompts=1"), alice.app.Code())
	x.Answer(question, "")
	x.Expect("The other session goes on, and you were not logged in.")
	refused(t, x)
	first.Type(greet + "\n")
	first.Expect(inside)

	x = host.Open(t, s.Client("ssh", "-b", "127.0.0.3", "alice@127.0.0.1"))
	login(t, x, alice.app.Code())
	x.Answer(question, "y")
	x.Expect(`\$ `)
	first.Expect(`taken over at \d\d:\d\d by a login from 127\.0\.0\.3`)
	first.Wait()
	open(t, "the one who took over", "alice@127.0.0.3×1")
	if !strings.Contains(x.Text(), "Last login ") || !strings.Contains(x.Text(), "from 127.0.0.3; 1 session open.") {
		t.Errorf("nobody says when the last login was:\n%s", x.Text())
	}
}

// login(1) on a terminal: the session is on it, and is told and ended when the person logs in from elsewhere.
func TestSessionOnATerminal(t *testing.T) {
	_, alice := newDesk(t, "")
	host.Protect(t, "login")
	x := host.Open(t, host.Command("login"))
	x.Answer("login: ", "alice")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(`\$ `)
	all := sessions(t)
	if len(all) != 1 || all[0].Source != "local" || all[0].Windows[0].Service != "login" || len(all[0].Windows[0].Terminals) != 1 {
		t.Fatalf("%+v", all)
	}
	alice.shell("127.0.0.2")
	x.Expect(`taken over at \d\d:\d\d by a login from 127\.0\.0\.2 \(sshd\)`)
	x.Wait()
	open(t, "at the end", "alice@127.0.0.2×1")
}

// sudo and su inside a session are no sessions, and end none.
func TestSessionSudoInside(t *testing.T) {
	d, alice := newDesk(t, "[sessions]\nexcess = \"deny\"\nlogout = \"all\"\n")
	host.Protect(t, "sudo")
	host.Protect(t, "su")
	host.WriteFile(t, "/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", 0o440)
	t.Cleanup(func() { _ = os.Remove("/etc/sudoers.d/alice") })
	x := alice.shell("127.0.0.2")
	for _, line := range []string{"sudo -n true", "sudo -n su - alice -c true"} {
		x.Type(line + " && " + greet + "\n")
		x.Expect(inside)
	}
	open(t, "after sudo and su", "alice@127.0.0.2×1")
	if got := strings.Count(d.Log(), "session opened"); got != 1 {
		t.Errorf("%d sessions were opened, want 1:\n%s", got, d.Log())
	}
}

// sallyportctl ends a session of real sshd.
func TestSessionEndedByRoot(t *testing.T) {
	_, alice := newDesk(t, "")
	x := alice.shell("127.0.0.2")
	host.Output(t, host.Build(t).Ctl, "sessions", "end", "--yes", sessions(t)[0].ID)
	x.Expect(`This session was ended at \d\d:\d\d by root\.`)
	x.Wait()
	open(t, "afterwards", "")
}
