package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	account "sallyport/internal/api/iosallyportaccount"
	"sallyport/internal/login"
	"sallyport/internal/qr"
)

// What people are asked.
const (
	askSetupCode       = login.PromptSetup
	askCurrentCode     = "A current code or a recovery code: "
	askCode            = login.PromptCode
	askFirstCode       = "A code of the device: "
	askNewPassphrase   = "A new passphrase for the archive: "
	askPassphraseAgain = "The same again: "
	askPassphrase      = "The archive's passphrase: " // #nosec G101 -- a prompt
	askFilePassword    = "Password of the file: "
	askSecondCode      = "The next one, which it shows after that: "
)

// showSetup shows a key to its owner: as a QR code on a terminal, and to type.
func (t terminal) showSetup(accountName, uri, secret string) error {
	if isTerminal(t.stdout) {
		t.say("Scan this with an authenticator app:\n")
		if err := qr.Terminal(t.stdout, uri); err != nil {
			return err
		}
		t.say("\nOr type the key into the app:")
	}
	t.say("  Account: %s", accountName)
	t.say("  Key:     %s", login.Grouped(secret))
	if !isTerminal(t.stdout) {
		t.say("  URI:     %s", uri)
	}
	t.say("")
	return nil
}

// showRecoveryCodes shows recovery codes, once.
func (t terminal) showRecoveryCodes(codes []string) {
	t.say("Your recovery codes, each good for one login without the phone. They are not shown again:\n")
	for _, c := range codes {
		t.say("  %s", c)
	}
	t.say("\nKeep them where your phone is not.")
}

// showStatus shows how a second factor stands.
func (t terminal) showStatus(f account.SecondFactor) {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("User", "%s", f.User)
	if f.Enrolled {
		row("Two-factor login", "%s", t.in(green, "set up"))
	} else {
		row("Two-factor login", "%s", t.in(yellow, "not set up")+"; to set it up: sallyportctl enroll")
	}
	for _, token := range f.Tokens {
		row("Device", "%s", describe(token))
	}
	if f.Enrolled {
		row("Recovery codes", "%d left", f.Recovery_codes)
	}
	if f.Pending_until != nil {
		row("Set-up", "waits for its first code until %s", when(*f.Pending_until))
	}
	if f.Locked_until != nil {
		row("Locked", "%s", t.in(yellow, "after too many wrong codes until "+when(*f.Locked_until)))
	}
	if f.Last != nil {
		row("Last login", "%s by %s from %s", when(f.Last.At), f.Last.Service, f.Last.Source)
	}
	_ = w.Flush() // standard output: who reads it has gone
}

// describe is a token in one line.
func describe(t account.Token) string {
	what := []string{fmt.Sprintf("%d digits", t.Digits)}
	if t.Period != nil {
		what = append(what, fmt.Sprintf("every %d s", *t.Period))
	} else {
		what = append(what, "by a counter")
	}
	return fmt.Sprintf("%s (id %s, %s, %s, since %s)", t.Label, t.Id, strings.Join(what, " "), t.Algorithm, when(t.Confirmed))
}

// when is a time of the interface's as people here read it.
func when(instant string) string {
	t, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return instant
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// percent is a chance from 0 to 1 with as many places as mean something.
func percent(chance float64) string {
	switch p := 100 * chance; {
	case p >= 10:
		return fmt.Sprintf("%.0f %%", p)
	case p >= 0.01:
		return fmt.Sprintf("%.2g %%", p)
	case p > 0:
		return "less than 0.01 %"
	}
	return "0 %"
}

// switchSentence says what the host-wide switch has come to.
func switchSentence(on, changed bool) string {
	switch {
	case on && changed:
		return "Two-factor login is on now: users can set it up, and who has is asked for codes."
	case on:
		return "Two-factor login is on already: users can set it up, and who has is asked for codes."
	case changed:
		return "Two-factor login is off now: nobody is asked for a code, nobody can set one up, and what has been set up is kept."
	default:
		return "Two-factor login is off already: nobody is asked for a code, nobody can set one up, and what has been set up is kept."
	}
}

// apiSentence says what the switch for programs has come to.
func apiSentence(on, changed bool) string {
	when := "already"
	if changed {
		when = "now"
	}
	if on {
		return fmt.Sprintf("Programs need a code %s: in Verify, or behind the password where the module has split_password.", when)
	}
	return fmt.Sprintf("Programs need no code %s: a name and a password are enough for them.", when)
}

// issuerSentence says what authenticator apps show.
func issuerSentence(i issuerJSON, changed bool) string {
	host := ""
	if i.Issuer == "" {
		host = ", the name of this host"
	}
	if changed {
		return fmt.Sprintf("New set-ups are shown as %q now%s.", i.Shown, host)
	}
	return fmt.Sprintf("New set-ups are shown as %q%s.", i.Shown, host)
}

// showSwitches shows how the host-wide switches stand.
func (t terminal) showSwitches(s switches, p map[string]setting) {
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	row := func(what, how string, from setting) { fmt.Fprintf(w, "%s:\t%s\t(%s)\n", what, how, from.origin()) }
	onOff := map[bool]string{true: "on", false: "off"}
	row("Two-factor login", onOff[s.Enabled], p[settingEnabled])
	row("For programs, too", onOff[s.APIEnabled], p[settingAPI])
	services := "none"
	if len(s.APIServices) > 0 {
		services = strings.Join(s.APIServices, ", ")
	}
	row("Programs' services", services, p[settingServices])
	row("Issuer", s.Shown, p[settingIssuer])
	_ = w.Flush() // standard output: who reads it has gone
}
