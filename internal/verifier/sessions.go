package verifier

import (
	"errors"
	"strings"

	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/session"
)

// ErrNoSession says that the user has no session with this ID.
var ErrNoSession = errors.New("no such session")

// Adopt takes on the windows that the ledger has when a daemon starts: of the daemon before, and those that opened while
// there was none. It goes on with ending what was being ended.
func (v *Verifier) Adopt() error {
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return err
	}
	defer giveBack()
	windows, err := l.Windows("")
	if err != nil {
		return err
	}
	var problems []error
	for _, w := range windows {
		switch err := v.Leaders.Hold(w, v.whenGone(w)); {
		case errors.Is(err, session.ErrGone):
			problems = append(problems, v.closeDead(l, w))
		case err != nil:
			problems = append(problems, err)
		}
	}
	v.Leaders.End(lingering(windows))
	return errors.Join(problems...)
}

// OpenWindow is a window with the terminals that it is on.
type OpenWindow struct {
	ledger.Window
	Terminals []string
}

// Sessions are the user's, or everybody's where user is empty, by user and age. Those that are being ended are none any more.
func (v *Verifier) Sessions(user string) ([][]OpenWindow, error) {
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return nil, err
	}
	defer giveBack()
	windows, err := l.Windows(user)
	if err != nil {
		return nil, err
	}
	var all [][]OpenWindow
	for _, s := range session.Group(windows) {
		var open []OpenWindow
		for _, w := range s.Windows {
			if session.Alive(v.Leaders, session.LeaderOf(w)) {
				open = append(open, OpenWindow{w, session.Terminals(v.Leaders, w)})
			}
		}
		if len(open) > 0 {
			all = append(all, open)
		}
	}
	return all, nil
}

// EndSessions ends the user's session with this ID, or all of them where it is empty, and returns how many there were.
func (v *Verifier) EndSessions(user, id, by string) (int, error) {
	n, windows, err := v.endSessions(user, id, by)
	v.Leaders.End(windows)
	return n, err
}

func (v *Verifier) endSessions(user, id, by string) (n int, windows []ledger.Window, err error) {
	defer v.locks.lock(user)()
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return 0, nil, err
	}
	defer giveBack()
	living, err := v.living(l, user)
	if err != nil {
		return 0, nil, err
	}
	var chosen []session.Session
	for _, s := range session.Group(living) {
		if id == "" || s.ID == id {
			chosen = append(chosen, s)
		}
	}
	if len(chosen) == 0 {
		if id != "" {
			return 0, nil, ErrNoSession
		}
		return 0, nil, nil
	}
	now := v.Now()
	windows = markEnding(chosen, login.NoticeBy(by, now), now)
	if err := v.putEnding(l, windows, by, ""); err != nil {
		return 0, nil, err
	}
	return len(chosen), windows, nil
}

// openSessions is what a login's dialogue says about the user's sessions, and asks.
func (v *Verifier) openSessions(l Ledger, r login.Request, d policy.Decision) (login.Sessions, error) {
	if !v.counts(r, d) {
		return login.Sessions{}, nil
	}
	windows, err := v.living(l, r.User) // of a name that the host does not know, too: it costs the same
	if err != nil || !r.Known {
		return login.Sessions{}, err
	}
	sessions := session.Group(ofUID(windows, r.UID))
	about := login.Sessions{Counted: true, Open: len(sessions)}
	if d.Sessions.Excess == policy.ExcessAsk {
		_, excess := session.Place(sessions, r.Source(), d.Sessions)
		about.Excess = v.describe(excess)
	}
	return about, nil
}

// describe says of sessions what a person recognizes them by.
func (v *Verifier) describe(sessions []session.Session) []login.Open {
	all := make([]login.Open, len(sessions))
	for i, s := range sessions {
		all[i] = login.Open{ID: s.ID, Source: s.Source(), Since: s.Since()}
		var terminals []string
		for _, w := range s.Windows {
			terminals = append(terminals, session.Terminals(v.Leaders, w)...)
		}
		const most = 3
		if len(terminals) > most {
			terminals = append(terminals[:most], "others")
		}
		all[i].Terminal = strings.Join(terminals, ", ")
	}
	return all
}
