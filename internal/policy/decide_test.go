package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	march = time.Date(2027, 3, 1, 0, 0, 0, 0, time.Local)
	april = time.Date(2027, 4, 1, 0, 0, 0, 0, time.Local)
)

func decided(t testing.TB, p *Policy, req Request, now time.Time) Decision {
	t.Helper()
	d, err := p.Decide(req, now)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return d
}

func TestDecideWithoutRules(t *testing.T) {
	p := parsed(t)
	got := decided(t, p, Request{User: "alice", Service: "sshd"}, march)
	want := Decision{Require: RequireIfEnrolled, Window: 1, Attempts: 3, Lockout: p.Lockout, Sessions: p.Sessions}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDecideTakesEverySetting(t *testing.T) {
	p := parsed(t, "f", strings.Replace(everything, "enabled = false", "enabled = true", 1))
	got := decided(t, p, Request{User: `CORP\jane doe`, Service: "sshd", Source: "10.1.2.3"}, march.Add(-time.Hour))
	want := Decision{
		Require:  RequireEnroll,
		Until:    march,
		Remember: 12 * time.Hour,
		Prompt:   "PIN: ",
		Message:  "Codes come from the app.",
		Refused:  "Call Ann.",
		Window:   3,
		Attempts: 5,
		Lockout:  Lockout{6, 11 * time.Minute, 90 * time.Minute, 2*time.Hour + time.Second, 21},
		Sessions: Sessions{2, JoinNever, ExcessDeny, LogoutAll, []string{"sshd"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestFirstRuleThatSetsItWins(t *testing.T) {
	p := parsed(t,
		"main", "codes.window = 4\n[[rule]]\nremember = \"1h\"\nwindow = 5\nrequire = \"always\"\n",
		"drop-in", "[[rule]]\nservices = [\"sshd\"]\nremember = \"0s\"\n[[rule]]\nservices = [\"sshd\"]\nremember = \"2h\"\nrequire = \"never\"\n")
	ssh := decided(t, p, Request{Service: "sshd"}, march)
	if ssh.Remember != 0 || ssh.Require != RequireNever || ssh.Window != 5 {
		t.Errorf("sshd: got %+v", ssh)
	}
	sudo := decided(t, p, Request{Service: "sudo"}, march)
	if sudo.Remember != time.Hour || sudo.Require != RequireAlways || sudo.Window != 5 {
		t.Errorf("sudo: got %+v", sudo)
	}
}

func TestMatchers(t *testing.T) {
	for _, test := range []struct {
		matcher string
		request Request
		want    bool
	}{
		{`services = ["sshd", "login"]`, Request{Service: "login"}, true},
		{`services = ["sshd", "login"]`, Request{Service: "Login"}, false},
		{`services = ["sshd"]`, Request{Service: ""}, false},
		{`services = ["sshd"]`, Request{Service: "sshd-session"}, false},

		{`users = ["alice", "bob"]`, Request{User: "bob"}, true},
		{`users = ["alice"]`, Request{User: "Alice"}, false},
		{`users = ["alice"]`, Request{User: "alic"}, false},
		{`users = ["alice"]`, Request{User: "bob", Groups: groups("alice")}, false},
		{`users = ["@staff"]`, Request{User: "alice", Groups: groups("users", "staff")}, true},
		{`users = ["@staff"]`, Request{User: "alice", Groups: groups("users", "Staff", "@staff")}, false},
		{`users = ["@staff"]`, Request{User: "staff", Groups: groups()}, false},
		{`users = ["@staff"]`, Request{User: "@staff", Groups: groups()}, false},
		{`users = ["@staff", "alice"]`, Request{User: "alice", Groups: failing}, true},

		{`from = ["10.0.0.0/8"]`, Request{Source: "10.255.0.1"}, true},
		{`from = ["10.0.0.0/8"]`, Request{Source: "11.0.0.1"}, false},
		{`from = ["10.0.0.0/8"]`, Request{Source: "::ffff:10.0.0.1"}, true},
		{`from = ["::ffff:10.0.0.0/104"]`, Request{Source: "10.0.0.1"}, true},
		{`from = ["::/0"]`, Request{Source: "::ffff:10.0.0.1"}, false},
		{`from = ["::/0"]`, Request{Source: "2001:db8::1"}, true},
		{`from = ["0.0.0.0/0"]`, Request{Source: "2001:db8::1"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: ""}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: "localhost"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: "10.0.0.1.example.org"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: "10.0.0.1:22"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: "10.0.0.1/8"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: " 10.0.0.1"}, false},
		{`from = ["0.0.0.0/0", "::/0"]`, Request{Source: "167772161"}, false},
		{`from = ["192.0.2.7"]`, Request{Source: "192.0.2.7"}, true},
		{`from = ["192.0.2.7"]`, Request{Source: "192.0.2.8"}, false},
		{`from = ["2001:db8::/32"]`, Request{Source: "2001:0DB8:0:0::1"}, true},
		{`from = ["fe80::/10"]`, Request{Source: "fe80::1%eth0"}, true},

		{`publickey = true`, Request{PublicKey: true}, true},
		{`publickey = true`, Request{}, false},
		{`publickey = false`, Request{}, true},
		{`publickey = false`, Request{PublicKey: true}, false},
		{"publickey = true\nusers = [\"a\"]", Request{User: "b", PublicKey: true}, false},
		{`between = "00:00-00:01"`, Request{}, true}, // march is midnight
		{`between = "00:01-24:00"`, Request{}, false},
		{"between = \"00:01-24:00\"\nusers = [\"@a\"]", Request{Groups: failing}, false},

		{"services = [\"sshd\"]\nusers = [\"a\"]\nfrom = [\"10.0.0.1\"]", Request{User: "a", Service: "sshd", Source: "10.0.0.1"}, true},
		{"services = [\"sshd\"]\nusers = [\"a\"]\nfrom = [\"10.0.0.1\"]", Request{User: "b", Service: "sshd", Source: "10.0.0.1"}, false},
		{"services = [\"sshd\"]\nusers = [\"a\"]\nfrom = [\"10.0.0.1\"]", Request{User: "a", Service: "su", Source: "10.0.0.1"}, false},
		{"services = [\"sshd\"]\nusers = [\"a\"]\nfrom = [\"10.0.0.1\"]", Request{User: "a", Service: "sshd", Source: "10.0.0.2"}, false},
	} {
		p := parsed(t, "f", "[[rule]]\nrequire = \"never\"\n"+test.matcher)
		if got := decided(t, p, test.request, march).Require == RequireNever; got != test.want {
			t.Errorf("%s matches %+v: %v, want %v", test.matcher, test.request, got, test.want)
		}
	}
}

func TestUntil(t *testing.T) {
	p := parsed(t, "f", "[[rule]]\nusers = [\"alice\"]\nrequire = \"always\"\n[[rule]]\nrequire = \"enroll\"\nuntil = 2027-03-01\n")
	for _, test := range []struct {
		user string
		now  time.Time
		want time.Time
	}{
		{"bob", march.Add(-time.Nanosecond), march},
		{"bob", march, time.Time{}},
		{"bob", april, time.Time{}},
		{"alice", march.Add(-time.Hour), time.Time{}}, // until belongs to the rule whose require holds
	} {
		if got := decided(t, p, Request{User: test.user}, test.now).Until; !got.Equal(test.want) {
			t.Errorf("%s at %v: until is %v, want %v", test.user, test.now, got, test.want)
		}
	}
}

func TestSwitches(t *testing.T) {
	rule := "[[rule]]\nusers = [\"alice\"]\nrequire = \"%s\"\nlimit = 7\n"
	for _, test := range []struct {
		head, require string
		service       string
		want          Require
	}{
		{"enabled = false", "always", "sshd", RequireNever},
		{"enabled = false\napi = { services = [\"panel\"], enabled = true }", "always", "panel", RequireNever},
		{"api = { services = [\"panel\"] }", "always", "panel", RequireNever},
		{"api = { services = [\"panel\"] }", "always", "sshd", RequireAlways},
		{"api = { services = [\"panel\"], enabled = true }", "never", "panel", RequireAlways},
		{"api = { services = [\"panel\"], enabled = true }", "enroll", "panel", RequireAlways},
		{"api = { services = [\"panel\"], enabled = true }", "never", "sshd", RequireNever},
		{"api = { enabled = true }", "never", "panel", RequireNever},
	} {
		p := parsed(t, "f", test.head+"\n"+strings.ReplaceAll(rule, "%s", test.require))
		d := decided(t, p, Request{User: "alice", Service: test.service}, march)
		if d.Require != test.want || d.Sessions.Limit != 7 {
			t.Errorf("%q with %q for %s: got %q and limit %d, want %q and 7", test.head, test.require, test.service, d.Require, d.Sessions.Limit, test.want)
		}
	}
}

// TestUntilOfOverruledRule: what is required of a program is required now.
func TestUntilOfOverruledRule(t *testing.T) {
	p := parsed(t, "f", "api = { services = [\"panel\"], enabled = true }\n[[rule]]\nrequire = \"enroll\"\nuntil = 2027-03-01\n")
	if d := decided(t, p, Request{Service: "panel"}, march.Add(-1)); d.Require != RequireAlways || !d.Until.IsZero() {
		t.Errorf("got %+v", d)
	}
}

func TestGroupsAreLookedUpLateAndOnce(t *testing.T) {
	p := parsed(t, "f", `
[[rule]]
services = ["login"]
users = ["@a"]
require = "never"
[[rule]]
from = ["10.0.0.0/8"]
users = ["@b"]
require = "never"
[[rule]]
users = ["root"]
require = "never"
[[rule]]
users = ["@c", "@d"]
window = 3
[[rule]]
users = ["@e"]
window = 4
[[rule]]
users = ["@f"]
require = "always"
`)
	for _, test := range []struct {
		request Request
		want    int
	}{
		{Request{User: "alice", Service: "sshd", Source: "192.0.2.1"}, 1},
		{Request{User: "alice", Service: "login", Source: "10.0.0.1"}, 1},
	} {
		calls := 0
		test.request.Groups = func() ([]string, error) { calls++; return []string{"f"}, nil }
		if d := decided(t, p, test.request, march); d.Require != RequireAlways {
			t.Errorf("got %+v", d)
		}
		if calls != test.want {
			t.Errorf("%+v: groups were looked up %d times, want %d", test.request, calls, test.want)
		}
		calls = 0
		if _, err := p.Explain(test.request, march); err != nil || calls != 1 {
			t.Errorf("Explain looked groups up %d times, want 1 (%v)", calls, err)
		}
	}
}

// TestFailedLookUp: a rule that hangs on it and would set something is an
// error, whichever way it would have gone.
func TestFailedLookUp(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		request      Request
		want         Require // none: an error
	}{
		{"exempts", "[[rule]]\nusers = [\"@a\"]\nrequire = \"never\"", Request{User: "alice"}, ""},
		{"is stricter", "[[rule]]\nusers = [\"@a\"]\nrequire = \"always\"", Request{User: "alice"}, ""},
		{"loosens", "[[rule]]\nusers = [\"@a\"]\nattempts = 9", Request{User: "alice"}, ""},
		{"named", "[[rule]]\nusers = [\"@a\", \"alice\"]\nrequire = \"always\"", Request{User: "alice"}, RequireAlways},
		{"other service", "[[rule]]\nservices = [\"su\"]\nusers = [\"@a\"]\nrequire = \"never\"", Request{User: "alice", Service: "sshd"}, RequireIfEnrolled},
		{"other source", "[[rule]]\nfrom = [\"10.0.0.1\"]\nusers = [\"@a\"]\nrequire = \"never\"", Request{User: "alice", Source: "10.0.0.2"}, RequireIfEnrolled},
		{"settled before", "[[rule]]\nrequire = \"always\"\n[[rule]]\nusers = [\"@a\"]\nrequire = \"never\"", Request{User: "alice"}, RequireAlways},
		{"half settled", "[[rule]]\nrequire = \"always\"\n[[rule]]\nusers = [\"@a\"]\nrequire = \"never\"\nlimit = 2", Request{User: "alice"}, ""},
		{"off", "enabled = false\n[[rule]]\nusers = [\"@a\"]\nlimit = 5", Request{User: "alice"}, RequireNever},
		{"program", "api = { services = [\"p\"], enabled = true }\n[[rule]]\nusers = [\"@a\"]\nrequire = \"never\"", Request{User: "alice", Service: "p"}, RequireAlways},
		{"program, attempts", "api = { services = [\"p\"], enabled = true }\n[[rule]]\nusers = [\"@a\"]\nattempts = 9", Request{User: "alice", Service: "p"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := parsed(t, "f", test.policy)
			for _, lookup := range []func() ([]string, error){
				failing,
				nil,
				func() ([]string, error) { return []string{"a"}, errLookup }, // half an answer is none
			} {
				test.request.Groups = lookup
				d, err := p.Decide(test.request, march)
				switch {
				case test.want != "" && (err != nil || d.Require != test.want || d.Sessions.Limit != 1):
					t.Errorf("got %+v, %v", d, err)
				case test.want == "" && (err == nil || !reflect.DeepEqual(d, Decision{})):
					t.Errorf("got %+v, %v, want an error", d, err)
				case err != nil && lookup != nil && (!errors.Is(err, errLookup) || !strings.Contains(err.Error(), `rule at f:`)):
					t.Errorf("got the error %v", err)
				}
			}
		})
	}
}

// commonPolicy has rules, as most hosts' policies will, but none for groups.
const commonPolicy = `
[[rule]]
services = ["cockpit"]
logout   = "all"
[[rule]]
services = ["sshd"]
users    = ["backup", "deploy"]
from     = ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]
require  = "never"
[[rule]]
require  = "enroll"
until    = 2027-03-01
remember = "12h"
`

func TestDecideAllocatesNothing(t *testing.T) {
	p := parsed(t, "f", commonPolicy)
	req := Request{User: "deploy", Service: "sshd", Source: "192.0.2.1", Groups: failing}
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := p.Decide(req, march); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("a decision allocates %v times", allocs)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := parsed(b, "f", commonPolicy)
	req := Request{User: "alice", Service: "sshd", Source: "192.0.2.1", Groups: failing}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Decide(req, march); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	fs := files("vendor", "[[rule]]\nservices = [\"cockpit\"]\nlogout = \"all\"\n", "main", everything)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(fs); err != nil {
			b.Fatal(err)
		}
	}
}
