package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// protectedSSHD is a daemon with a policy, and sshd with Sallyport in the stack that Debian ships.
func protectedSSHD(t *testing.T, policy string, lines ...string) (*host.Daemon, *host.SSHD) {
	t.Helper()
	d := host.StartDaemon(t, policy)
	host.Protect(t, "sshd")
	return d, host.StartSSHD(t, lines...)
}

// ssh runs greet on the server as somebody who has a terminal here.
func ssh(t *testing.T, s *host.SSHD, name string, options ...string) *host.Terminal {
	t.Helper()
	return host.Open(t, s.Client("ssh", append(options, name+"@127.0.0.1", greet)...))
}

// login answers the two prompts.
func login(t *testing.T, x *host.Terminal, code string) *host.Terminal {
	t.Helper()
	x.Answer(passwordPrompt, host.Password)
	x.Answer(codePrompt, code)
	return x
}

func TestSSHPasswordAndCode(t *testing.T) {
	log := host.StartSyslog(t)
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	code := alice.app.Code()
	x := login(t, ssh(t, s, "alice"), code)
	x.Expect(inside)
	entered(t, x)
	for what, text := range map[string]string{"the daemon's log": d.Log(), "syslog": log.Text(), "sshd's log": s.Log()} {
		if !strings.Contains(text, "alice") {
			t.Errorf("%s does not know of alice:\n%s", what, text)
		}
		tellsNothing(t, what, text, code)
	}
}

func TestSSHUsedCode(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	code := alice.app.Code()
	entered(t, login(t, ssh(t, s, "alice"), code))
	x := login(t, ssh(t, s, "alice"), code)
	x.Expect("This code has been used already")
	x.Answer(codePrompt, alice.app.Code())
	entered(t, x)
}

func TestSSHWrongCodeThenRight(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := login(t, ssh(t, s, "alice"), alice.app.Wrong())
	x.Expect("The code is wrong")
	x.Answer(codePrompt, "")
	x.Expect("The code is wrong")
	x.Answer(codePrompt, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

func TestSSHWrongPasswordIsNotHelpedByACode(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, "wrong")
	refused(t, x)
	if strings.Contains(x.Text(), codePrompt) {
		t.Errorf("it asks for a code:\n%s", x.Text())
	}
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code())) // and no attempt was burned
}

// Three wrong codes end one try; sshd lets the person try again on the same connection.
func TestSSHThreeWrongCodesAndASecondTry(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := login(t, ssh(t, s, "alice"), alice.app.Wrong())
	x.Answer("wrong(?s:.*)"+codePrompt, alice.app.Wrong())
	x.Answer("wrong(?s:.*)"+codePrompt, alice.app.Wrong())
	login(t, x, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
	if n := strings.Count(s.Log(), "Connection from"); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestSSHThreeWrongCodesEveryTime(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	login(t, x, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	x.Expect("Permission denied")
	refused(t, x)
}

// Five wrong codes lock the source they came from, and no other that the person is known to come from.
func TestSSHLock(t *testing.T) {
	d, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	entered(t, login(t, ssh(t, s, "alice", "-b", "127.0.0.2"), alice.app.Code()))
	x := login(t, ssh(t, s, "alice", "-b", "127.0.0.3"), alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	login(t, x, alice.app.Wrong())
	x.Answer(codePrompt, alice.app.Wrong())
	x.Expect(`Too many wrong codes\. Try again in `)
	x.Close()

	code := alice.app.Code()
	x = ssh(t, s, "alice", "-b", "127.0.0.3", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(`Too many wrong codes\. Try again in `)
	refused(t, x)
	d.Kill() // what is locked stays locked
	d.Start()
	x = ssh(t, s, "alice", "-b", "127.0.0.3", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(`Too many wrong codes\. Try again in `)
	refused(t, x)
	entered(t, login(t, ssh(t, s, "alice", "-b", "127.0.0.2"), code))
}

func TestSSHRecoveryCode(t *testing.T) {
	_, s := protectedSSHD(t, require("always"))
	alice := enrolled(t, "alice")
	x := login(t, ssh(t, s, "alice"), strings.ToLower(alice.recovery[3]))
	x.Expect(inside)
	entered(t, x)
	if !strings.Contains(x.Text(), "You have 9 recovery codes left") {
		t.Errorf("nobody says how many recovery codes are left:\n%s", x.Text())
	}
	x = login(t, ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1"), alice.recovery[3])
	x.Answer("(?s:wrong.*)"+codePrompt, alice.recovery[4])
	x.Expect(inside)
	entered(t, x)
}
