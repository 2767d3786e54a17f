package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// apiStack is that of a program: password and code arrive in one answer or, where no code is asked for, the password
// alone.
func apiStack(t *testing.T) {
	t.Helper()
	host.PAM(t, service,
		host.Module(t, "auth", "required", "split_password"),
		"auth required pam_unix.so try_first_pass nodelay",
		"account required pam_permit.so",
	)
}

// api logs in as a program does that knows a name and one secret, and reports whether it got in.
func api(t *testing.T, name, secret string) bool {
	t.Helper()
	x := pamtester(t, name, "authenticate")
	x.Answer("(?:Password|Password and verification code): ", secret)
	return x.Wait() == 0
}

func ctl(t *testing.T, args ...string) string {
	t.Helper()
	return host.Output(t, host.Build(t).Ctl, args...)
}

// verify is Verify by a panel that root runs.
func verify(t *testing.T, name, code string) string {
	t.Helper()
	command := host.Command(host.Build(t).Ctl, "verify", name, "--service", service)
	command.Stdin = strings.NewReader(code + "\n")
	out, _ := command.CombinedOutput() // the text tells
	return string(out)
}

// The API switch decides for programs alone: people are asked whatever it says.
func TestAPISwitch(t *testing.T) {
	host.StartDaemon(t, "[api]\nservices = [\""+service+"\"]\n"+require("always"))
	apiStack(t)
	alice := enrolled(t, "alice")
	host.AddUser(t, "bob")

	if !api(t, "alice", host.Password) || !api(t, "bob", host.Password) {
		t.Error("with the switch off, a program needs more than name and password")
	}
	if api(t, "alice", "wrong") {
		t.Error("with the switch off, a program needs no password")
	}
	if got := verify(t, "alice", ""); !strings.HasPrefix(got, "No code is needed.") {
		t.Errorf("with the switch off, Verify says %q", got)
	}
	if status := ctl(t, "policy", "api", "enable"); !strings.HasPrefix(status, "Programs need a code now") {
		t.Errorf("it says %q", status)
	}
	for name, secret := range map[string]string{"the password alone": host.Password, "a wrong code": host.Password + alice.app.Wrong()} {
		if api(t, "alice", secret) {
			t.Errorf("with the switch on, a program is let in by %s", name)
		}
	}
	if api(t, "bob", host.Password) || api(t, "bob", host.Password+"123456") {
		t.Error("with the switch on, a program is let in for who has no second factor")
	}
	if !api(t, "alice", host.Password+alice.app.Code()) {
		t.Error("with the switch on, the code behind the password is refused")
	}
	for _, code := range []string{"", host.Password} {
		if got := verify(t, "alice", code); !strings.HasPrefix(got, "Denied.") {
			t.Errorf("with the switch on and %q, Verify says %q", code, got)
		}
	}
	if got := verify(t, "bob", "123456"); !strings.HasPrefix(got, "Denied.") {
		t.Errorf("for who has no second factor, Verify says %q", got)
	}
	if got := verify(t, "alice", alice.app.Code()); !strings.HasPrefix(got, "Granted.") {
		t.Errorf("with the right code, Verify says %q", got)
	}
	ctl(t, "policy", "api", "disable")
	if !api(t, "alice", host.Password) {
		t.Error("with the switch off again, a program needs more than name and password")
	}
	if x := host.Output(t, host.Build(t).Ctl, "policy", "explain", "alice", "--service", "sshd"); !strings.Contains(x, `require                = "always"`) {
		t.Errorf("people:\n%s", x)
	}
}

// The host-wide switch, with a login through PAM: off, nobody is asked; on again, what was set up works.
func TestHostSwitch(t *testing.T) {
	host.StartDaemon(t, require("always"))
	onlySallyport(t)
	alice := enrolled(t, "alice")
	ctl(t, "policy", "disable")
	x := pamtester(t, "alice", "authenticate")
	x.Wait() // there is no other module that could let her in
	if strings.Contains(x.Text(), codePrompt) {
		t.Errorf("switched off, it asks:\n%s", x.Text())
	}
	entered(t, pamtester(t, "alice", "acct_mgmt"))
	ctl(t, "policy", "enable")
	x = pamtester(t, "alice", "authenticate")
	x.Answer(codePrompt, alice.app.Code())
	entered(t, x)
}
