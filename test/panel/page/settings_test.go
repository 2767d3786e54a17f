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
		{"switch off", func(t *testing.T, page *panel.Window) {
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
		}},
		{"whom switching on would lock out", func(t *testing.T, page *panel.Window) {
			const file, warning = "/etc/sallyport/sallyport.d/10-lena.toml", "The policy requires a second factor of lena"
			g.With(t).AddUser("lena")
			g.WriteFile(file, "[[rule]]\nservices = [\"cockpit\"]\nusers = [\"lena\"]\nrequire = \"always\"\n", 0o644)
			g.Run("systemctl reload sallyportd")
			page.Click(panel.CSS("label[for=switch-enabled]"))
			page.See(panel.Text("Switch two-factor login on?"))
			page.See(panel.Text(warning).In(panel.Dialogue))
			page.Shot("switch-locks-out")
			accessible(t, page)
			page.Click(panel.Button("Cancel"))
			page.Gone(panel.Dialogue)
			if page.Checked(panel.CSS("#switch-enabled")) || !strings.Contains(g.Run("sallyportctl policy status"), "off") {
				t.Error("it is on, and nobody said so")
			}
			g.Run("rm " + file + " && systemctl reload sallyportd")
			page.Click(panel.CSS("label[for=switch-enabled]"))
			page.See(panel.Text("Switch two-factor login on?"))
			page.Gone(panel.Text("Looking whom this would lock out"))
			if page.Visible(panel.Text(warning)) {
				t.Error("it warns, and lena would not be locked out")
			}
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
		{"the daemon refuses, and says why", func(t *testing.T, page *panel.Window) {
			const late = "/etc/sallyport/sallyport.d/60-late.toml"
			page.Fill(panel.Label("NTP servers"), "ntp.example.org:99999")
			page.Click(panel.Button("Save"))
			page.See(panel.Text(`"ntp.example.org:99999" is no host name and no address.`).In(panel.CSS("#setting-clock-servers-help .pf-m-error")))
			page.Shot("settings-refused")
			accessible(t, page)
			page.Click(panel.Button("Discard changes"))

			g.WriteFile(late, "[lockout]\nfailures = 7\n", 0o644)
			page.Fill(panel.Label("Wrong codes from one source"), "8")
			page.Click(panel.Button("Save"))
			page.See(panel.Text("lockout.failures is set at " + late + ":2, which is read later").In(panel.CSS("#setting-lockout-failures-help .pf-m-error")))
			page.Shot("settings-overridden")
			g.Run("rm " + late)
			page.Click(panel.Button("Discard changes"))
			page.Gone(panel.CSS("#setting-lockout-failures-help .pf-m-error"))
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
