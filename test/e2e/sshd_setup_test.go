package e2e

import (
	"net/url"
	"strings"
	"testing"

	"sallyport/test/host"
)

// setUp goes through the set-up in a login until the code from the app is asked for.
func setUp(t *testing.T, x *host.Terminal) *host.Authenticator {
	t.Helper()
	x.Answer(passwordPrompt, host.Password)
	return scan(t, x)
}

// scan waits for the QR code and the prompt behind it, and holds a phone to the terminal.
func scan(t *testing.T, x *host.Terminal) *host.Authenticator {
	t.Helper()
	x.Expect(setupPrompt)
	uri, err := url.Parse(host.ReadQR(t, x.Text()))
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" {
		t.Fatalf("the QR code is %v, %v", uri, err)
	}
	key := uri.Query().Get("secret")
	if typed := typedKey(t, x.Text()); typed != key {
		t.Fatalf("the key to type is not that of the QR code:\n%s", x.Text())
	}
	return host.NewAuthenticator(t, key)
}

func TestSSHSetUpInTheLogin(t *testing.T) {
	d, s := protectedSSHD(t, require("enroll"))
	host.AddUser(t, "alice")
	x := ssh(t, s, "alice")
	app := setUp(t, x)
	x.Reply(app.Wrong())
	x.Answer(setupPrompt, app.Code())
	x.Answer(acknowledgePrompt, "")
	x.Expect(inside)
	entered(t, x)
	recovery := recoveryCodes(t, x.Text())
	tellsNothing(t, "the daemon's log", d.Log(), recovery...)

	x = login(t, ssh(t, s, "alice"), app.Code())
	entered(t, x)
	if strings.Contains(x.Text(), setupPrompt) {
		t.Errorf("it sets up again:\n%s", x.Text())
	}
	entered(t, login(t, ssh(t, s, "alice"), recovery[0]))
}

// A set-up without its first code is as if it never was.
func TestSSHSetUpIsNotConfirmed(t *testing.T) {
	_, s := protectedSSHD(t, require("enroll"))
	host.AddUser(t, "alice")
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	app := setUp(t, x)
	x.Reply(app.Wrong())
	x.Answer(setupPrompt, app.Wrong())
	x.Answer(setupPrompt, app.Wrong())
	refused(t, x)

	x = ssh(t, s, "alice")
	again := setUp(t, x)
	x.Reply(again.Code())
	x.Answer(acknowledgePrompt, "")
	entered(t, x)
}

// The daemon may die between the QR code and its first code.
func TestSSHSetUpOverARestart(t *testing.T) {
	d, s := protectedSSHD(t, require("enroll"))
	host.AddUser(t, "alice")
	x := ssh(t, s, "alice")
	app := setUp(t, x)
	d.Kill()
	d.Start()
	x.Reply(app.Code())
	x.Answer(acknowledgePrompt, "")
	x.Expect(inside)
	entered(t, x)
	entered(t, login(t, ssh(t, s, "alice"), app.Code()))
}

func TestSSHSetUpWithoutADaemon(t *testing.T) {
	host.Fresh(t, require("enroll"))
	host.Protect(t, "sshd")
	s := host.StartSSHD(t)
	host.AddUser(t, "alice")
	x := ssh(t, s, "alice")
	app := setUp(t, x)
	x.Reply(app.Code())
	x.Answer(acknowledgePrompt, "")
	x.Expect(inside)
	entered(t, x)
	entered(t, login(t, ssh(t, s, "alice"), app.Code()))
}
