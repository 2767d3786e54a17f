package policy

import (
	"fmt"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		want         []string // LINE: beginning of the text
	}{
		{"defaults", "", nil},
		{"everything", everything, []string{
			"2: Sallyport is switched off",
			"4: While sallyportd is down",
			"52: Where the code is asked for before the password",
		}},
		{"common", commonPolicy, nil},
		{"trusted", "[login]\ntrusted = [\"panel\", \"root\"]", []string{"2: root is trusted in any case"}},
		{"programs", "[api]\nservices = [\"panel\", \"sshd\"]", []string{`2: People log in through "sshd", and there they are not asked`}},
		{"asked programs", "[api]\nenabled = true\nservices = [\"sudo\"]", []string{`3: People log in through "sudo", and there they cannot set up`}},
		{"never", "[[rule]]\nrequire = \"never\"", []string{"2: This rule exempts everybody"}},
		{"never for some", "[[rule]]\nusers = [\"a\"]\nrequire = \"never\"", nil},
		{"never after always", "[[rule]]\nrequire = \"always\"\n[[rule]]\nrequire = \"never\"\nlimit = 2\n", nil},
		{"never after always for some", "[[rule]]\nusers = [\"a\"]\nrequire = \"always\"\n[[rule]]\nrequire = \"never\"\n", []string{"5: This rule exempts everybody"}},
		{"anywhere", "[[rule]]\nrequire = \"never\"\nusers = [\"a\"]\nfrom = [\"10.0.0.0/8\", \"0.0.0.0/0\"]", []string{"4: This rule exempts logins from any address"}},
		{"anywhere, IPv6", "[[rule]]\nrequire = \"never\"\nfrom = [\"::/0\"]", []string{"3: This rule exempts logins from any address"}},
		{"anywhere always", "[[rule]]\nrequire = \"always\"\nfrom = [\"::/0\"]", nil},
		{"keys", "[[rule]]\nservices = [\"sshd\"]\npublickey = true\nrequire = \"never\"", []string{"3: This rule asks nobody for a code who logs in with a key"}},
		{"keys, asked", "[[rule]]\npublickey = true\nrequire = \"always\"", nil},
		{"no keys", "[[rule]]\nusers = [\"a\"]\npublickey = false\nrequire = \"never\"", nil},
		{"prompt for some", "[[rule]]\nusers = [\"@a\"]\nprompt = \"PIN\"\nmessage = \"Hello.\"", []string{"3: Where the code is asked for before the password"}},
		{"message for some", "[[rule]]\nusers = [\"a\"]\nmessage = \"Hello.\"", []string{"3: Where the code is asked for before the password"}},
		{"refused for some", "[[rule]]\nusers = [\"a\"]\nrefused = \"Call Ann.\"", nil},
		{"prompt for all", "[[rule]]\nservices = [\"sshd\"]\nprompt = \"PIN\"", nil},
		{"rule for programs", "[api]\nservices = [\"p\", \"q\"]\n[[rule]]\nservices = [\"p\"]\nrequire = \"never\"", []string{"5: This has no effect"}},
		{"limit for programs", "[api]\nservices = [\"p\"]\n[[rule]]\nservices = [\"p\"]\nlimit = 2", nil},
		{"rule for some programs", "[api]\nservices = [\"p\"]\n[[rule]]\nservices = [\"p\", \"q\"]\nrequire = \"never\"", nil},
		{"root's delegate", "[[delegate]]\nwho = [\"@a\", \"b\"]\nover = [\"root\"]\nmay = [\"disable\"]", []string{`3: "@a" and "b" may remove`}},
		{"root's lister", "[[delegate]]\nwho = [\"@a\"]\nover = [\"root\"]\nmay = [\"list\"]", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, w := range parsed(t, "f", test.policy).Warnings() {
				got = append(got, fmt.Sprintf("%d: %s", w.Line, w.Text))
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], test.want[i]) {
					t.Errorf("got %q, want %q", got[i], test.want[i])
				}
			}
		})
	}
}

func TestCoveredRules(t *testing.T) {
	for _, test := range []struct {
		first, second string
		want          bool
	}{
		{"limit = 1", "limit = 2", true},
		{"limit = 1", "limit = 2\nusers = [\"a\"]\nservices = [\"s\"]\nfrom = [\"10.0.0.1\"]", true},
		{"limit = 1\nwindow = 2", "limit = 2", true},
		{"limit = 1", "limit = 2\nwindow = 2", false},
		{"limit = 1\nusers = [\"a\"]", "limit = 2", false},
		{"limit = 1\nservices = [\"a\"]", "limit = 2", false},
		{"limit = 1\nfrom = [\"0.0.0.0/0\"]", "limit = 2", false},
		{"limit = 1\nusers = [\"b\", \"@c\", \"a\"]", "limit = 2\nusers = [\"a\", \"@c\"]", true},
		{"limit = 1\nusers = [\"@a\"]", "limit = 2\nusers = [\"a\"]", false},
		{"limit = 1\nservices = [\"b\"]", "limit = 2\nservices = [\"a\", \"b\"]", false},
		{"limit = 1\nfrom = [\"10.0.0.0/8\", \"::/0\"]", "limit = 2\nfrom = [\"10.1.0.0/16\", \"2001:db8::1\"]", true},
		{"limit = 1\nfrom = [\"10.0.0.0/8\"]", "limit = 2\nfrom = [\"10.1.0.0/16\", \"11.0.0.1\"]", false},
		{"limit = 1\nfrom = [\"10.0.0.0/16\"]", "limit = 2\nfrom = [\"10.0.0.0/8\"]", false},
		{"limit = 1\nfrom = [\"0.0.0.0/0\"]", "limit = 2\nfrom = [\"::/0\"]", false},
		{"limit = 1", "limit = 2\npublickey = true\nbetween = \"08:00-18:00\"", true},
		{"limit = 1\npublickey = true", "limit = 2\npublickey = true", true},
		{"limit = 1\npublickey = true", "limit = 2\npublickey = false", false},
		{"limit = 1\npublickey = true", "limit = 2", false},
		{"limit = 1\nbetween = \"08:00-18:00\"", "limit = 2\nbetween = \"08:00-18:00\"", true},
		{"limit = 1\nbetween = \"08:00-18:00\"", "limit = 2\nbetween = \"08:00-19:00\"", false},
		{"limit = 1\nbetween = \"08:00-18:00\"", "limit = 2", false},
	} {
		text := "[[rule]]\n" + test.first + "\n[[rule]]\n" + test.second + "\n"
		warnings := parsed(t, "f", text).Warnings()
		got := len(warnings) == 1 && strings.Contains(warnings[0].Text, "never has an effect")
		if got != test.want {
			t.Errorf("%s\ngot %v, want %v", text, warnings, test.want)
		}
	}
	p := parsed(t, "main", "[[rule]]\nlimit = 2", "drop-in", "[[rule]]\nlimit = 1")
	if w := p.Warnings(); w != nil {
		t.Errorf("a drop-in that overrides gives the warnings %v", w)
	}
}
