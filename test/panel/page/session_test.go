// Package page has the tests of what people do in Cockpit once they are in. They take minutes: make panel-test runs them,
// make test does not.
package page

import (
	"strings"
	"testing"

	"sallyport/test/host"
	"sallyport/test/panel"
	"sallyport/test/system"
)

func TestMain(m *testing.M) { system.Main(m, system.Panel) }

// misses is how many answers of a user were counted as wrong codes.
func misses(g *system.Guest, user string) int {
	return len(g.Journal("SALLYPORT_KIND=login-denied", "SALLYPORT_USER="+user, "SALLYPORT_REASON='wrong code'")) +
		len(g.Journal("SALLYPORT_KIND=login-locked", "SALLYPORT_USER="+user))
}

// TestSession is what becomes of a login to Cockpit.
func TestSession(t *testing.T) {
	g := panel.Boot(t)
	b := panel.Start(t, g)
	for _, scenario := range []struct {
		name string
		play func(*testing.T, *system.Guest, *panel.Browser)
	}{
		{"administrator", administrator},
		{"logout ends all windows", logoutEndsAll},
		{"displaced from elsewhere", displaced},
	} {
		t.Run(scenario.name, func(t *testing.T) { scenario.play(t, g.With(t), b) })
	}
}

// administrator: sudo asks for a code of its own. At the next login Cockpit tries by itself with the password; that is no
// wrong code.
func administrator(t *testing.T, g *system.Guest, b *panel.Browser) {
	root := g.AddUser("adam", "sudo").Enroll()
	w := b.Open(t, panel.Options{})
	w.LogIn(root)
	w.Click(panel.CSS("#super-user-indicator button"))
	w.AnswerSudo("Password", host.Password)
	w.See(panel.Text("Verification code:").In(panel.CSS("[role=dialog]")))
	w.Shot("sudo-code")
	w.AnswerSudo("Verification code:", root.App.Wrong())
	w.See(panel.Text("The code is wrong."))
	w.Shot("sudo-wrong")
	w.AnswerSudo("The code is wrong.", root.App.Code())
	w.See(panel.Text("Administrative access").In(panel.CSS("#super-user-indicator")))
	w.Shot("sudo-in")
	if n := misses(g, "adam"); n != 1 {
		t.Errorf("%d wrong codes, want 1", n)
	}
	w.LogOut()

	w.Knock("adam")
	w.Answer("Verification code:", root.Recovery[0])
	w.In()
	w.SwitchToAdmin(root)
	if tried := g.Journal("SALLYPORT_KIND=login-denied", "SALLYPORT_USER=adam", "SALLYPORT_REASON='the answer could not be a code'"); len(tried) == 0 {
		t.Error("Cockpit does not try the password for a code any more")
	}
	if n := misses(g, "adam"); n != 1 {
		t.Errorf("%d wrong codes, want the one that was typed\n%s", n, g.Log())
	}
}

// logoutEndsAll: the vendor's rule for panels.
func logoutEndsAll(t *testing.T, g *system.Guest, b *panel.Browser) {
	lou := g.AddUser("lou").Enroll()
	one, two := b.Open(t, panel.Options{}), b.Open(t, panel.Options{})
	one.LogIn(lou)
	two.LogIn(lou)
	if open := g.Run("sallyportctl sessions --user lou --json"); strings.Count(open, `"pid"`) != 2 {
		t.Errorf("open are:\n%s", open)
	}
	one.LogOut()
	two.See(panel.Text("Disconnected"))
	two.Shot("ended-by-logout")
	g.Eventually("sallyportctl sessions --user lou | grep 'No session is open.'")
}

// displaced: a login from elsewhere ends the browser's session.
func displaced(t *testing.T, g *system.Guest, b *panel.Browser) {
	dan := g.AddUser("dan").Enroll()
	w := b.Open(t, panel.Options{})
	w.LogIn(dan)
	g.ProtectSSH()
	dan.LogIn("-b", "127.0.0.2")
	w.See(panel.Text("Disconnected"))
	w.Shot("displaced")
	if displaced := g.Journal("SALLYPORT_KIND=session-displaced", "SALLYPORT_USER=dan"); len(displaced) != 1 || displaced[0]["SALLYPORT_SOURCE"] != "127.0.0.1" {
		t.Errorf("the journal has %v", displaced)
	}
	w.Visit("/")
	w.Out()
}
