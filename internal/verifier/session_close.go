package verifier

import (
	"sallyport/internal/audit"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/session"
)

// CloseSession is the end of what OpenSession began, as its leader says. With logout = "all" it is the end of the
// session's other windows, too. A session that is not known has ended already.
func (v *Verifier) CloseSession(c Caller, r login.Request) login.Step {
	d, err := v.decide(r, v.Now())
	if err != nil {
		return v.unavailable(r, err)
	}
	leader, err := v.leader(c, r)
	if err != nil {
		return ended(login.Granted)
	}
	others, err := v.closeWindow(r, d, leader)
	if err != nil {
		return v.unavailable(r, err)
	}
	v.Leaders.End(others)
	return ended(login.Granted)
}

// closeWindow returns the windows that end with this one.
func (v *Verifier) closeWindow(r login.Request, d policy.Decision, leader session.Leader) ([]ledger.Window, error) {
	defer v.locks.lock(r.User)()
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return nil, err
	}
	defer giveBack()
	windows, err := v.living(l, r.User)
	if err != nil {
		return nil, err
	}
	i := find(windows, r, leader)
	if i < 0 {
		return nil, nil
	}
	closed := windows[i]
	if _, err := l.DeleteWindow(closed.User, closed.ID); err != nil {
		return nil, err
	}
	v.Leaders.Forget(closed)
	v.Audit.Record(windowEvent(audit.SessionClosed, closed))
	if !closed.Ending.IsZero() || d.Sessions.Logout != policy.LogoutAll {
		return nil, nil
	}
	others := v.withIt(windows, closed)
	if len(others) == 0 {
		return nil, nil
	}
	return others, v.putEnding(l, others, "", "a logout in another window")
}

// withIt are the other windows of a session that end when one is logged out of: those for which the policy says so, too.
// A shell does not end with a panel's tab from the same host because the panel is one where a logout is one everywhere.
func (v *Verifier) withIt(windows []ledger.Window, closed ledger.Window) []ledger.Window {
	var all []ledger.Window
	now := v.Now()
	for _, s := range session.Group(windows) {
		if s.ID != closed.Session {
			continue
		}
		for _, w := range markEnding([]session.Session{s}, login.NoticeLogout(now), now) {
			if d, err := v.decide(requestOf(w), now); w.ID != closed.ID && err == nil && d.Sessions.Logout == policy.LogoutAll {
				all = append(all, w)
			}
		}
	}
	return all
}

// requestOf is the request that opened a window, as far as the policy looks at it.
func requestOf(w ledger.Window) login.Request {
	r := login.Request{User: w.User, UID: w.UID, Known: true, Service: w.Service, RHost: w.Source, TTY: w.TTY, PID: w.PID}
	if w.Source == sourceLocal || w.Source == sourceSelf {
		r.RHost = ""
	}
	return r
}

// What a source is for a login that comes from no other host.
var (
	sourceLocal = login.Request{}.Source()
	sourceSelf  = login.Request{Self: true}.Source()
)

// putEnding stores windows that end, and says by whom or why.
func (v *Verifier) putEnding(l Ledger, windows []ledger.Window, by, reason string) error {
	if err := l.PutWindows(windows...); err != nil {
		return err
	}
	for _, w := range windows {
		e := windowEvent(audit.SessionEnded, w)
		e.By, e.Reason = by, reason
		v.Audit.Record(e)
	}
	return nil
}
