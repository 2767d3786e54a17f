package page

import (
	"strings"
	"testing"

	"sallyport/test/panel"
)

// TestSettings is an administrator at the switches, the settings and the overview.
func TestSettings(t *testing.T) {
	g := panel.Boot(t)
	adam := g.AddUser("adam", "sudo").Enroll()
	b := panel.Start(t, g)
	w := b.Open(t, panel.Options{})
	w.LogIn(adam)
	w.SwitchToAdmin(adam)
	page := w.Sallyport("/sallyport#/overview")
	policy := func() string { return g.Run("sallyportctl policy show") }
	for _, step := range []struct {
		name string
		do   func(t *testing.T, page *panel.Window)
	}{
		{"overview", func(t *testing.T, page *panel.Window) {
			for _, part := range []string{"Health", "Logins by hour", "Clock", "Locked accounts", "Open sessions"} {
				page.See(panel.Role("heading", part))
			}
			page.See(panel.Button("End the session of adam from 127.0.0.1"))
			page.Shot("overview")
			accessible(t, page)
		}},
		{"switch off and on", func(t *testing.T, page *panel.Window) {
			page.Click(panel.CSS("label[for=switch-enabled]"))
			page.See(panel.Text("Switch two-factor login off?"))
			page.Shot("switch-off")
			accessible(t, page)
			page.Click(panel.Button("Switch off"))
			page.See(panel.Text("It is off: nobody is asked for a code"))
			page.Gone(panel.Dialogue)
			if out := g.Run("sallyportctl policy status"); !strings.Contains(out, "off") {
				t.Errorf("the status is %s", out)
			}
			page.Click(panel.CSS("label[for=switch-enabled]"))
			page.Click(panel.Button("Switch on"))
			page.See(panel.Text("It is on: users can set it up"))
			page.Gone(panel.Dialogue)
		}},
		{"programs", func(t *testing.T, page *panel.Window) {
			page.Click(panel.CSS("label[for=switch-api]"))
			page.See(panel.Text("Have programs give a code?"))
			page.Shot("switch-api")
			page.Click(panel.Button("Switch on"))
			page.See(panel.Text("Programs need a code: with their request"))
			page.Gone(panel.Dialogue)
		}},
		{"settings are checked as they are typed", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Role("tab", "Settings"))
			page.Fill(panel.Label("Window"), "many")
			page.See(panel.CSS("#setting-codes-window-help .pf-m-error"))
			if page.Enabled(panel.Button("Save")) {
				t.Error("what is wrong can be saved")
			}
			page.Shot("settings-wrong")
			accessible(t, page)
			page.Click(panel.Button("Discard changes"))
		}},
		{"settings are kept", func(t *testing.T, page *panel.Window) {
			page.Fill(panel.Label("Issuer"), "Example Ltd")
			page.Fill(panel.Label("Sessions a user may have"), "3")
			page.Click(panel.Button("Save"))
			page.See(panel.Text("Saved. The settings hold at once."))
			page.See(panel.Text("50-managed.toml").In(panel.Role("grid", "The policy in force")))
			page.Shot("settings")
			accessible(t, page)
			if out := policy(); !strings.Contains(out, "Example Ltd") {
				t.Errorf("the policy is\n%s", out)
			}
		}},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, page.With(t)) }) {
			break // what follows needs it
		}
	}
	clean(t, w)
}
