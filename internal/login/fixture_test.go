package login

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// noon is the time at which every test begins; it is the first second of a step.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// person is one user's facts and the dialogues of it.
type person struct {
	t *testing.T
	Facts
	req Request
}

// newPerson is a user who has not set anything up.
func newPerson(t *testing.T, require policy.Require) *person {
	t.Helper()
	p, err := policy.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Decide(policy.Request{User: "alice", Service: "sshd", Source: "192.0.2.7"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	d.Require = require
	return &person{
		t:     t,
		Facts: Facts{Now: noon, Decision: d, Account: &ledger.Account{}, Issuer: func() string { return "host.example" }, Rand: rand.Reader},
		req:   Request{User: "alice", UID: 1000, Known: true, Service: "sshd", RHost: "192.0.2.7", PID: 4711},
	}
}

// enrolled is a user with the given tokens, or with one TOTP token of the usual kind.
func enrolledPerson(t *testing.T, keys ...otp.Key) *person {
	t.Helper()
	p := newPerson(t, policy.RequireIfEnrolled)
	if len(keys) == 0 {
		keys = []otp.Key{totp(t)}
	}
	p.Record = &vault.Record{User: "alice", UID: 1000, Created: noon}
	for i, k := range keys {
		p.Record.Tokens = append(p.Record.Tokens, vault.Token{
			ID: strings.Repeat(string(rune('a'+i)), 16), Label: "phone " + string(rune('1'+i)), Key: k, Confirmed: noon,
		})
	}
	return p
}

func totp(t *testing.T) otp.Key { return key(t, otp.TOTP, 6) }

func key(t *testing.T, kind otp.Kind, digits int) otp.Key {
	t.Helper()
	var period time.Duration
	if kind == otp.TOTP {
		period = 30 * time.Second
	}
	k, err := otp.Generate(rand.Reader, kind, otp.SHA1, digits, period)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// code is the first token's code, steps away from now; for HOTP, at that counter.
func (p *person) code(steps int64) string {
	p.t.Helper()
	return p.tokenCode(0, steps)
}

func (p *person) tokenCode(token int, steps int64) string {
	p.t.Helper()
	tok := p.Record.Tokens[token]
	if tok.Key.Kind == otp.TOTP {
		steps += tok.Key.Step(p.Now)
	}
	c, err := tok.Key.Code(steps)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// wrongCode is no code of any token in a wide range around now.
func (p *person) wrongCode() string {
	p.t.Helper()
next:
	for _, c := range []string{"000000", "000001", "000002", "000003"} {
		for _, tok := range p.Record.Tokens {
			at := tok.Counter
			if tok.Key.Kind == otp.TOTP {
				at = tok.Key.Step(p.Now)
			}
			if len(tok.Key.Matches(c, max(0, at-20), at+20)) > 0 {
				continue next
			}
		}
		return c
	}
	p.t.Fatal("four candidates are all right codes")
	return ""
}

// login runs a whole dialogue: the answers are given until it is over.
func (p *person) login(answers ...string) Step {
	p.t.Helper()
	d := New(p.req)
	s := d.Begin(&p.Facts)
	for _, a := range answers {
		if s.Ask == nil {
			p.t.Fatalf("over with %v before the answer %q", s.Verdict, a)
		}
		s = d.Answer(&p.Facts, a)
	}
	return s
}

func (p *person) want(what string, s Step, want Verdict) {
	p.t.Helper()
	if s.Verdict != want || (s.Ask == nil) != (want != Pending) {
		p.t.Errorf("%s: verdict %v (asks: %v), want %v; told %q", what, s.Verdict, s.Ask != nil, want, told(s))
	}
}

func (p *person) enrolWithRecovery() string {
	p.t.Helper()
	c, err := otp.NewRecoveryCode(rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.enrolWithScratch(c)
}

// enrolWithScratch gives the user a recovery code that somebody else has drawn.
func (p *person) enrolWithScratch(c string) string {
	p.t.Helper()
	h, err := otp.HashRecovery(rand.Reader, c)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Record.Recovery = append(p.Record.Recovery, h)
	return c
}

func told(s Step) string {
	var lines []string
	for _, m := range s.Tell {
		lines = append(lines, m.Text)
	}
	return strings.Join(lines, "\n")
}
