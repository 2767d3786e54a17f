package verifier

import (
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/session"
)

// errLeader says that a process cannot lead the session that it is said to.
var errLeader = errors.New("the process cannot lead the session")

// OpenSession decides over a session that is about to begin, which the process r.PID leads: it is a window of one that is
// there, a new one for which others end, or one too many. Sessions of services that the policy does not count are none.
func (v *Verifier) OpenSession(c Caller, r login.Request) login.Step {
	now := v.Now()
	d, err := v.decide(r, now)
	if err != nil {
		return v.unavailable(r, err)
	}
	if !v.counts(r, d) {
		return ended(login.Granted)
	}
	leader, err := v.leader(c, r)
	if err != nil {
		return v.refuseSession(r, err)
	}
	s, ending, err := v.admitSession(r, d, leader, now)
	if err != nil {
		return v.unavailable(r, err)
	}
	v.Leaders.End(ending) // it may take a while, in which others log in
	return s
}

// counts reports whether the logins of this service are sessions: sudo, su and cron inside one are none.
func (v *Verifier) counts(r login.Request, d policy.Decision) bool {
	return v.policy.Load().Enabled && slices.Contains(d.Sessions.Services, r.Service)
}

// leader identifies the process that is said to lead a session. It will be sent signals, so who is not root may name
// only processes that it could send some by itself.
func (v *Verifier) leader(c Caller, r login.Request) (session.Leader, error) {
	if r.PID <= 1 || !r.Known {
		return session.Leader{}, errLeader
	}
	l, err := v.Leaders.Identify(r.PID)
	if err != nil {
		return l, err
	}
	if c.UID != 0 && !v.Leaders.OwnedBy(l, c.UID) {
		return l, errLeader
	}
	return l, nil
}

// admitSession is the one place where a session comes to be, in the user's turn. It returns the windows that are to be
// ended for it.
func (v *Verifier) admitSession(r login.Request, d policy.Decision, leader session.Leader, now time.Time) (s login.Step, ending []ledger.Window, err error) {
	defer v.locks.lock(r.User)()
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return s, nil, err
	}
	defer giveBack()
	all, err := v.living(l, r.User)
	if err != nil {
		return s, nil, err
	}
	windows := ofUID(all, r.UID)
	if i := find(windows, r, leader); i >= 0 && windows[i].Ending.IsZero() {
		return ended(login.Granted), nil, nil // the module begins again after a daemon that went away in the middle
	}
	sessions := session.Group(windows)
	join, excess := session.Place(sessions, r.Source(), d.Sessions)
	if len(excess) > 0 {
		allowed, err := v.mayDisplace(l, r, d, excess, now)
		if err != nil {
			return s, nil, err
		}
		if !allowed {
			return v.oneTooMany(r, d, sessions, now), nil, nil
		}
	}
	w, err := v.newWindow(r, leader, join, now)
	if err != nil {
		return s, nil, err
	}
	if n := len(all); n > 0 {
		w.Order = all[n-1].Order + 1
	}
	changed := markEnding(excess, login.Notice(w.Source, w.Service, now), now)
	if err := v.Leaders.Hold(w, v.whenGone(w)); err != nil {
		return s, nil, err
	}
	if err := l.PutWindows(append(changed, w)...); err != nil {
		v.Leaders.Forget(w)
		return s, nil, err
	}
	for _, old := range changed {
		e := windowEvent(audit.SessionDisplaced, old)
		e.Reason = fmt.Sprintf("by a login of service %s from %s", w.Service, w.Source)
		v.Audit.Record(e)
	}
	v.Audit.Record(windowEvent(audit.SessionOpened, w))
	return ended(login.Granted), append(changed, lingering(windows)...), nil
}

// mayDisplace says whether other sessions may end for this one.
func (v *Verifier) mayDisplace(l Ledger, r login.Request, d policy.Decision, excess []session.Session, now time.Time) (bool, error) {
	switch d.Sessions.Excess {
	case policy.ExcessDisplace:
		return true, nil
	case policy.ExcessAsk:
		account, err := l.Get(r.User)
		if err != nil {
			return false, err
		}
		account.Own(r.UID)
		var ids []string
		for _, s := range excess {
			ids = append(ids, s.ID)
		}
		if !account.Permitted(r.Service, r.Source(), ids, now) {
			return false, nil
		}
		return true, l.Put(r.User, account)
	default:
		return false, nil
	}
}

