package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Setting is one setting, its value, and where that comes from.
type Setting struct {
	Name    string // "require", "codes.window", ...
	Value   string // as TOML
	File    string // empty: nobody set it
	Line    int    // from 1; 0: nobody set it
	Why     string // what File and Line are, or "default"
	Skipped []SkippedRule
}

// SkippedRule is a rule that came earlier but did not give the value.
type SkippedRule struct {
	File string
	Line int    // of [[rule]]
	Why  string // `source "10.1.2.3" is not in 192.168.0.0/16`
}

// The values of Setting.Why, besides the name of a setting that overrides all rules.
const (
	whyDefault = "default"
	whyTable   = "table"
	whyRule    = "rule"
	whyPassed  = "rule; that time has passed" // of until
)

// Settings lists the settings of all tables, in the order of the schema.
func (p *Policy) Settings() []Setting {
	var all []Setting
	for _, k := range tableKeys() {
		all = append(all, p.tableSetting(k))
	}
	return all
}

// Settings lists what the rule matches and sets, in the order of the schema.
func (r *Rule) Settings() []Setting {
	var all []Setting
	for _, k := range ruleKeys() {
		if line := r.lines[k.name]; line > 0 {
			all = append(all, Setting{Name: k.name, Value: k.show(r), File: r.File, Line: line, Why: whyRule})
		}
	}
	return all
}

// Settings lists what the delegate's entry says, in the order of the schema.
func (d *Delegate) Settings() []Setting {
	var all []Setting
	for _, k := range delegateKeys() {
		if line := d.lines[k.name]; line > 0 {
			all = append(all, Setting{Name: k.name, Value: k.show(d), File: d.File, Line: line, Why: "delegate"})
		}
	}
	return all
}

// Explain says for each setting of Decide's decision about the same request
// where it comes from, and why the rules before that did not give it. It fails
// where Decide does.
func (p *Policy) Explain(req Request, now time.Time) ([]Setting, error) {
	once := lookup{groups: req.Groups}
	req.Groups = once.names
	if _, err := p.Decide(req, now); err != nil {
		return nil, err
	}
	e := explainer{policy: p, matcher: matcher{req: req, now: now, groups: once}}
	var all []Setting
	for _, k := range ruleKeys() {
		if k.sets&setTexts != 0 && !slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.sets&k.sets != 0 }) {
			continue // hardly anybody has them
		}
		if k.sets != 0 {
			all = append(all, e.setting(k, now)...)
		}
	}
	for _, k := range tableKeys() {
		if strings.HasPrefix(k.name, "lockout.") || k.name == "sessions.services" {
			all = append(all, p.tableSetting(k))
		}
	}
	return all, nil
}

func (p *Policy) tableSetting(k key[Policy]) Setting {
	s := Setting{Name: k.name, Value: k.show(p), Why: whyDefault}
	if at, ok := p.origins[k.name]; ok {
		s.File, s.Line, s.Why = at.file, at.line, whyTable
	}
	return s
}

// explainer explains one decision, for each setting anew: it does not share
// Decide's walk over the rules, so that the one can be tested by the other.
type explainer struct {
	policy  *Policy
	matcher matcher
}

// setting explains one setting that rules can make. With require comes until,
// where the rule has it.
func (e *explainer) setting(k ruleKey, now time.Time) []Setting {
	p := e.policy
	s := e.unruled(k)
	if k.sets == setRequire {
		if fixed, by := p.fixedRequire(e.matcher.req.Service); fixed != "" {
			at := p.origins[by]
			return []Setting{{Name: k.name, Value: k.show(&Rule{Require: fixed}), File: at.file, Line: at.line, Why: by + " = " + p.show(by)}}
		}
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		why := e.mismatch(r)
		if why == "" && r.sets&k.sets == 0 {
			why = "it does not set " + k.name
		}
		if why != "" {
			s.Skipped = append(s.Skipped, SkippedRule{r.File, r.Line, why})
			continue
		}
		s.Value, s.File, s.Line, s.Why = k.show(r), r.File, r.lines[k.name], whyRule
		if k.sets == setRequire && !r.Until.IsZero() {
			return []Setting{s, e.until(r, now)}
		}
		break
	}
	return []Setting{s}
}

// unruled is a setting that no rule has made.
func (e *explainer) unruled(k ruleKey) Setting {
	if k.table != "" {
		keys := tableKeys()
		i := slices.IndexFunc(keys, func(t key[Policy]) bool { return t.name == k.table })
		return e.policy.tableSetting(keys[i])
	}
	return Setting{Name: k.name, Value: k.show(&Rule{Require: RequireIfEnrolled}), Why: whyDefault}
}

func (e *explainer) until(r *Rule, now time.Time) Setting {
	s := Setting{Name: "until", File: r.File, Line: r.lines["until"], Why: whyRule}
	s.Value = showTime(r.Until, time.Local)
	if !r.Until.After(now) {
		s.Why = whyPassed
	}
	return s
}

// show gives a table's setting as TOML.
func (p *Policy) show(name string) string {
	for _, k := range tableKeys() {
		if k.name == name {
			return k.show(p)
		}
	}
	return ""
}

// mismatch says why a rule does not match; empty where it does. A failed look-up
// is a mismatch: Explain goes on only where it does not matter.
func (e *explainer) mismatch(r *Rule) string {
	m := &e.matcher
	switch {
	case !m.matchesService(r):
		return "service is " + quote(m.req.Service)
	case !m.matchesKey(r) && m.req.PublicKey:
		return "sshd has accepted a key"
	case !m.matchesKey(r):
		return "sshd has accepted no key"
	case !r.Between.Include(m.now):
		return fmt.Sprintf("it is %s, not within %s", m.now.In(time.Local).Format("15:04"), r.Between)
	case !m.matchesSource(r) && m.req.Source == "":
		return "the login has no source"
	case !m.matchesSource(r) && !m.source.IsValid():
		return fmt.Sprintf("source %s is not an IP address", quote(m.req.Source))
	case !m.matchesSource(r):
		return fmt.Sprintf("source %s is not in %s", quote(m.req.Source), networks(r))
	}
	ok, err := m.matchesUser(r)
	switch {
	case err != nil:
		return fmt.Sprintf("the groups of user %s could not be looked up", quote(m.req.User))
	case !ok:
		return fmt.Sprintf("user %s is not %s", quote(m.req.User), membership(r.Users))
	}
	return ""
}

// networks names a rule's networks in a sentence.
func networks(r *Rule) string {
	shown := make([]string, len(r.From))
	for i, n := range r.From {
		shown[i] = showNetwork(n)
	}
	return list(shortened(shown), "or")
}

// membership names a rule's users and groups in a sentence.
func membership(m Members) string {
	var shown []string
	for _, name := range m {
		if isGroup(name) {
			shown = append(shown, "in group "+quote(name[1:]))
		} else {
			shown = append(shown, quote(name))
		}
	}
	return list(shortened(shown), "or")
}

// shortened cuts a list that nobody would read to its end.
func shortened(items []string) []string {
	const most = 5
	if len(items) <= most {
		return items
	}
	return append(items[:most-1:most-1], fmt.Sprintf("%d more", len(items)-most+1))
}
