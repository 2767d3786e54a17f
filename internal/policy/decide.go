package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Request is one login to decide about.
type Request struct {
	User string
	// Groups lists the names of the user's groups. It is called at most once,
	// and only when a rule hangs on it.
	Groups  func() ([]string, error)
	Service string // PAM service
	Source  string // PAM remote host; only an IP literal can match `from`
	// PublicKey says that sshd has accepted a key of the user's already.
	PublicKey bool
}

// Decision is what holds for one login. The zero Decision requires nothing and
// exempts nobody: its Require is no value that means something.
type Decision struct {
	Require  Require
	Until    time.Time // with RequireEnroll: optional until then; zero: required now
	Remember time.Duration
	Prompt   string // what asks for the code; empty: the usual
	Message  string // above the first prompt; empty: none
	Refused  string // to who is refused; empty: nothing more
	Window   int    // time steps
	Attempts int    // prompts
	Lockout  Lockout
	Sessions Sessions
}

// Decide says what a login needs. Each setting comes from the first matching
// rule that sets it, otherwise from the tables; without a rule, require is
// "if-enrolled". Services of [api] are decided by api.enabled alone: "always"
// (a program cannot set anything up) or "never". With enabled = false nobody
// is asked.
//
// Where a rule that would have set something hangs on groups that cannot be
// looked up, that is an error, except where nobody is asked anyway.
func (p *Policy) Decide(req Request, now time.Time) (Decision, error) {
	d := Decision{
		Require:  RequireIfEnrolled,
		Window:   p.Codes.Window,
		Attempts: p.Codes.Attempts,
		Lockout:  p.Lockout,
		Sessions: p.Sessions,
	}
	missing := setAll
	if fixed, _ := p.fixedRequire(req.Service); fixed != "" {
		d.Require = fixed
		missing &^= setRequire
	}
	exempt := d.Require == RequireNever
	m := matcher{req: req, now: now, groups: lookup{groups: req.Groups}}
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.sets&missing == 0 {
			continue
		}
		ok, err := m.matches(r)
		if err != nil && !exempt {
			return Decision{}, fmt.Errorf("rule at %s:%d: look up the groups of %q: %w", r.File, r.Line, req.User, err)
		}
		if ok {
			d.take(r, r.sets&missing)
			missing &^= r.sets
		}
	}
	if !d.Until.After(now) {
		d.Until = time.Time{}
	}
	return d, nil
}

// fixedRequire gives what is required whatever the rules say, and the name of
// the setting that says so; empty where it is for the rules to say.
func (p *Policy) fixedRequire(service string) (Require, string) {
	switch {
	case !p.Enabled:
		return RequireNever, "enabled"
	case !p.isAPI(service):
		return "", ""
	case p.API.Enabled:
		return RequireAlways, "api.enabled"
	default:
		return RequireNever, "api.enabled"
	}
}

// take takes over the given settings from a rule.
func (d *Decision) take(r *Rule, which setting) {
	if which&setRequire != 0 {
		d.Require, d.Until = r.Require, r.Until
	}
	if which&setRemember != 0 {
		d.Remember = r.Remember
	}
	if which&setPrompt != 0 {
		d.Prompt = r.Prompt
	}
	if which&setMessage != 0 {
		d.Message = r.Message
	}
	if which&setRefused != 0 {
		d.Refused = r.Refused
	}
	if which&setWindow != 0 {
		d.Window = r.Window
	}
	if which&setAttempts != 0 {
		d.Attempts = r.Attempts
	}
	if which&setLimit != 0 {
		d.Sessions.Limit = r.Limit
	}
	if which&setJoin != 0 {
		d.Sessions.Join = r.Join
	}
	if which&setExcess != 0 {
		d.Sessions.Excess = r.Excess
	}
	if which&setLogout != 0 {
		d.Sessions.Logout = r.Logout
	}
}

// matcher holds a request against rules; what it has to find out it finds out once.
type matcher struct {
	req    Request
	now    time.Time
	groups lookup
	parsed bool
	source netip.Addr // invalid: the source is no IP address
}

// matches reports whether all matchers of a rule match. Groups are asked for
// last, so that their failure counts only where they decide.
func (m *matcher) matches(r *Rule) (bool, error) {
	if !m.matchesService(r) || !m.matchesKey(r) || !r.Between.Include(m.now) || !m.matchesSource(r) {
		return false, nil
	}
	return m.matchesUser(r)
}

func (m *matcher) matchesService(r *Rule) bool {
	return len(r.Services) == 0 || slices.Contains(r.Services, m.req.Service)
}

func (m *matcher) matchesKey(r *Rule) bool {
	return r.PublicKey == nil || *r.PublicKey == m.req.PublicKey
}

func (m *matcher) matchesUser(r *Rule) (bool, error) {
	if len(r.Users) == 0 {
		return true, nil
	}
	return r.Users.include(m.req.User, &m.groups)
}

func (m *matcher) matchesSource(r *Rule) bool {
	if len(r.From) == 0 {
		return true
	}
	if !m.parsed {
		m.parsed = true
		m.source = sourceAddr(m.req.Source)
	}
	for _, network := range r.From {
		if network.Contains(m.source) {
			return true
		}
	}
	return false
}

// sourceAddr reads a remote host as PAM has it. A name gives the invalid
// address, which is in no network: names are never looked up, because whoever
// logs in may choose what theirs resolves to.
func sourceAddr(rhost string) netip.Addr {
	addr, err := netip.ParseAddr(rhost)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
