// Package session is what the host's open sessions are made of: how logins group into sessions and which of them must end
// for a new one, the processes that lead them, their terminals, and how they are ended (DESIGN §7).
//
// A window is one login that goes on. A session is the windows from one host, or, where the policy says join = "never",
// one window. The verifier keeps the windows in the ledger and decides; nothing is decided here that depends on more
// than is passed in.
package session

import (
	"net/netip"
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/policy"
)

// Session is the windows of one session, the oldest first.
type Session struct {
	ID      string
	Windows []ledger.Window
}

// Source is the host that the session came from.
func (s Session) Source() string { return s.Windows[0].Source }

// Since is when the oldest window that is still open was opened.
func (s Session) Since() time.Time { return s.Windows[0].Opened }

// Group makes sessions of windows that are sorted by age. Those that are being ended belong to none.
func Group(windows []ledger.Window) []Session {
	var all []Session
	index := map[string]int{}
	for _, w := range windows {
		if !w.Ending.IsZero() {
			continue
		}
		i, known := index[w.Session]
		if !known {
			i = len(all)
			index[w.Session] = i
			all = append(all, Session{ID: w.Session})
		}
		all[i].Windows = append(all[i].Windows, w)
	}
	return all
}

// Place says what a login from source would be to a user who has these sessions: a window of one of them, or else a
// session of its own, for which those in excess must end, the oldest, so that the limit is kept.
func Place(sessions []Session, source string, rules policy.Sessions) (join string, excess []Session) {
	if rules.Join == policy.JoinSource {
		for _, s := range sessions {
			if sameHost(s.Source(), source) {
				return s.ID, nil
			}
		}
	}
	if over := len(sessions) + 1 - rules.Limit; rules.Limit > 0 && over > 0 {
		return "", sessions[:over]
	}
	return "", nil
}

// sameHost compares remote hosts. An IPv4 address may be written as an IPv6 one.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return a == b || errX == nil && errY == nil && x.Unmap() == y.Unmap()
}
