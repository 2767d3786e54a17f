package simulate

import (
	"slices"
	"time"

	"sallyport/internal/login"
)

// permit is a person's yes to the end of other sessions.
type permit struct {
	service, source string
	at              time.Time
	sessions        []int
}

const permitFor = 2 * time.Minute

// surplusFor are the sessions that must end for a login, the oldest first. It is none where the login is a window of one.
func (w *World) surplusFor(u *user, source string) []int {
	var all []int
	for _, win := range w.open(u) {
		if w.join == "source" && win.r.Source() == source {
			return nil
		}
		if !slices.Contains(all, win.group) {
			all = append(all, win.group)
		}
	}
	over := len(all) + 1 - w.limit
	if w.limit == 0 || over <= 0 {
		return nil
	}
	return all[:over]
}

// toEnd are the sessions about whose end a login has to ask.
func (w *World) toEnd(u *user, r login.Request) []int {
	if w.excess != "ask" || !isSession(r.Service) || r.Split || r.Self {
		return nil
	}
	return w.surplusFor(u, r.Source())
}

// mayOpen reports whether a session may begin for which others would have to end.
func (w *World) mayOpen(u *user, r login.Request, surplus []int) bool {
	switch {
	case len(surplus) == 0, w.excess == "displace":
		return true
	case w.excess == "deny":
		return false
	}
	i := slices.IndexFunc(u.permits, func(p permit) bool { return p.service == r.Service && p.source == r.Source() })
	if i < 0 {
		return false
	}
	age := w.clock.host().Sub(u.permits[i].at)
	return age >= 0 && age < permitFor && !slices.ContainsFunc(surplus, func(id int) bool { return !slices.Contains(u.permits[i].sessions, id) })
}

// answerTakeOver is a yes or a no. Who says yes opens a session, mostly, and it may have become too late.
func (w *World) answerTakeOver(t *talk) {
	u, answer := t.u, []string{"y", "YES", "n", ""}[w.rng.IntN(4)]
	yes := answer == "y" || answer == "YES"
	s := w.say(t, answer)
	in := s.Verdict == login.Granted || s.Verdict == login.NotRequired
	switch {
	case w.op.died, s.Verdict == login.Unavailable && w.diskFails():
	case t.asks != nothing || in != yes || !in && s.Verdict != login.Denied:
		w.fail("%s says %q to %v: asked %d, %v", u.name, answer, t.surplus, t.asks, s.Verdict)
	}
	if yes && w.op.stored {
		w.tally["taken over"]++
		u.permit(permit{t.r.Service, t.r.Source(), w.clock.host(), t.surplus})
	}
	if in && w.failure == nil && w.chance(80) {
		w.begin(u, t.r)
	}
}

// permit is kept in place of an older one of the same service and source; the oldest of too many goes.
func (u *user) permit(p permit) {
	const most = 4
	u.permits = slices.DeleteFunc(u.permits, func(o permit) bool { return o.service == p.service && o.source == p.source })
	if len(u.permits) >= most {
		u.permits = slices.Delete(u.permits, 0, len(u.permits)-most+1)
	}
	u.permits = append(u.permits, p)
}

// spendPermit is that a session has begun by it, or would have.
func (u *user) spendPermit(r login.Request) {
	u.permits = slices.DeleteFunc(u.permits, func(p permit) bool { return p.service == r.Service && p.source == r.Source() })
}
