package system

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestSystemctl: whatever an admin does to the daemon, people get in before it, during it and after it.
//
// The last one gives a recovery code: nspawn puts a boot id of its own over the machine's, which the daemon in its
// sandbox does not see, so a ledger that the module has begun looks to the daemon as if it were of another boot, and the
// codes of the last minute are refused. (TestSystemctl of test/machine has a code there.)
func TestSystemctl(t *testing.T) {
	g := protected(t)
	for i, p := range people(g, 6) {
		command := []string{
			"systemctl status --no-pager sallyportd",
			"systemctl reload sallyportd",
			"systemctl restart sallyportd",
			"systemctl stop sallyportd",
			"systemctl mask --now sallyportd.service",
			"systemctl unmask sallyportd.service && systemctl start sallyportd",
		}[i]
		p.LogIn() // before; the code of its set-up and this one are used
		x := p.Begin()
		g.Run(command) // while it looks for its phone
		answer := p.App.Code()
		if strings.Contains(command, "unmask") {
			answer = p.Recovery[1]
		}
		if screen, in := p.Finish(x, answer); !in {
			t.Errorf("%s during a login:\n%s\n%s", command, screen, g.Log())
		}
		p.LogInWith(p.Recovery[0]) // after
	}
	if state := property(g, "sallyportd", "ActiveState"); state != "active" {
		t.Errorf("sallyportd is %s in the end", state)
	}
}

// TestBadPolicy: a reload with a policy that has problems keeps the one before, and says so where an admin looks.
func TestBadPolicy(t *testing.T) {
	g := protected(t)
	alice := g.AddUser("alice").Enroll()
	const path = "/etc/sallyport/sallyport.d/90-broken.toml"
	g.WriteFile(path, "enabled = false\nenabeld = true\n", 0o644)
	g.Run("systemctl reload sallyportd")
	status := g.Run("systemctl status --no-pager --lines=0 sallyportd")
	if !strings.Contains(status, "The policy has problems, the one before stays in force: "+path+":2:") {
		t.Errorf("systemctl status does not say it:\n%s", status)
	}
	if rejected := g.Journal("SALLYPORT_KIND=policy-rejected"); len(rejected) != 1 || !strings.Contains(rejected[0]["MESSAGE"], "enabeld") {
		t.Errorf("the journal has %v", rejected)
	}
	alice.LogIn() // a code is still asked for
	g.Run("rm " + path + " && systemctl reload sallyportd")
	if text := property(g, "sallyportd", "StatusText"); !strings.HasPrefix(text, "Ready: 1 user enrolled") {
		t.Errorf("the status after the mend: %s", text)
	}
	alice.LogIn()
}

// TestWatchdog: a daemon that hangs is ended and started again by systemd. A login that finds it hanging ends by itself,
// and without a right answer from a verifier nobody is in.
func TestWatchdog(t *testing.T) {
	g := protected(t)
	alice := g.AddUser("alice").Enroll()
	alice.LogIn()
	before := property(g, "sallyportd", "MainPID")
	g.Run("systemctl kill --signal=SIGSTOP sallyportd")
	x := alice.SSH(greet, "-o", "NumberOfPasswordPrompts=1")
	x.Answer(PasswordPrompt, host.Password)
	if status := x.Wait(); status == 0 || strings.Contains(x.Text(), greeting) {
		t.Errorf("exit status %d without a verifier:\n%s", status, x.Text())
	}
	g.Eventually("test $(systemctl show --property=MainPID --value sallyportd) -ne " + before + " && systemctl is-active sallyportd")
	if restarts := property(g, "sallyportd", "NRestarts"); restarts != "1" {
		t.Errorf("%s restarts, want 1", restarts)
	}
	alice.LogIn()
}

// TestSocketActivation: nothing of ours runs until somebody logs in.
func TestSocketActivation(t *testing.T) {
	g := protected(t)
	alice := g.AddUser("alice").Enroll()
	g.Run("systemctl stop sallyportd.service")
	if state := property(g, "sallyportd", "ActiveState"); state != "inactive" {
		t.Fatalf("sallyportd is %s", state)
	}
	alice.LogIn()
	if state := property(g, "sallyportd", "ActiveState"); state != "active" {
		t.Errorf("sallyportd is %s after a login", state)
	}
	g.Reboot()
	alice.LogInWith(alice.Recovery[0])
}

// TestJournal: who came from where, by which fields, and journalctl -x says what it means.
func TestJournal(t *testing.T) {
	g := protected(t)
	alice := g.AddUser("alice").Enroll()
	alice.LogIn("-b", "127.0.0.2")
	alice.Refused(alice.App.Wrong(), "-b", "127.0.0.3")
	for kind, source := range map[string]string{"login-accepted": "127.0.0.2", "login-denied": "127.0.0.3"} {
		entries := g.Journal("SALLYPORT_KIND=" + kind)
		if len(entries) != 1 {
			t.Errorf("%d entries of %s, want 1", len(entries), kind)
			continue
		}
		for field, want := range map[string]string{
			"SALLYPORT_USER": "alice", "SALLYPORT_SERVICE": "sshd", "SALLYPORT_SOURCE": source,
			"SYSLOG_IDENTIFIER": "sallyport", "_SYSTEMD_UNIT": "sallyportd.service",
		} {
			if got := entries[0][field]; got != want {
				t.Errorf("%s: %s is %q, want %q", kind, field, got, want)
			}
		}
		explained := g.Run("journalctl --boot --no-pager -x SALLYPORT_KIND=" + kind)
		if !strings.Contains(explained, "Subject: ") {
			t.Errorf("journalctl -x explains nothing:\n%s", explained)
		}
	}
}
