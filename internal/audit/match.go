package audit

import (
	"maps"
	"slices"
)

// Matches are the matches (journalctl(1)) of all events or, where user is not empty, of those about that user.
func Matches(user string) []string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		all = append(all, "MESSAGE_ID="+kinds[k].id)
	}
	if user != "" {
		all = append(all, "SALLYPORT_USER="+escape(cut(user, maxReason))) // as entry has it
	}
	return all
}
