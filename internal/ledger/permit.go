package ledger

import (
	"slices"
	"time"
)

// Permit is the yes of a person who was asked in a login whether it may end other sessions. The login's open-session
// comes on another connection and, under sshd, from another process: the permit is what the two have in common.
type Permit struct {
	Service  string    `json:"service"`
	Source   string    `json:"source"`
	At       time.Time `json:"at"`
	Sessions []string  `json:"sessions"` // those that the person was told of
}

const (
	permitFor  = 2 * time.Minute // from the answer to the session: sshd may want a key after the code
	maxPermits = 4
	maxEnded   = 64 // sessions that one permit can name
)

// Permit records a yes. One that the same service and source gave before no longer counts.
func (a *Account) Permit(service, source string, sessions []string, now time.Time) {
	service, source = bounded(service), bounded(source)
	a.Permits = slices.DeleteFunc(a.Permits, func(p Permit) bool { return p.Service == service && p.Source == source })
	if len(a.Permits) >= maxPermits {
		a.Permits = slices.Delete(a.Permits, 0, len(a.Permits)-maxPermits+1)
	}
	a.Permits = append(a.Permits, Permit{service, source, stamp(now), sessions[:min(len(sessions), maxEnded)]})
}

// Permitted reports whether that service and source may end all of these sessions, and uses the permit up.
func (a *Account) Permitted(service, source string, sessions []string, now time.Time) bool {
	service, source = bounded(service), bounded(source)
	i := slices.IndexFunc(a.Permits, func(p Permit) bool { return p.Service == service && p.Source == source })
	if i < 0 {
		return false
	}
	p := a.Permits[i]
	a.Permits = slices.Delete(a.Permits, i, i+1)
	return within(p.At, now, permitFor) && !slices.ContainsFunc(sessions, func(id string) bool { return !slices.Contains(p.Sessions, id) })
}
