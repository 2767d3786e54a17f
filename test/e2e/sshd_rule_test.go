package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/test/host"
)

// Who logs in with a key is let in by the rule, in the account phase, and nobody else is.
func TestSSHRuleByKey(t *testing.T) {
	d, s := protectedSSHD(t, "[[rule]]\nservices = [\"sshd\"]\npublickey = true\nrequire = \"never\"\n"+require("always"))
	alice := enrolled(t, "alice")
	key := alice.sshKey(t)
	x := ssh(t, s, "alice", key...)
	x.Expect(inside)
	entered(t, x)
	if strings.Contains(x.Text(), codePrompt) {
		t.Errorf("it asks:\n%s", x.Text())
	}
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))
	host.Policy(t, "[[rule]]\nservices = [\"sshd\"]\npublickey = false\nrequire = \"never\"\n"+require("always"))
	d.Stop()
	d.Start()
	refused(t, ssh(t, s, "alice", key...))
	x = ssh(t, s, "alice")
	x.Answer(passwordPrompt, host.Password)
	x.Expect(inside)
	entered(t, x)
}

// The rule holds within its hours by the host's clock.
func TestSSHRuleByHour(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) string { return now.Add(d).Format("15:04") }
	in, out := at(-2*time.Hour)+"-"+at(2*time.Hour), at(2*time.Hour)+"-"+at(-2*time.Hour)
	for between, asked := range map[string]bool{in: false, out: true} {
		t.Run(between, func(t *testing.T) {
			_, s := protectedSSHD(t, fmt.Sprintf("[[rule]]\nbetween = %q\nrequire = \"never\"\n", between)+require("always"))
			alice := enrolled(t, "alice")
			x := ssh(t, s, "alice")
			if asked {
				entered(t, login(t, x, alice.app.Code()))
				return
			}
			x.Answer(passwordPrompt, host.Password)
			x.Expect(inside)
			entered(t, x)
		})
	}
}

func TestSSHRuleTexts(t *testing.T) {
	_, s := protectedSSHD(t, require("always")+"prompt = \"PIN and token:\"\nmessage = \"Codes come from the blue app.\"\nrefused = \"Call 555 for help.\"\n")
	alice := enrolled(t, "alice")
	x := ssh(t, s, "alice", "-o", "NumberOfPasswordPrompts=1")
	x.Answer(passwordPrompt, host.Password)
	for range 3 {
		x.Answer("PIN and token: ", alice.app.Wrong())
	}
	x.Expect("Call 555 for help")
	refused(t, x)
	if n := strings.Count(x.Text(), "Codes come from the blue app."); n != 1 {
		t.Errorf("the message is there %d times:\n%s", n, x.Text())
	}
	x = ssh(t, s, "alice")
	x.Answer(passwordPrompt, host.Password)
	x.Answer(`Codes come from the blue app\.(?s:.*)PIN and token: `, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

// A remembered login does not survive a policy that drops it, also when that comes back.
func TestSSHRememberIsDropped(t *testing.T) {
	remember := require("always") + "remember = \"12h\"\n"
	d, s := protectedSSHD(t, remember)
	alice := enrolled(t, "alice")
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))
	remembered := func(what string, want bool) {
		t.Helper()
		x := ssh(t, s, "alice")
		x.Answer(passwordPrompt, host.Password)
		if want {
			x.Expect(inside)
			entered(t, x)
			return
		}
		x.Answer(codePrompt, alice.app.Code())
		x.Expect(inside)
		entered(t, x)
	}
	remembered("at once", true)
	reload := func(policy string) {
		t.Helper()
		host.Policy(t, policy)
		ctl(t, "policy", "set", "codes.attempts", fmt.Sprint(2+len(policy)%7)) // has all files read
	}
	reload(require("always"))
	reload(remember)
	remembered("after it was dropped and came back", false)
	remembered("again", true)
	host.Policy(t, require("always"))
	d.Stop()
	d.Start()
	host.Policy(t, remember)
	d.Stop()
	d.Start()
	remembered("after restarts", false)
}
