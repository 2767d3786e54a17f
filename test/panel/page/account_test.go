package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/test/host"
	"sallyport/test/panel"
)

// TestAccount is one person's second factor from its beginning to its end, on the page.
func TestAccount(t *testing.T) {
	g := panel.Boot(t)
	b := panel.Start(t, g)
	g.AddUser("ida")
	w, other := b.Open(t, panel.Options{}), b.Open(t, panel.Options{}) // a window that closes is a logout, of both
	w.Knock("ida")
	w.In()
	page := w.Sallyport("/sallyport#/account")
	var app *host.Authenticator
	var codes, secrets []string
	for _, step := range []struct {
		name string
		do   func(t *testing.T, page *panel.Window)
	}{
		{"not set up", func(t *testing.T, page *panel.Window) {
			page.See(panel.Text("Two-factor authentication is not set up for your account"))
			page.Shot("account-none")
			accessible(t, page)
		}},
		{"set up", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Set up"))
			page.Fill(panel.Label("Name of the device"), "pocket")
			page.Click(panel.Button("Continue"))
			app = page.Scan("account-scan")
			accessible(t, page)
			ahead := time.Now().Add(5 * time.Minute)
			page.Fill(field("Code from the app"), app.At(ahead.Unix()/int64(host.Period/time.Second)))
			page.Click(panel.Button("Confirm"))
			page.See(panel.Text("The security code is invalid."))
			page.See(panel.Text("ahead of this server's"))
			page.Shot("account-wrong")
			page.Fill(field("Code from the app"), app.Code())
			page.Click(panel.Button("Confirm"))
			page.See(panel.Role("list", "Recovery codes"))
			page.Shot("account-codes")
			accessible(t, page)
			codes = strings.Fields(page.Text(panel.Role("list", "Recovery codes")))
			if len(codes) != 10 {
				t.Fatalf("%d recovery codes: %q", len(codes), codes)
			}
			secrets = append(secrets, codes...)
		}},
		{"keep the recovery codes", func(t *testing.T, page *panel.Window) {
			if page.Enabled(panel.Button("Done")) {
				t.Error("the dialogue closes before the codes are kept")
			}
			page.Click(panel.Button("Copy"))
			page.See(panel.Text("Copied."))
			for how, got := range map[string]string{
				"copied": page.Clipboard(), "downloaded": page.Download(panel.Button("Download")), "printed": page.Print(panel.Button("Print")),
			} {
				for _, code := range codes {
					if !strings.Contains(got, code) {
						t.Errorf("%s: a code is missing", how)
					}
				}
			}
			page.Check(panel.Label("I have kept the recovery codes."))
			page.Click(panel.Button("Done"))
			page.See(panel.Role("grid", "Devices"))
			page.Shot("account")
			accessible(t, page)
			if page.Visible(panel.Text(codes[0])) {
				t.Error("the recovery codes are shown again")
			}
		}},
		{"log in with it", func(t *testing.T, page *panel.Window) {
			other.Knock("ida")
			other.Answer("Verification code:", app.Code())
			other.In()
		}},
		{"add a device", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Add a device"))
			page.Fill(panel.Label("Name of the device"), "tablet")
			page.Fill(field("Current code or recovery code"), codes[0])
			page.Click(panel.Button("Continue"))
			second := page.Scan("account-second")
			page.Fill(field("Code from the app"), second.Code())
			page.Click(panel.Button("Confirm"))
			page.See(panel.Button("Remove tablet"))
		}},
		{"rename it", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Rename tablet"))
			page.Fill(panel.Label("New name"), "spare phone")
			accessible(t, page)
			page.Click(panel.Button("Rename").In(panel.Dialogue))
			page.See(panel.Button("Remove spare phone"))
		}},
		{"remove it", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Remove spare phone"))
			page.Fill(field("Current code or recovery code"), "000000")
			page.Click(panel.Button("Remove").In(panel.Dialogue))
			page.See(panel.CSS("[role=dialog] .pf-m-danger.pf-v5-c-alert"))
			page.Shot("account-remove")
			accessible(t, page)
			page.Fill(field("Current code or recovery code"), codes[1])
			page.Click(panel.Button("Remove").In(panel.Dialogue))
			page.Gone(panel.Button("Remove spare phone"))
			page.See(panel.Button("Remove pocket"))
		}},
		{"reconfigure", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Reconfigure pocket"))
			page.Fill(field("Current code or recovery code"), codes[2])
			page.Click(panel.Button("Continue"))
			app = page.Scan("account-reconfigured")
			page.Fill(field("Code from the app"), app.Code())
			page.Click(panel.Button("Confirm"))
			page.Gone(panel.Dialogue)
			page.See(panel.Button("Remove pocket"))
		}},
		{"replace the recovery codes", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Replace them"))
			page.Fill(field("Current code or recovery code"), app.Code())
			page.Click(panel.Button("Replace").In(panel.Dialogue))
			page.See(panel.Role("list", "Recovery codes"))
			fresh := strings.Fields(page.Text(panel.Role("list", "Recovery codes")))
			if len(fresh) != 10 || slices.Contains(fresh, codes[5]) {
				t.Errorf("new recovery codes: %d", len(fresh))
			}
			codes = fresh
			secrets = append(secrets, codes...)
			page.Check(panel.Label("I have kept the recovery codes."))
			page.Click(panel.Button("Done"))
		}},
		{"leave no secret behind", func(t *testing.T, page *panel.Window) {
			kept := strings.Join(page.Traces(), "\n") + g.Run("journalctl --sync; journalctl --all --quiet --output=json") + strings.Join(page.Console(), "\n")
			for _, secret := range secrets {
				if strings.Contains(kept, secret) {
					t.Error("a recovery code is in the browser's storage, an address, a title, the console or the journal")
				}
			}
			if strings.Contains(kept, "otpauth:") {
				t.Error("a key is in the browser's storage, an address, a title, the console or the journal")
			}
		}},
		{"remove everything", func(t *testing.T, page *panel.Window) {
			page.Click(panel.Button("Remove two-factor authentication"))
			page.Fill(field("Current code or recovery code"), codes[0])
			page.Click(panel.Button("Remove").In(panel.Dialogue))
			page.See(panel.Text("Two-factor authentication is not set up for your account"))
			if out, _ := g.Try("sallyportctl users | grep ida"); out != "" {
				t.Errorf("it is there still: %s", out)
			}
		}},
		{"remove one by one, down to none", func(t *testing.T, page *panel.Window) {
			codes := setUp(page, "one")
			page.Click(panel.Button("Add a device"))
			page.Fill(panel.Label("Name of the device"), "two")
			page.Fill(field("Current code or recovery code"), codes[0])
			page.Click(panel.Button("Continue"))
			page.Fill(field("Code from the app"), page.Scan("account-two").Code())
			page.Click(panel.Button("Confirm"))
			page.Click(panel.Button("Remove one"))
			page.See(panel.Text("Its codes are not accepted any more."))
			page.Fill(field("Current code or recovery code"), codes[1])
			page.Click(panel.Button("Remove").In(panel.Dialogue))
			page.Gone(panel.Dialogue)
			page.Gone(panel.Button("Remove one"))
			page.Click(panel.Button("Remove two"))
			page.See(panel.Text("All devices and recovery codes are removed."))
			page.Shot("account-remove-last")
			accessible(t, page)
			page.Fill(field("Current code or recovery code"), codes[2])
			page.Click(panel.Button("Remove").In(panel.Dialogue))
			page.See(panel.Text("Two-factor authentication is not set up for your account"))
			if out, _ := g.Try("sallyportctl users | grep ida"); out != "" {
				t.Errorf("it is there still: %s", out)
			}
		}},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(t, page.With(t)) }) {
			break // what follows needs it
		}
	}
	clean(t, w)
}

