package policy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const ruled = `
[codes]
attempts = 4

[[rule]]
services = ["login", "sshd"]
users    = ["root", "@automation"]
from     = ["192.168.0.0/16", "2001:db8::1"]
require  = "never"

[[rule]]
services = ["sshd"]
remember = "12h"

[[rule]]
require = "enroll"
until   = 2027-03-01
window  = 2
`

func TestExplain(t *testing.T) {
	before, after := time.Date(2027, 2, 1, 0, 0, 0, 0, time.Local), time.Date(2027, 4, 1, 0, 0, 0, 0, time.Local)
	for _, test := range []struct {
		name    string
		policy  string
		request Request
		now     time.Time
	}{
		{"source", ruled, Request{User: "alice", Service: "sshd", Source: "10.1.2.3"}, before},
		{"passed", ruled, Request{User: "alice", Service: "sshd", Source: "host.example.org"}, after},
		{"service", ruled, Request{User: "alice", Service: "sudo"}, before},
		{"nowhere", ruled, Request{User: "alice", Service: "login"}, before},
		{"member", ruled, Request{User: "alice", Service: "sshd", Source: "192.168.3.4", Groups: groups("automation")}, before},
		{"no-member", ruled, Request{User: "alice", Service: "sshd", Source: "::ffff:192.168.3.4", Groups: groups("users")}, before},
		{"off", "enabled = false\n" + ruled, Request{User: "alice", Service: "sshd", Source: "192.168.3.4", Groups: failing}, before},
		{"program", "[api]\nservices = [\"sshd\"]\n" + ruled, Request{User: "root", Service: "sshd", Source: "192.168.3.4"}, before},
		{"asked-program", "[api]\nservices = [\"sshd\"]\nenabled = true\n" + ruled, Request{User: "root", Service: "sshd", Source: "192.168.3.4"}, before},
		{"texts", `
[[rule]]
publickey = true
between = "08:00-18:00"
require = "never"
[[rule]]
publickey = false
between = "22:00-06:00"
prompt = "PIN:"
message = "The night watch needs a PIN."
[[rule]]
prompt = "Token"
refused = "Call Ann."
`, Request{User: "alice", Service: "sshd"}, before.Add(23 * time.Hour)},
		{"key", `
[[rule]]
publickey = false
require = "always"
[[rule]]
publickey = true
between = "08:00-18:00"
require = "never"
[[rule]]
publickey = true
require = "if-enrolled"
`, Request{User: "alice", Service: "sshd", PublicKey: true}, before.Add(18 * time.Hour)},
		{"long-lists", `
[[rule]]
users = ["a", "b", "c", "d", "e", "f", "@g"]
require = "never"
[[rule]]
from = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"]
require = "never"
`, Request{User: "x\x1b[31m", Service: "sshd", Source: "10.0.0.6", Groups: groups()}, before},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := parsed(t, "sallyport.toml", test.policy)
			checkExplained(t, p, test.request, test.now)
			settings, err := p.Explain(test.request, test.now)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/explain/"+test.name+".want", explained(settings))
		})
	}
}

// explained writes settings down as a table.
func explained(settings []Setting) string {
	var b strings.Builder
	for _, s := range settings {
		fmt.Fprintf(&b, "%s = %s (%s", s.Name, s.Value, s.Why)
		if s.File != "" {
			fmt.Fprintf(&b, ", %s:%d", s.File, s.Line)
		}
		b.WriteString(")\n")
		for _, r := range s.Skipped {
			fmt.Fprintf(&b, "\tnot %s:%d: %s\n", r.File, r.Line, r.Why)
		}
	}
	return b.String()
}

func groups(names ...string) func() ([]string, error) {
	return func() ([]string, error) { return names, nil }
}

var errLookup = errors.New("the directory is down")

func failing() ([]string, error) { return nil, errLookup }

