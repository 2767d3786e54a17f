package panel

import (
	"regexp"
	"strings"
	"testing"

	"sallyport/test/host"
	"sallyport/test/system"
)

func TestMain(m *testing.M) { system.Main(m, system.Panel) }

// TestLogin is one person after the other at Cockpit's login page.
func TestLogin(t *testing.T) {
	g := Boot(t)
	b := Start(t, g)
	for _, scenario := range []struct {
		name string
		play func(*testing.T, *system.Guest, *Browser)
	}{
		{"password and code", passwordAndCode},
		{"wrong, used, locked", wrongUsedLocked},
		{"recovery code", recoveryCode},
		{"set up in the login", setUpInTheLogin},
		{"set up on the page", setUpOnThePage},
	} {
		t.Run(scenario.name, func(t *testing.T) { scenario.play(t, g.With(t), b) })
	}
}

// passwordAndCode: the session is the user's, from the browser's address as sshd would write it.
func passwordAndCode(t *testing.T, g *system.Guest, b *Browser) {
	ann := g.AddUser("ann").Enroll()
	w := b.Open(t, Options{})
	w.Knock("ann")
	w.See(Text("Verification code:"))
	w.Shot("login-code")
	w.Answer("Verification code:", ann.App.Code())
	w.In()
	w.Shot("login-in")
	if open := g.Run("sallyportctl sessions"); !regexp.MustCompile(`ann +127\.0\.0\.1 +cockpit `).MatchString(open) {
		t.Errorf("open are:\n%s", open)
	}
	w.LogOut()
	g.Eventually("sallyportctl sessions | grep 'No session is open.'")
}

// wrongUsedLocked: each refusal says what it is about, and so does the lock.
func wrongUsedLocked(t *testing.T, g *system.Guest, b *Browser) {
	ben := g.AddUser("ben").Enroll()
	w := b.Open(t, Options{})
	code := ben.App.Code()
	w.Knock("ben")
	w.Answer("Verification code:", ben.App.Wrong())
	w.See(Text("The code is wrong."))
	w.Shot("login-wrong")
	w.Answer("The code is wrong.", code)
	w.In()
	w.LogOut()

	w.Knock("ben")
	w.Answer("Verification code:", code)
	w.See(Text("This code has been used already. Wait for the next one."))
	w.Shot("login-used")
	w.Answer("used already", ben.App.Wrong())
	w.Answer("The code is wrong.", ben.App.Wrong())
	w.See(Text("Authentication failed"))
	w.Out()
	w.Shot("login-denied")

	w.Knock("ben")
	w.Answer("Verification code:", ben.App.Wrong())
	w.Answer("The code is wrong.", ben.App.Wrong())
	w.Answer("The code is wrong.", ben.App.Wrong())
	w.See(Text("Too many wrong codes. Try again in 5 minutes."))
	w.Knock("ben")
	w.See(Text("Too many wrong codes. Try again in 5 minutes."))
	w.Shot("login-locked")
	g.Run("sallyportctl unlock ben")
	w.LogIn(ben)
}

// recoveryCode: where the question for the code is, a recovery code is one.
func recoveryCode(t *testing.T, g *system.Guest, b *Browser) {
	eve := g.AddUser("eve").Enroll()
	w := b.Open(t, Options{})
	w.Knock("eve")
	w.Answer("Verification code:", eve.Recovery[0])
	w.In()
	w.LogOut()
	w.Knock("eve")
	w.Answer("Verification code:", eve.Recovery[0])
	w.See(Text("The code is wrong."))
}

// setUpInTheLogin: key and recovery codes are read off the page, work, and are in no log: cockpit-session writes each of
// PAM's messages into the journal.
func setUpInTheLogin(t *testing.T, g *system.Guest, b *Browser) {
	g.WriteFile("/etc/sallyport/sallyport.d/10-new.toml", "[[rule]]\nservices = [\"cockpit\"]\nusers = [\"ned\"]\nrequire = \"enroll\"\n", 0o644)
	g.Run("systemctl reload sallyportd")
	g.AddUser("ned")
	w := b.Open(t, Options{})
	w.Knock("ned")
	w.See(Text("Code from your app:"))
	w.Shot("setup-key")
	key := w.key()
	app := host.NewAuthenticator(t, key)
	w.Answer("Code from your app:", app.Wrong())
	w.See(Text("The security code is invalid."))
	w.Shot("setup-wrong")
	w.Answer("The security code is invalid.", app.Code())
	w.See(Text("recovery codes"))
	w.Shot("setup-recovery")
	codes := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindAllString(w.Text(prompt), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes: %s", len(codes), w.Text(prompt))
	}
	w.Click(Button("Log in"))
	w.In()
	w.LogOut()
	w.Knock("ned")
	w.Answer("Verification code:", codes[9])
	w.In()
	w.LogOut()
	w.Knock("ned")
	w.Answer("Verification code:", app.Code())
	w.In()

	journal := strings.ReplaceAll(g.Run("journalctl --sync; journalctl --all --quiet --output=cat"), " ", "")
	for _, secret := range append(codes, strings.ReplaceAll(key, " ", "")) {
		if strings.Contains(journal, secret) {
			t.Error("the journal has the key, or a recovery code")
		}
	}
	if !strings.Contains(journal, "Thesecuritycodeisinvalid.") {
		t.Error("cockpit-session writes no message into the journal any more: the key may be one again, with its QR code")
	}
	for _, kept := range w.Traces() {
		if strings.Contains(kept, key) || strings.Contains(kept, codes[0]) {
			t.Errorf("the browser keeps a secret: %s", kept)
		}
	}
}

// setUpOnThePage: the key is read off the page's QR code as a phone does.
func setUpOnThePage(t *testing.T, g *system.Guest, b *Browser) {
	g.AddUser("pia")
	w := b.Open(t, Options{})
	w.Knock("pia")
	w.In()
	page := w.Sallyport("/sallyport#/account")
	page.Click(Button("Set up"))
	page.Click(Button("Continue"))
	app := page.Scan("setup-on-the-page")
	page.Fill(Target{Label: "Code from the app"}, app.Code())
	page.Click(Button("Confirm"))
	page.See(Role("list", "Recovery codes"))
	w.LogOut()
	w.Knock("pia")
	w.Answer("Verification code:", app.Code())
	w.In()
}
