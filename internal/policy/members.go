package policy

import (
	"errors"
	"slices"
)

// Members names users: "name" is a user, "@name" everybody in a group.
type Members []string

// Include reports whether a user is named, or is in a group that is. groups
// lists the names of the user's groups; it is called only where the user's own
// name does not settle it, and its failure is an error.
func (m Members) Include(user string, groups func() ([]string, error)) (bool, error) {
	l := lookup{groups: groups}
	return m.include(user, &l)
}

func (m Members) include(user string, l *lookup) (bool, error) {
	if m.names(user) {
		return true, nil
	}
	if !slices.ContainsFunc(m, isGroup) {
		return false, nil
	}
	groups, err := l.names()
	if err != nil {
		return false, err
	}
	for _, name := range m {
		if isGroup(name) && slices.Contains(groups, name[1:]) {
			return true, nil
		}
	}
	return false, nil
}

// names reports whether the user is named in person. A user whose name looks
// like a group's is not.
func (m Members) names(user string) bool {
	return !isGroup(user) && slices.Contains(m, user)
}

func isGroup(name string) bool {
	return len(name) > 0 && name[0] == '@'
}

// lookup asks for a user's groups when they are first needed, and once.
type lookup struct {
	groups func() ([]string, error)
	done   bool
	found  []string
	err    error
}

func (l *lookup) names() ([]string, error) {
	if !l.done {
		l.done = true
		if l.groups == nil {
			l.err = errors.New("the user's groups are not known")
		} else {
			l.found, l.err = l.groups()
		}
	}
	return l.found, l.err
}
