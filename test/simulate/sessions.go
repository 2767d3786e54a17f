package simulate

import (
	"slices"

	"sallyport/internal/login"
	"sallyport/internal/session"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/verifier"
)

// window is a login that goes on.
type window struct {
	u      *user
	r      login.Request
	leader session.Leader
	group  int  // the session that it is a window of
	told   bool // to end
}

// openSession is a login that needs no code, or gave one long ago.
func (w *World) openSession() {
	u := w.somebody()
	if u.exists {
		w.begin(u, w.request(u, []string{"sshd", "login", "cockpit"}[w.rng.IntN(3)], w.home(u)))
	}
}

// begin opens the session of a login.
func (w *World) begin(u *user, r login.Request) {
	w.op = operation{}
	p := w.verifier()
	win := &window{u: u, r: r, leader: w.processes.Start(r.PID, u.uid)}
	before, surplus := w.open(u), w.surplusFor(u, r.Source())
	may := w.mayOpen(u, r, surplus)
	win.group = r.PID
	joins := false
	if i := slices.IndexFunc(before, func(o *window) bool { return o.r.Source() == r.Source() }); i >= 0 && w.join == "source" {
		joins, win.group = true, before[i].group
	}
	var s login.Step
	dead := w.as(p, func() {
		r, _ = p.v.Admit(verifier.Caller{}, r)
		s = p.v.OpenSession(verifier.Caller{}, r)
	})
	in := s.Verdict == login.Granted && !dead || dead && w.op.windows
	if in {
		w.windows = append(w.windows, win)
	} else {
		w.processes.End(r.PID)
	}
	w.hearEndings()
	if dead && in && len(surplus) > 0 {
		w.displace(u)
	}
	if may && len(surplus) > 0 && w.excess == "ask" && w.op.stored {
		u.spendPermit(r)
	}
	sessions := w.sessions(u)
	w.note("%s opens a session from %q by %s: %v, died %t; %d of %d", u.name, r.Source(), r.Service, s.Verdict, dead, sessions, w.limit)
	switch {
	case in && !joins && w.limit > 0 && sessions > w.limit:
		w.fail("%s has %d sessions, and may have %d", u.name, sessions, w.limit)
	case in && !may:
		w.fail("%s opens a session, for which %v end, which nobody may end", u.name, surplus)
	case dead || in:
	case s.Verdict == login.SessionRefused && !may:
	case s.Verdict == login.Unavailable && w.diskFails():
	default:
		w.fail("%s may have %d sessions and has %d, and another is refused: %v", u.name, w.limit, sessions, s.Verdict)
	}
}

// open are the user's windows that go on and were not told to end.
func (w *World) open(u *user) []*window {
	var all []*window
	for _, win := range w.windows {
		if win.u == u && win.r.UID == u.uid && !win.told && session.Alive(w.processes, win.leader) {
			all = append(all, win)
		}
	}
	return all
}

// sessions is how many sessions these windows are.
func (w *World) sessions(u *user) int {
	groups := map[int]bool{}
	for _, win := range w.open(u) {
		groups[win.group] = true
	}
	return len(groups)
}

// hearEndings notes which windows the daemon has begun to end.
func (w *World) hearEndings() {
	if w.daemon == nil {
		return
	}
	for _, ending := range w.daemon.v.Leaders.(*sessiontest.Leaders).Ending() {
		w.tally["displaced"]++
		w.told(session.LeaderOf(ending))
	}
}

// displace is what a process that died had decided: the oldest sessions end. The next one ends them.
func (w *World) displace(u *user) {
	for w.sessions(u) > w.limit {
		oldest := w.open(u)[0].group
		for _, win := range w.open(u) {
			win.told = win.told || win.group == oldest
		}
	}
}

func (w *World) told(l session.Leader) {
	for _, win := range w.windows {
		win.told = win.told || win.leader == l
	}
}

// endSession is that somebody logs out, or that a process ends by itself; first those that were told to.
func (w *World) endSession() {
	if len(w.windows) == 0 {
		return
	}
	i := slices.IndexFunc(w.windows, func(win *window) bool { return win.told })
	if i < 0 || w.chance(30) {
		i = w.rng.IntN(len(w.windows))
	}
	win := w.windows[i]
	w.windows = slices.Delete(w.windows, i, i+1)
	p := w.verifier()
	w.as(p, func() {
		if w.chance(50) && win.u.exists {
			r, _ := p.v.Admit(verifier.Caller{}, win.r)
			p.v.CloseSession(verifier.Caller{}, r)
		}
		w.processes.End(win.leader.PID)
	})
	w.processes.End(win.leader.PID) // whatever the verifier died at
	w.note("a session of %s ends, died %t", win.u.name, w.op.died)
}
