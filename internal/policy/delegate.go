package policy

import (
	"fmt"
	"slices"
)

// root is the account over which a group never gives a delegate anything.
const root = "root"

// Delegate reports whether the policy lets user do an action ("list",
// "disable", "unlock", "sessions") to another account. Root, and whoever is a delegate
// itself, must be named in `over` in person: a group they are in is not enough.
// groups and overGroups list the groups of the one and of the other; they are
// called at most once, and where one that is needed fails the answer is no and
// an error.
func (p *Policy) Delegate(user string, groups func() ([]string, error), over string, overGroups func() ([]string, error), action string) (bool, error) {
	g, og := lookup{groups: groups}, lookup{groups: overGroups}
	for _, d := range p.Delegates {
		if !slices.Contains(d.May, action) {
			continue
		}
		is, err := d.Who.include(user, &g)
		if err != nil {
			return false, fmt.Errorf("delegate at %s:%d: look up the groups of %q: %w", d.File, d.Line, user, err)
		}
		if !is {
			continue
		}
		has, err := p.entrusts(d, over, &og)
		if err != nil {
			return false, fmt.Errorf("delegate at %s:%d: look up the groups of %q: %w", d.File, d.Line, over, err)
		}
		if has {
			return true, nil
		}
	}
	return false, nil
}

// entrusts reports whether a delegate's accounts include the one given.
func (p *Policy) entrusts(d Delegate, over string, groups *lookup) (bool, error) {
	if d.Over.names(over) {
		return true, nil
	}
	if over == root {
		return false, nil
	}
	has, err := d.Over.include(over, groups)
	if err != nil || !has {
		return false, err
	}
	for _, other := range p.Delegates {
		is, err := other.Who.include(over, groups)
		if err != nil || is {
			return false, err
		}
	}
	return true, nil
}
