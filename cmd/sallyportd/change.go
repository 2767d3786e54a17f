package main

import (
	"slices"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/policy"
)

// change has changes of the policy's settings hold: in the managed file, and at once. It gives the names of those that
// are not what they were; by is who does it.
func (d *daemon) change(changes []policy.Change, by string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	edit, err := policy.Manage(d.root, changes)
	if err != nil {
		return nil, err
	}
	if edit.Data != nil {
		if err := new(disk.OS).WriteConfig(d.root.Managed(), edit.Data); err != nil {
			return nil, err
		}
	}
	running := d.verifier.Policy()
	// A file may have been changed by hand, and the daemon not been told.
	stale := slices.ContainsFunc(changes, func(c policy.Change) bool { return running.Show(c.Name) != edit.Policy.Show(c.Name) })
	if edit.Data == nil && !stale {
		return nil, nil
	}
	if err := d.reloadLocked(); err != nil {
		return nil, err
	}
	var changed []string
	for _, c := range changes {
		now := d.verifier.Policy().Show(c.Name)
		if running.Show(c.Name) == now && !slices.Contains(edit.Wrote, c.Name) {
			continue
		}
		changed = append(changed, c.Name)
		e := audit.Event{Kind: audit.PolicyChanged, By: by, Setting: c.Name, Value: now}
		if c.Unset {
			e.Reason = "taken out of the managed file"
		}
		d.log.Record(e)
	}
	return changed, nil
}
