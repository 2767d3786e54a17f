package policy

import (
	"fmt"
	"net/netip"
	"slices"
)

// Warnings finds what the policy allows but hardly anybody wants, as far as the
// policy alone shows it: what lets people past, or locks them out, or does
// nothing. It is for an admin to read; nothing depends on it.
func (p *Policy) Warnings() []Problem {
	var all []Problem
	all = append(all, p.tableWarnings()...)
	for i := range p.Rules {
		all = append(all, p.ruleWarnings(i)...)
	}
	for i := range p.Delegates {
		d := &p.Delegates[i]
		if d.Over.names(root) && slices.Contains(d.May, "disable") {
			all = append(all, Problem{d.File, d.lines["over"],
				fmt.Sprintf("%s may remove the second factor of root.", quotedList(d.Who, "and")), `Take "root" out of over.`})
		}
	}
	return all
}

func (p *Policy) tableWarnings() []Problem {
	var all []Problem
	warn := func(setting, text, hint string) {
		at := p.origins[setting]
		all = append(all, Problem{at.file, at.line, text, hint})
	}
	if !p.Enabled {
		warn("enabled", "Sallyport is switched off: nobody is asked for a code.", "")
	}
	if p.OnDaemonFailure == FailureDeny {
		warn("on_daemon_failure", "While sallyportd is down, nobody who needs a code can log in.", `With "verify" the module checks codes by itself.`)
	}
	if p.Login.Trusted.names(root) {
		warn("login.trusted", "root is trusted in any case.", "")
	}
	for _, service := range p.API.Services {
		if slices.Contains(peopleServices(), service) {
			what := "are not asked for a code"
			if p.API.Enabled {
				what = "cannot set up a second factor"
			}
			warn("api.services", fmt.Sprintf("People log in through %q, and there they %s.", service, what), "[api] is for programs.")
		}
	}
	return all
}

// peopleServices lists PAM services that people log in through on any host.
func peopleServices() []string {
	return []string{"sshd", "login", "su", "su-l", "sudo", "sudo-i", "cockpit", "gdm-password", "lightdm", "sddm", "xrdp-sesman", "polkit-1"}
}

// ruleWarnings judges one rule by itself and by those before it.
func (p *Policy) ruleWarnings(i int) []Problem {
	r := &p.Rules[i]
	var all []Problem
	warn := func(key, text, hint string) {
		line := r.Line
		if l := r.lines[key]; l > 0 {
			line = l
		}
		all = append(all, Problem{r.File, line, text, hint})
	}
	sameFile := func(earlier *Rule) bool { return earlier.File == r.File }
	if by := p.coveredBy(i, r.sets, sameFile); by != nil {
		warn("", fmt.Sprintf("This rule never has an effect: what it sets has been set by the rule at line %d.", by.Line),
			"Put the special rule before the general one.")
	}
	anyFile := func(*Rule) bool { return true }
	if r.Require == RequireNever && p.coveredBy(i, setRequire, anyFile) == nil {
		switch {
		case r.covers(&Rule{}):
			warn("require", "This rule exempts everybody.", "Say whom, with users, services or from.")
		case slices.ContainsFunc(r.From, func(n netip.Prefix) bool { return n.Bits() == 0 }):
			warn("from", "This rule exempts logins from any address.", "Name the networks that you trust.")
		case r.PublicKey != nil && *r.PublicKey:
			warn("publickey", "This rule asks nobody for a code who logs in with a key: a stolen key is enough.",
				"Where sshd_config allows host-based or GSSAPI logins, they count as keys.")
		}
	}
	if r.sets&(setPrompt|setMessage) != 0 && len(r.Users) > 0 {
		key := "prompt"
		if r.sets&setPrompt == 0 {
			key = "message"
		}
		warn(key, "Where the code is asked for before the password, this tells who is among the rule's users.",
			"Without users it tells nothing.")
	}
	if r.sets&setRequire != 0 && len(r.Services) > 0 && !slices.ContainsFunc(r.Services, func(s string) bool { return !p.isAPI(s) }) {
		warn("require", "This has no effect: all services of this rule are in api.services.", "api.enabled decides for them.")
	}
	return all
}

// coveredBy finds an earlier rule, of those looked at, that matches whatever
// rule i matches and makes the settings in question. (A rule of another file
// is meant to override.)
func (p *Policy) coveredBy(i int, which setting, look func(*Rule) bool) *Rule {
	for j := range p.Rules[:i] {
		earlier := &p.Rules[j]
		if look(earlier) && which&^earlier.sets == 0 && earlier.covers(&p.Rules[i]) {
			return earlier
		}
	}
	return nil
}

// covers reports whether a rule is sure to match all that another one matches.
func (r *Rule) covers(other *Rule) bool {
	within := func(n netip.Prefix) bool {
		return slices.ContainsFunc(r.From, func(wide netip.Prefix) bool {
			return wide.Bits() <= n.Bits() && wide.Contains(n.Addr())
		})
	}
	sameKey := r.PublicKey == nil || other.PublicKey != nil && *r.PublicKey == *other.PublicKey
	sameHours := r.Between == Hours{} || r.Between == other.Between
	return sameKey && sameHours && containsAll(r.Services, other.Services) && containsAll(r.Users, other.Users) &&
		(len(r.From) == 0 || len(other.From) > 0 && !slices.ContainsFunc(other.From, func(n netip.Prefix) bool { return !within(n) }))
}

// containsAll reports whether a matcher's list has all of another one's. An
// empty list is everything.
func containsAll(list, other []string) bool {
	if len(list) == 0 {
		return true
	}
	return len(other) > 0 && !slices.ContainsFunc(other, func(s string) bool { return !slices.Contains(list, s) })
}