// checkExplained holds Explain against Decide.
func checkExplained(t *testing.T, p *Policy, req Request, now time.Time) {
	t.Helper()
	d, err := p.Decide(req, now)
	settings, explainErr := p.Explain(req, now)
	if err != nil || explainErr != nil {
		if err == nil || explainErr == nil || err.Error() != explainErr.Error() {
			t.Fatalf("Decide gave the error %v, Explain %v", err, explainErr)
		}
		return
	}
	want := map[string]string{
		"require":               quote(string(d.Require)),
		"remember":              quote(showDuration(d.Remember)),
		"prompt":                fmt.Sprintf("%q", d.Prompt),
		"message":               fmt.Sprintf("%q", d.Message),
		"refused":               fmt.Sprintf("%q", d.Refused),
		"codes.window":          fmt.Sprint(d.Window),
		"codes.attempts":        fmt.Sprint(d.Attempts),
		"lockout.failures":      fmt.Sprint(d.Lockout.Failures),
		"lockout.within":        quote(showDuration(d.Lockout.Within)),
		"lockout.lock":          quote(showDuration(d.Lockout.Lock)),
		"lockout.lock_max":      quote(showDuration(d.Lockout.LockMax)),
		"lockout.user_failures": fmt.Sprint(d.Lockout.UserFailures),
		"sessions.limit":        fmt.Sprint(d.Sessions.Limit),
		"sessions.join":         quote(string(d.Sessions.Join)),
		"sessions.excess":       quote(string(d.Sessions.Excess)),
		"sessions.logout":       quote(string(d.Sessions.Logout)),
	}
	for _, name := range []string{"prompt", "message", "refused"} {
		if _, ok := explainedAs(settings, name); !ok && want[name] == `""` {
			delete(want, name) // no rule has it
		}
	}
	if !d.Until.IsZero() {
		want["until"] = showTime(d.Until, time.Local)
	}
	got := make(map[string]string)
	for _, s := range settings {
		if s.Why != whyPassed && s.Name != "sessions.services" {
			got[s.Name] = s.Value
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("Explain gave %v\nbut Decide  %v\nfor %+v and\n%s", got, want, req, written(p))
	}
}

// explainedAs finds a setting by its name.
func explainedAs(settings []Setting, name string) (Setting, bool) {
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return settings[i], true
}

// TestExplainAgreesWithDecide asks many random policies about random logins.
func TestExplainAgreesWithDecide(t *testing.T) {
	refused, optional := 0, 0
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := randomPolicy(t, r)
		for range 10 {
			req := Request{
				User:    pick(r, "alice", "bob", "root"),
				Service: pick(r, "sshd", "sudo", "cockpit", "panel"),
				Source:  pick(r, "", "host", "10.1.2.3", "192.168.0.1", "::ffff:10.0.0.1", "2001:db8::1", "fe80::1%eth0"),
				Groups:  failing,

				PublicKey: r.IntN(2) == 0,
			}
			if r.IntN(3) > 0 {
				req.Groups = groups(pick(r, "staff", "automation"), "users")
			}
			now := time.Date(2027, 1, r.IntN(4), r.IntN(24), r.IntN(60), 0, 0, time.Local)
			checkExplained(t, p, req, now)
			d, err := p.Decide(req, now)
			if err != nil {
				refused++
			}
			if !d.Until.IsZero() {
				optional++
			}
		}
	}
	if refused < 50 || optional < 50 {
		t.Errorf("only %d of the requests were refused, and %d optional: this tests little", refused, optional)
	}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomPolicy writes and parses two files with a few rules.
func randomPolicy(t *testing.T, r *rand.Rand) *Policy {
	t.Helper()
	var all []string
	for range 2 {
		var b strings.Builder
		line := func(oneIn int, values ...string) {
			if r.IntN(oneIn) == 0 {
				b.WriteString(pick(r, values...) + "\n")
			}
		}
		line(10, "enabled = false", "enabled = true")
		line(3, "codes.window = 2", "codes.window = 0")
		line(3, "sessions.limit = 4", "sessions.logout = \"all\"")
		line(3, "api.services = [\"panel\"]", "api.services = [\"panel\", \"cockpit\"]")
		line(3, "api.enabled = true", "api.enabled = false")
		for range r.IntN(5) {
			b.WriteString("[[rule]]\n")
			line(2, `services = ["sshd"]`, `services = ["sudo", "cockpit"]`, `services = ["panel"]`)
			line(2, `users = ["alice"]`, `users = ["@staff"]`, `users = ["bob", "@automation"]`)
			line(2, `from = ["10.0.0.0/8"]`, `from = ["2001:db8::/32", "192.168.0.1"]`, `from = ["fe80::/10"]`)
			line(4, "publickey = true", "publickey = false")
			line(4, `between = "08:00-18:00"`, `between = "18:00-08:00"`)
			b.WriteString(pick(r, `require = "never"`, `require = "always"`, `require = "if-enrolled"`, `require = "enroll"`,
				"require = \"enroll\"\nuntil = 2027-01-02", `join = "never"`) + "\n")
			line(3, `remember = "1h"`, `remember = "0s"`)
			line(4, `prompt = "PIN:"`, `prompt = "Token"`)
			line(4, `message = "Hello."`, `message = ""`)
			line(4, `refused = "Call Ann."`)
			line(3, "window = 3", "window = 0")
			line(3, "attempts = 5")
			line(3, "limit = 0", "limit = 7")
			line(3, `excess = "deny"`, `excess = "ask"`)
			line(3, `logout = "all"`, `logout = "one"`)
		}
		all = append(all, b.String())
	}
	return parsed(t, "first", all[0], "second", all[1])
}

func TestSettings(t *testing.T) {
	p := parsed(t, "vendor.toml", "[codes]\nwindow = 2\nattempts = 2\n", "sallyport.toml", everything)
	golden(t, "testdata/settings.want", explained(p.Settings())+
		"[[delegate]]\n"+explained(p.Delegates[0].Settings())+"[[rule]]\n"+explained(p.Rules[0].Settings()))
}
