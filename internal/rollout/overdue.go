package rollout

import (
	"fmt"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/doctor"
)

// Overdue finds changes that nobody confirmed in time and that are there still: the machine was stopped meanwhile, and
// the timer with it.
func Overdue(root disk.Root, now time.Time) ([]doctor.Finding, error) {
	var all []doctor.Finding
	for _, target := range Targets() {
		s := Setup{Root: root, Target: target, Now: now}
		v, err := s.Saved()
		if err != nil {
			return nil, err
		}
		const grace = 30 * time.Second // undoing it takes a while
		if v == nil || v.Confirmed || v.ConfirmBy == nil || now.Before(v.ConfirmBy.Add(grace)) {
			continue
		}
		all = append(all, doctor.Finding{
			ID: "setup-unconfirmed", Effect: doctor.Warns, File: s.savedPath(), Services: target.services()[:1],
			What:    fmt.Sprintf("The setup of %s was to be undone unless somebody confirmed it, and neither has happened.", target),
			Outcome: "It stays, whether people can log in or not.",
			Mend: doctor.Mend{
				Text:    fmt.Sprintf("If a new login works, run there: sallyportctl setup %s --confirm. Else:", target),
				Command: fmt.Sprintf("sallyportctl setup %s --revert", target),
			},
		})
	}
	return all, nil
}
