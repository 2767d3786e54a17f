package system

import (
	"encoding/json"
	"strings"
)

// Entry is one of the journal: its text fields (systemd.journal-fields(7)).
type Entry map[string]string

// Journal are the guest's entries since it booted that match FIELD=value words (journalctl(1)), oldest first.
func (g *Guest) Journal(matches ...string) []Entry {
	g.t.Helper()
	out := g.Run("journalctl --sync; journalctl --boot --quiet --output=json --all " + strings.Join(matches, " "))
	var all []Entry
	for d := json.NewDecoder(strings.NewReader(out)); d.More(); {
		var fields map[string]any
		if err := d.Decode(&fields); err != nil {
			g.t.Fatalf("the journal: %v\n%s", err, out)
		}
		e := Entry{}
		for name, value := range fields {
			if text, ok := value.(string); ok {
				e[name] = text
			}
		}
		all = append(all, e)
	}
	return all
}

// Log is what the guest's journal has about logins, for who has to find out why a test failed.
func (g *Guest) Log() string {
	out, _ := g.Try("journalctl --boot --quiet --no-pager -n 60 --output=short-precise") // the guest may be gone
	return out
}