func (v *Verifier) oneTooMany(r login.Request, d policy.Decision, sessions []session.Session, now time.Time) login.Step {
	e := r.Event(audit.SessionRefused)
	e.Reason = fmt.Sprintf("sessions.limit is %d", d.Sessions.Limit)
	v.Audit.Record(e)
	return login.Refuse(login.SessionRefused, login.RefusedText(v.describe(sessions), d.Sessions.Limit, now))
}

// refuseSession is for a leader that is none.
func (v *Verifier) refuseSession(r login.Request, cause error) login.Step {
	e := r.Event(audit.SessionRefused)
	e.Reason = cause.Error()
	v.Audit.Record(e)
	return login.Refuse(login.SessionRefused, "The session cannot be watched, so it is not opened.")
}

func (v *Verifier) newWindow(r login.Request, leader session.Leader, join string, now time.Time) (ledger.Window, error) {
	var random [5]byte
	if _, err := io.ReadFull(v.Rand, random[:]); err != nil {
		return ledger.Window{}, err
	}
	w := ledger.Window{
		ID: strings.ToLower(base32.StdEncoding.EncodeToString(random[:])), Session: join, User: r.User, UID: r.UID, Service: r.Service,
		Source: r.Source(), TTY: r.TTY, PID: leader.PID, Start: leader.Start, Opened: now.Round(0).UTC(),
	}
	if join == "" {
		w.Session = w.ID
	}
	return w, nil
}

// living are the user's windows whose leaders live. Those of the others are closed here, if nobody has yet.
func (v *Verifier) living(l Ledger, user string) ([]ledger.Window, error) {
	all, err := l.Windows(user)
	if err != nil {
		return nil, err
	}
	living := all[:0]
	for _, w := range all {
		if session.Alive(v.Leaders, session.LeaderOf(w)) {
			living = append(living, w)
		} else if err := v.closeDead(l, w); err != nil {
			return nil, err
		}
	}
	return living, nil
}

// ofUID leaves out what somebody has open who had the user's name before.
func ofUID(all []ledger.Window, uid uint32) []ledger.Window {
	var own []ledger.Window
	for _, w := range all {
		if w.UID == uid {
			own = append(own, w)
		}
	}
	return own
}

// closeDead forgets a window whose leader has ended, and says so once.
func (v *Verifier) closeDead(l Ledger, w ledger.Window) error {
	was, err := l.DeleteWindow(w.User, w.ID)
	if was {
		v.Leaders.Forget(w)
		e := windowEvent(audit.SessionClosed, w)
		e.Reason = "its process has ended"
		v.Audit.Record(e)
	}
	return err
}

// whenGone is what to do when a window's leader has ended.
func (v *Verifier) whenGone(w ledger.Window) func() {
	return func() {
		defer v.locks.lock(w.User)()
		l, giveBack, err := v.Ledgers.Borrow()
		if err != nil {
			return // whoever has the ledger sees for himself
		}
		defer giveBack()
		if err := v.closeDead(l, w); err != nil && !errors.Is(err, ledger.ErrClosed) {
			e := windowEvent(audit.Unavailable, w)
			e.Reason = err.Error()
			v.Audit.Record(e)
		}
	}
}

// find is the index of the window that this process leads for this service; -1: there is none.
func find(windows []ledger.Window, r login.Request, leader session.Leader) int {
	best := -1
	for i, w := range windows {
		if session.LeaderOf(w) != leader || w.Service != r.Service {
			continue
		}
		if w.TTY == r.TTY && w.Source == r.Source() {
			return i
		}
		best = i
	}
	return best
}

// markEnding returns the windows of sessions, marked as being ended.
func markEnding(sessions []session.Session, notice string, now time.Time) []ledger.Window {
	var all []ledger.Window
	for _, s := range sessions {
		for _, w := range s.Windows {
			w.Ending, w.Notice = now.Round(0).UTC(), notice
			all = append(all, w)
		}
	}
	return all
}

// lingering are the windows that are being ended still.
func lingering(windows []ledger.Window) []ledger.Window {
	var all []ledger.Window
	for _, w := range windows {
		if !w.Ending.IsZero() {
			all = append(all, w)
		}
	}
	return all
}

func windowEvent(kind audit.Kind, w ledger.Window) audit.Event {
	e := audit.Event{Kind: kind, User: w.User, UID: w.UID, Service: w.Service, Source: w.Source, TTY: w.TTY, PID: w.PID}
	if w.Source == sourceSelf {
		e.Asker = w.UID
	}
	return e
}

func ended(verdict login.Verdict) login.Step { return login.Step{Verdict: verdict, PasswordLength: -1} }
