package e2e

import (
	"testing"

	"sallyport/test/host"
)

// splitStack asks once, for the password with the code behind it.
func splitStack(t *testing.T) {
	t.Helper()
	host.PAM(t, "sshd",
		host.Module(t, "auth", "required", "split_password"),
		"@include common-auth", // as Debian ships it
		host.Module(t, "account", "required"),
		"@include common-account",
		"@include common-session",
		host.Module(t, "session", "optional"),
	)
}

// Password authentication has one prompt, and it is the client's own.
func TestSSHSplitPassword(t *testing.T) {
	host.StartDaemon(t, require("always"))
	splitStack(t)
	s := host.StartSSHD(t, "PasswordAuthentication yes")
	alice := enrolled(t, "alice")
	code := alice.app.Code()
	for _, try := range []struct {
		name, answer string
		in           bool
	}{
		{"wrong password", "wrong" + alice.app.Wrong(), false},
		{"no code", host.Password, false},
		{"wrong code", host.Password + alice.app.Wrong(), false},
		{"right", host.Password + code, true},
		{"again", host.Password + code, false},
		{"a recovery code", host.Password + alice.recovery[0], true},
	} {
		t.Run(try.name, func(t *testing.T) {
			x := ssh(t, s, "alice", "-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1")
			x.Answer(`alice@127\.0\.0\.1's password: `, try.answer)
			if try.in {
				entered(t, x)
			} else {
				refused(t, x)
			}
		})
	}
}

func TestSSHSplitPasswordInADialogue(t *testing.T) {
	host.StartDaemon(t, require("always"))
	splitStack(t)
	s := host.StartSSHD(t)
	alice := enrolled(t, "alice")
	x := ssh(t, s, "alice")
	x.Answer(splitPrompt, host.Password+alice.app.Wrong())
	x.Answer(splitPrompt, "wrong"+alice.app.Code())
	x.Answer(splitPrompt, host.Password+alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}