// setUp sets a first device up, and returns the recovery codes.
func setUp(page *panel.Window, name string) []string {
	page.Click(panel.Button("Set up"))
	page.Fill(panel.Label("Name of the device"), name)
	page.Click(panel.Button("Continue"))
	page.Fill(field("Code from the app"), page.Scan("account-"+name).Code())
	page.Click(panel.Button("Confirm"))
	page.See(panel.Role("list", "Recovery codes"))
	codes := strings.Fields(page.Text(panel.Role("list", "Recovery codes")))
	page.Check(panel.Label("I have kept the recovery codes."))
	page.Click(panel.Button("Done"))
	page.See(panel.Button("Remove " + name))
	return codes
}

// field is a field that must be filled in, which its label says by a star.
func field(label string) panel.Target { return panel.Target{Label: label} }

// accessible is axe-core's word that nobody is kept out by what the page shows now.
func accessible(t *testing.T, page *panel.Window) {
	t.Helper()
	for _, barrier := range page.Barriers() {
		t.Error(barrier)
	}
}

// clean looks for what the browser's console has of violations of the content security policy, and of errors.
func clean(t *testing.T, w *panel.Window) {
	t.Helper()
	for _, line := range w.Console() {
		if strings.Contains(line, "Content Security Policy") || strings.HasPrefix(line, "pageerror:") {
			t.Errorf("the console: %s", line)
		}
	}
}
