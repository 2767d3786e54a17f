package login

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/policy"
)

func TestAccount(t *testing.T) {
	p := enrolledPerson(t)
	for _, c := range []struct {
		name    string
		require policy.Require
		until   time.Time
		out     bool // not enrolled
		want    Verdict
	}{
		{"enrolled, never", policy.RequireNever, time.Time{}, false, NotRequired},
		{"enrolled, if-enrolled", policy.RequireIfEnrolled, time.Time{}, false, AccountRefused},
		{"enrolled, always", policy.RequireAlways, time.Time{}, false, AccountRefused},
		{"not enrolled, if-enrolled", policy.RequireIfEnrolled, time.Time{}, true, NotRequired},
		{"not enrolled, always", policy.RequireAlways, time.Time{}, true, AccountRefused},
		{"not enrolled, enroll", policy.RequireEnroll, time.Time{}, true, AccountRefused},
		{"not enrolled, enroll later", policy.RequireEnroll, noon.Add(time.Hour), true, NotRequired},
		{"no policy value", "", time.Time{}, true, AccountRefused},
	} {
		f := p.Facts
		f.Decision.Require, f.Decision.Until = c.require, c.until
		if c.out {
			f.Record = nil
		}
		s := Account(p.req, &f)
		p.want(c.name, s, c.want)
		if c.want == AccountRefused && !strings.Contains(told(s), "AuthenticationMethods publickey,keyboard-interactive") {
			t.Errorf("%s: no advice in %q", c.name, told(s))
		}
	}
}

func TestAccountOfARememberedSource(t *testing.T) {
	p := enrolledPerson(t)
	p.Decision.Remember = time.Hour
	p.want("with a code", p.login(p.code(0)), Granted)
	p.want("a key login from there", Account(p.req, &p.Facts), Granted)
	p.req.Self = true
	p.want("on the user's own word", Account(p.req, &p.Facts), AccountRefused)
}
