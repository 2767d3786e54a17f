package policy

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// parsed parses files given as name, content, name, content ...
func parsed(t testing.TB, nameAndText ...string) *Policy {
	t.Helper()
	p, err := Parse(files(nameAndText...))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return p
}

func files(nameAndText ...string) []File {
	var fs []File
	for i := 0; i < len(nameAndText); i += 2 {
		fs = append(fs, File{nameAndText[i], []byte(nameAndText[i+1])})
	}
	return fs
}

func TestParseWithoutFiles(t *testing.T) {
	p := parsed(t)
	want := &Policy{
		Enabled:         true,
		OnDaemonFailure: "verify",
		Codes:           Codes{Window: 1, Attempts: 3},
		Lockout:         Lockout{5, 10 * time.Minute, 5 * time.Minute, 24 * time.Hour, 20},
		Sessions: Sessions{1, "source", "displace", "one",
			[]string{"sshd", "login", "cockpit", "gdm-password", "lightdm", "xrdp-sesman"}},
		Clock:   Clock{Warn: 5 * time.Second, Notify: Members{"@sudo"}},
		origins: map[string]origin{},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// everything sets every key of the schema to what is not its default.
const everything = `
enabled = false
issuer = "Example & Söhne"
on_daemon_failure = "deny"
admins_may_enroll = true

[login]
trusted = ["panel", "@panels"]

[codes]
window = 2
attempts = 4

[lockout]
failures = 6
within = "11m"
lock = "1h30m"
lock_max = "2h0m1s"
user_failures = 21

[sessions]
limit = 0
join = "never"
excess = "ask"
logout = "all"
services = ["sshd"]

[clock]
warn = "7s"
servers = ["ntp.example.org", "192.0.2.1:1123", "[2001:db8::1]:123", "2001:db8::2", "time.example.org.:123"]
notify = []

[api]
services = ["panel-api"]
enabled = true

[[delegate]]
who = ["@helpdesk", "eve"]
over = ["@customers"]
owners = "/etc/trueuserowners"
may = ["list", "unlock"]

[[rule]]
services = ["sshd", "login"]
users = ["@automation", 'CORP\jane doe']
from = ["10.0.0.0/8", "192.0.2.7", "::ffff:172.16.0.0/108", "2001:db8::/32", "::ffff:192.0.2.8"]
publickey = false
between = "22:00-06:30"
require = "enroll"
until = 2027-03-01
remember = "12h"
prompt = "PIN:"
message = "Codes come from the app."
refused = "Call Ann."
window = 3
attempts = 5
limit = 2
join = "never"
excess = "deny"
logout = "all"
`

func TestParseEverything(t *testing.T) {
	p := parsed(t, "all", everything)
	p.origins, p.mark = nil, ""
	p.Rules[0].lines = nil
	p.Delegates[0].lines = nil
	want := &Policy{
		Enabled:         false,
		Issuer:          "Example & Söhne",
		OnDaemonFailure: FailureDeny,
		AdminsMayEnroll: true,
		Login:           Login{Members{"panel", "@panels"}},
		Codes:           Codes{2, 4},
		Lockout:         Lockout{6, 11 * time.Minute, 90 * time.Minute, 2*time.Hour + time.Second, 21},
		Sessions:        Sessions{0, JoinNever, ExcessAsk, LogoutAll, []string{"sshd"}},
		Clock: Clock{7 * time.Second,
			[]string{"ntp.example.org", "192.0.2.1:1123", "[2001:db8::1]:123", "2001:db8::2", "time.example.org.:123"}, Members{}},
		API:       API{[]string{"panel-api"}, true},
		Delegates: []Delegate{{"all", 37, Members{"@helpdesk", "eve"}, Members{"@customers"}, "/etc/trueuserowners", []string{"list", "unlock"}, nil}},
		Rules: []Rule{{
			File:     "all",
			Line:     43,
			Services: []string{"sshd", "login"},
			Users:    Members{"@automation", `CORP\jane doe`},
			From: []netip.Prefix{
				netip.MustParsePrefix("10.0.0.0/8"),
				netip.MustParsePrefix("192.0.2.7/32"),
				netip.MustParsePrefix("172.16.0.0/12"),
				netip.MustParsePrefix("2001:db8::/32"),
				netip.MustParsePrefix("192.0.2.8/32"),
			},
			Require:   RequireEnroll,
			Until:     time.Date(2027, 3, 1, 0, 0, 0, 0, time.Local),
			Remember:  12 * time.Hour,
			PublicKey: new(bool),
			Between:   Hours{22 * 60, 6*60 + 30},
			Prompt:    "PIN: ",
			Message:   "Codes come from the app.",
			Refused:   "Call Ann.",
			Window:    3,
			Attempts:  5,
			Limit:     2,
			Join:      JoinNever,
			Excess:    ExcessDeny,
			Logout:    LogoutAll,
			sets:      setAll,
		}},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// TestSchemaIsWhole holds the schema's keys against "everything", so that a
// key that is added without a test is noticed.
func TestSchemaIsWhole(t *testing.T) {
	p, defaults := parsed(t, "all", everything), defaultPolicy()
	for _, k := range tableKeys() {
		if p.origins[k.name].line == 0 {
			t.Errorf("%s is not set", k.name)
		}
		if k.show(p) == k.show(defaults) {
			t.Errorf("%s = %s is the default", k.name, k.show(p))
		}
	}
	for _, k := range ruleKeys() {
		if p.Rules[0].lines[k.name] == 0 {
			t.Errorf("rule: %s is not set", k.name)
		}
	}
	for _, k := range delegateKeys() {
		if p.Delegates[0].lines[k.name] == 0 {
			t.Errorf("delegate: %s is not set", k.name)
		}
	}
}

func TestLaterFilesOverride(t *testing.T) {
	p := parsed(t,
		"vendor", "enabled = false\n[codes]\nwindow = 2\nattempts = 7\n[api]\nservices = [\"a\", \"b\"]\n",
		"main", "[codes]\nwindow = 3\n",
		"drop-in", "enabled = true\napi = { services = [\"c\"] }\n")
	if !p.Enabled || p.Codes != (Codes{3, 7}) || !reflect.DeepEqual(p.API.Services, []string{"c"}) {
		t.Errorf("got enabled = %v, codes = %v, api = %v", p.Enabled, p.Codes, p.API)
	}
	want := map[string]origin{
		"enabled":        {"drop-in", 1},
		"codes.window":   {"main", 2},
		"codes.attempts": {"vendor", 4},
		"api.services":   {"drop-in", 2},
	}
	if !reflect.DeepEqual(p.origins, want) {
		t.Errorf("origins are %v, want %v", p.origins, want)
	}
}

func TestOrderOfRulesAndDelegates(t *testing.T) {
	text := "[[rule]]\nlimit = 1\n[[rule]]\nlimit = 2\n[[delegate]]\nwho = [\"a\"]\nover = [\"b\"]\nmay = [\"list\"]\n"
	p := parsed(t, "vendor", text, "main", text, "10-drop-in", text, "20-drop-in", text)
	var rules, delegates []origin
	for _, r := range p.Rules {
		rules = append(rules, origin{r.File, r.Line})
	}
	for _, d := range p.Delegates {
		delegates = append(delegates, origin{d.File, d.Line})
	}
	wantRules := []origin{
		{"20-drop-in", 1}, {"20-drop-in", 3}, {"10-drop-in", 1}, {"10-drop-in", 3},
		{"main", 1}, {"main", 3}, {"vendor", 1}, {"vendor", 3},
	}
	if !reflect.DeepEqual(rules, wantRules) {
		t.Errorf("rules are tried in the order %v, want %v", rules, wantRules)
	}
	wantDelegates := []origin{{"vendor", 5}, {"main", 5}, {"10-drop-in", 5}, {"20-drop-in", 5}}
	if !reflect.DeepEqual(delegates, wantDelegates) {
		t.Errorf("delegates are %v, want %v", delegates, wantDelegates)
	}
}

func TestWaysToWriteTOML(t *testing.T) {
	for name, text := range map[string]string{
		"dotted":       "codes.window = 4\n",
		"inline":       "codes = { attempts = 3, window = 4 }\n",
		"quoted":       "[\"codes\"]\n'window' = 4\n",
		"escaped":      `"\u0063odes".window = 0x4` + "\n",
		"spaced":       "  [ codes ]  # comment\n\twindow   =   +4 # comment",
		"mark":         "\ufeff[codes]\nwindow = 4\n",
		"line ends":    "[codes]\r\nwindow = 4\r\n",
		"split inline": "codes = {\n  window = 4, # comment\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			if p := parsed(t, "f", text); p.Codes.Window != 4 {
				t.Errorf("window is %d", p.Codes.Window)
			}
		})
	}
}

func TestInstant(t *testing.T) {
	// A zone that is not the one of the machine that runs this, and one whose
	// offset in March is not the one of today's.
	east := time.FixedZone("east", 5*3600+1800)
	for _, test := range []struct{ text, want string }{
		{"2027-03-01", "2027-03-01T00:00:00+05:30"},
		{"2027-03-01T08:00:00", "2027-03-01T08:00:00+05:30"},
		{"2027-03-01 08:00", "2027-03-01T08:00:00+05:30"},
		{"2027-03-01T08:00:00.25", "2027-03-01T08:00:00.25+05:30"},
		{"2027-03-01T08:00:00Z", "2027-03-01T08:00:00Z"},
		{"2027-03-01T08:00:00-07:00", "2027-03-01T08:00:00-07:00"},
	} {
		d := draft{policy: defaultPolicy(), faulty: map[string]bool{}}
		r := newReader("f", &d)
		if err := r.decode("x = " + test.text); err != nil {
			t.Fatal(err)
		}
		got, ok := instant(r.doc["x"].(time.Time), east)
		if !ok || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("%s is %s, want %s", test.text, got.Format(time.RFC3339Nano), test.want)
		}
	}
}

