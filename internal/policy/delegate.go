package policy

import (
	"fmt"
	"slices"
)

// root is the account over which a group never gives a delegate anything.
const root = "root"

// Act is what somebody wants to do to another's account.
type Act struct {
	User   string // who wants to
	Over   string // the account
	Action string // "list", "disable", "unlock", "sessions"
	// Groups and OverGroups list the groups of the one and of the other. They are
	// called at most once, and where one that is needed fails the answer is no and
	// an error.
	Groups, OverGroups func() ([]string, error)
	// Owner gives the owner of an account by a file of `owners`; empty: it has
	// none. Without it nobody owns anything.
	Owner func(file, account string) string
}

// DelegateActions lists what delegates can be allowed to do.
func DelegateActions() []string { return []string{"list", "disable", "unlock", "sessions"} }

// Delegate reports whether a delegate of the policy may do that. Root, and
// whoever is a delegate itself, must be named in `over` in person: a group they
// are in, or an owner, is not enough.
func (p *Policy) Delegate(a Act) (bool, error) {
	who, over := lookup{groups: a.Groups}, lookup{groups: a.OverGroups}
	for _, d := range p.Delegates {
		if !slices.Contains(d.May, a.Action) {
			continue
		}
		is, err := d.Who.include(a.User, &who)
		if err != nil {
			return false, fmt.Errorf("delegate at %s:%d: look up the groups of %q: %w", d.File, d.Line, a.User, err)
		}
		if !is {
			continue
		}
		has, err := p.entrusts(d, a, &over)
		if err != nil {
			return false, fmt.Errorf("delegate at %s:%d: look up the groups of %q: %w", d.File, d.Line, a.Over, err)
		}
		if has {
			return true, nil
		}
	}
	return false, nil
}

// DelegatesTo reports whether the policy lets user do an action to any other
// account at all; which ones, Delegate says. groups is as there.
func (p *Policy) DelegatesTo(user string, groups func() ([]string, error), action string) (bool, error) {
	g := lookup{groups: groups}
	for _, d := range p.Delegates {
		if !slices.Contains(d.May, action) {
			continue
		}
		is, err := d.Who.include(user, &g)
		if err != nil {
			return false, fmt.Errorf("delegate at %s:%d: look up the groups of %q: %w", d.File, d.Line, user, err)
		}
		if is {
			return true, nil
		}
	}
	return false, nil
}

// entrusts reports whether a delegate's accounts include that of the act.
func (p *Policy) entrusts(d Delegate, a Act, groups *lookup) (bool, error) {
	if d.Over.names(a.Over) {
		return true, nil
	}
	if a.Over == root {
		return false, nil
	}
	has := d.Owners != "" && a.Owner != nil && a.User != "" && a.Owner(d.Owners, a.Over) == a.User
	if !has {
		var err error
		if has, err = d.Over.include(a.Over, groups); err != nil || !has {
			return false, err
		}
	}
	for _, other := range p.Delegates {
		is, err := other.Who.include(a.Over, groups)
		if err != nil || is {
			return false, err
		}
	}
	return true, nil
}
