package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	admin "sallyport/internal/api/iosallyportadmin"
)

// userOrders is what a list can be sorted by; nil is the order in which it comes. Whoever lacks what it is sorted by comes
// last.
func userOrders() map[string]func(a, b admin.User) int {
	return map[string]func(a, b admin.User) int{
		"name":  nil,
		"since": func(a, b admin.User) int { return compareTimes(a.Since, b.Since) },
		"last":  func(a, b admin.User) int { return compareTimes(lastAt(a), lastAt(b)) },
		"locked": func(a, b admin.User) int {
			return compareTimes(a.Locked_until, b.Locked_until)
		},
		"codes": func(a, b admin.User) int { return cmp.Compare(codesLeft(a), codesLeft(b)) },
		"drift": func(a, b admin.User) int { return cmp.Compare(worstDrift(b), worstDrift(a)) },
	}
}

func userKeys() []string { return slices.Sorted(maps.Keys(userOrders())) }

// compareTimes puts the earlier one first. RFC 3339 in UTC sorts as text.
func compareTimes(a, b *string) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return strings.Compare(*a, *b)
}

func lastAt(u admin.User) *string {
	if u.Last == nil {
		return nil
	}
	return &u.Last.At
}

// codesLeft is how many recovery codes are left; for who has no device, more than anybody has.
func codesLeft(u admin.User) int64 {
	if len(u.Devices) == 0 {
		return math.MaxInt64
	}
	return u.Recovery_codes
}

// worstDrift is the most seconds that a device of the user's is off, to either side.
func worstDrift(u admin.User) (worst int64) {
	for _, d := range u.Devices {
		if d.Drift != nil {
			worst = max(worst, *d.Drift, -*d.Drift)
		}
	}
	return worst
}

// sortedUsers holds a list until it is whole.
type sortedUsers struct {
	less func(a, b admin.User) int
	all  []admin.User
}

func (s *sortedUsers) add(u admin.User) error {
	s.all = append(s.all, u)
	return nil
}

// give hands the list on, in order; what is equal stays in the order of names.
func (s *sortedUsers) give(add func(admin.User) error) error {
	slices.SortStableFunc(s.all, s.less)
	for _, u := range s.all {
		if err := add(u); err != nil {
			return err
		}
	}
	return nil
}
