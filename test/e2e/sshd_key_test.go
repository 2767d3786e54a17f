package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// sshKey gives the person a key that the server takes, and returns the options for it.
func (p *person) sshKey(t *testing.T) []string {
	t.Helper()
	key := t.TempDir() + "/key"
	host.Output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	home := p.HomeDir + "/.ssh"
	host.Output(t, "install", "-d", "-m", "0700", "-o", p.Uid, home)
	host.Output(t, "install", "-m", "0600", "-o", p.Uid, key+".pub", home+"/authorized_keys")
	return []string{"-i", key}
}

func TestSSHKeyThenCode(t *testing.T) {
	host.StartDaemon(t, require("always"))
	host.PAM(t, "sshd",
		host.Module(t, "auth", "required"),
		host.Module(t, "account", "required"),
		"@include common-account",
		"@include common-session",
		host.Module(t, "session", "optional"),
	)
	s := host.StartSSHD(t, "AuthenticationMethods publickey,keyboard-interactive")
	alice := enrolled(t, "alice")
	key := alice.sshKey(t)
	code := alice.app.Code()
	x := ssh(t, s, "alice", key...)
	x.Answer(codePrompt, code)
	x.Expect(inside)
	entered(t, x)
	if strings.Contains(x.Text(), passwordPrompt) {
		t.Errorf("it asks for a password:\n%s", x.Text())
	}
	x = ssh(t, s, "alice", append(key, "-o", "NumberOfPasswordPrompts=1")...)
	x.Answer(codePrompt, code)
	x.Answer("used already(?s:.*)"+codePrompt, alice.app.Wrong())
	x.Answer("wrong(?s:.*)"+codePrompt, alice.app.Wrong())
	refused(t, x)
	x = ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1") // no key: no question either
	refused(t, x)
	if strings.Contains(x.Text(), codePrompt) {
		t.Errorf("it asks for a code before it has seen the key:\n%s", x.Text())
	}
}

// A key login skips the auth part of the stack; the account part closes the hole.
func TestSSHKeyAlone(t *testing.T) {
	d, s := protectedSSHD(t, require("if-enrolled"))
	alice := enrolled(t, "alice")
	bob := &person{User: host.AddUser(t, "bob")}
	x := ssh(t, s, "alice", alice.sshKey(t)...)
	x.Expect("AuthenticationMethods publickey,keyboard-interactive")
	refused(t, x)
	if !strings.Contains(s.Log(), "Access denied for user alice by PAM account configuration") {
		t.Errorf("sshd's log:\n%s", s.Log())
	}
	entered(t, ssh(t, s, "bob", bob.sshKey(t)...)) // of whom the policy asks nothing
	d.Kill()
	refused(t, ssh(t, s, "alice", alice.sshKey(t)...))
	entered(t, ssh(t, s, "bob", bob.sshKey(t)...))
}

func TestSSHKeyThenPasswordAndCode(t *testing.T) {
	_, s := protectedSSHD(t, require("always"), "AuthenticationMethods publickey,keyboard-interactive")
	alice := enrolled(t, "alice")
	entered(t, login(t, ssh(t, s, "alice", alice.sshKey(t)...), alice.app.Code()))
}
