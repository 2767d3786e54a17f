package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// The module answers for a daemon that is gone, and what it accepted stays used when the daemon is back.
func TestSSHDaemonKilled(t *testing.T) {
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	before := alice.app.Code()
	entered(t, login(t, ssh(t, s, "alice"), before))
	d.Kill()
	x := login(t, ssh(t, s, "alice"), before)
	x.Expect("used already")
	x.Answer(codePrompt, alice.app.Wrong())
	x.Expect("wrong")
	during := alice.app.Code()
	x.Answer(codePrompt, during)
	entered(t, x)
	d.Start()
	x = login(t, ssh(t, s, "alice"), during)
	x.Expect("used already")
	x.Answer(codePrompt, before)
	x.Expect("used already")
}

func TestSSHDaemonStoppedInGoodOrder(t *testing.T) {
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	before := alice.app.Code()
	entered(t, login(t, ssh(t, s, "alice"), before))
	d.Stop()
	d.Start()
	x := login(t, ssh(t, s, "alice"), before)
	x.Expect("used already")
	x.Answer(codePrompt, alice.app.Code())
	entered(t, x)
}

// A power loss takes /run. A code that may have been used before is not taken, and a recovery code is.
func TestSSHPowerLoss(t *testing.T) {
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	code := alice.app.Code()
	entered(t, login(t, ssh(t, s, "alice"), code))
	d.Kill()
	host.LoseRun(t)
	d.Start()
	x := login(t, ssh(t, s, "alice"), code)
	x.Expect("has just started")
	x.Answer(codePrompt, alice.recovery[0])
	x.Expect(inside)
	entered(t, x)
}

func TestSSHDaemonMayNotBeReplaced(t *testing.T) {
	d, s := protectedSSHD(t, "on_daemon_failure = \"deny\"\n"+require("always"))
	alice := enrolled(t, "alice")
	d.Kill()
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	x.Expect("unavailable")
	refused(t, x)
	d.Start()
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))
}

// sshd checks a password in its monitor and holds a dialogue in a child: each wakes the Go half in a process of its own.
// (Both must succeed. After a failed try by password every later one on the connection ends at pam_setcred, which takes
// the results of that first try: so does plain Debian with pam_unix alone.)
func TestSSHPasswordThenDialogueWithoutADaemon(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	splitStack(t)
	s := host.StartSSHD(t, "PasswordAuthentication yes", "AuthenticationMethods password,keyboard-interactive")
	alice := enrolled(t, "alice")
	d.Kill()
	x := ssh(t, s, "alice")
	code := alice.app.Code()
	x.Answer(`alice@127\.0\.0\.1's password: `, host.Password+code)
	x.Answer(splitPrompt, host.Password+code) // used by now
	x.Answer(splitPrompt, host.Password+alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

// A daemon that restarts in the middle of a login costs nobody the login.
func TestSSHDaemonRestartsInTheMiddle(t *testing.T) {
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := ssh(t, s, "alice")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(codePrompt)
	d.Kill()
	d.Start()
	x.Reply(alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

// A damaged record denies its user, names the file, changes nothing, and touches nobody else.
func TestSSHDamagedRecord(t *testing.T) {
	d, s := protectedSSHD(t, require("if-enrolled"))
	alice, bob := enrolled(t, "alice"), enrolled(t, "bob")
	const path = "/var/lib/sallyport/users/alice.toml"
	host.Output(t, "truncate", "--size", "40", path)
	damaged := host.Output(t, "sha256sum", path)
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	if x.Expect(codePrompt + "|Permission denied")[0] == "Verification code: " {
		x.Reply(alice.app.Code())
	}
	x.Close()
	if strings.Contains(x.Text(), inside) {
		t.Errorf("let in with a damaged record:\n%s", x.Text())
	}
	if !strings.Contains(d.Log(), path) {
		t.Errorf("the log does not name %s:\n%s", path, d.Log())
	}
	if now := host.Output(t, "sha256sum", path); now != damaged {
		t.Error("the record was changed")
	}
	entered(t, login(t, ssh(t, s, "bob"), bob.app.Code()))
}

// What the README names for when everything is broken: enabled = false, without a daemon, with nothing left to verify by.
func TestSSHSwitchedOffWhenAllIsBroken(t *testing.T) {
	d, s := protectedSSHD(t, "on_daemon_failure = \"deny\"\n"+require("always"))
	enrolled(t, "alice")
	d.Kill()
	host.WriteFile(t, "/run/sallyport/ledger.db", "garbage", 0o600)
	host.WriteFile(t, "/var/lib/sallyport/users/alice.toml", "garbage", 0o600)
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	refused(t, x)
	host.Policy(t, "enabled = false\non_daemon_failure = \"deny\"\n"+require("always"))
	x = ssh(t, s, "alice")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(inside)
	entered(t, x)
}