func TestShowTimeIsRead(t *testing.T) {
	east := time.FixedZone("east", 5*3600+1800)
	for _, test := range []struct {
		when time.Time
		want string
	}{
		{time.Date(2027, 3, 1, 0, 0, 0, 0, east), "2027-03-01"},
		{time.Date(2027, 2, 28, 18, 30, 0, 0, time.UTC), "2027-03-01"},
		{time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), "2027-03-01T00:00:00Z"},
		{time.Date(2027, 3, 1, 8, 0, 0, 5, east), "2027-03-01T08:00:00.000000005+05:30"},
	} {
		if got := showTime(test.when, east); got != test.want {
			t.Errorf("%v is shown as %s, want %s", test.when, got, test.want)
		}
	}
}

func TestShowDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                            "0s",
		90 * time.Second:             "1m30s",
		10 * time.Minute:             "10m",
		time.Hour + 10*time.Minute:   "1h10m",
		10 * time.Hour:               "10h",
		time.Hour + 5*time.Second:    "1h0m5s",
		720 * time.Hour:              "720h",
		10*time.Minute + time.Second: "10m1s",
	} {
		if got := showDuration(d); got != want {
			t.Errorf("%d ns is shown as %s, want %s", d, got, want)
		}
	}
}

func TestParseGivesProblems(t *testing.T) {
	_, err := Parse(files("a", "x = 1", "b", "["))
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("got %T %v, want two Problems", err, err)
	}
	if problems[0].File != "a" || problems[1].File != "b" {
		t.Errorf("got %v", problems)
	}
}
