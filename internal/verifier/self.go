package verifier

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/vault"
)

// What can stand in the way of a change, besides enroll's errors.
var (
	ErrSwitchedOff  = errors.New("two-factor login is switched off on this host")
	ErrCodeRequired = errors.New("a current code or a recovery code is required")
)

// LockedError says that too many wrong codes were given.
type LockedError struct{ Until time.Time }

func (e *LockedError) Error() string {
	return fmt.Sprintf("locked after too many wrong codes until %s", e.Until.UTC().Format(time.RFC3339))
}

// CodeError says why a code was refused.
type CodeError struct{ Finding login.Finding }

func (e *CodeError) Error() string {
	switch e.Finding {
	case login.Replayed:
		return "the code has been used already"
	case login.Quarantined:
		return "the server has just started and cannot tell whether this code was used"
	case login.NotACode:
		return "not a verification code"
	default:
		return "the code is wrong"
	}
}

// Is makes every CodeError an enroll.ErrCode.
func (e *CodeError) Is(target error) bool { return target == enroll.ErrCode }

// SetupError says why the first code of a set-up was refused.
type SetupError struct{ Text string }

func (e *SetupError) Error() string { return e.Text }

// Is makes every SetupError an enroll.ErrCode.
func (e *SetupError) Is(target error) bool { return target == enroll.ErrCode }

// Status is what a user may know of its second factor.
type Status struct {
	User          string
	Enrolled      bool
	Tokens        []vault.Token // without their keys' secrets being printable
	RecoveryCodes int           // how many are left
	Pending       time.Time     // until when a set-up waits for its code; zero: none does
	LockedUntil   time.Time     // the latest end of a lock, of the user's or of one source; zero: nobody is locked out
	LastAccepted  time.Time
	LastService   string
	LastSource    string
	Phone         *clock.Sample // what the last right code of the last day said of its device's clock; nil: there is none
}

// Drift is by how much a TOTP token's device is ahead of the host: as its last code says, where that does not fit, else
// as the last resynchronisation found.
func (st Status) Drift(t vault.Token) time.Duration {
	if p := st.Phone; p != nil && p.Device == t.ID && !p.Fits(clock.State{}) {
		return p.Phone(clock.State{})
	}
	return time.Duration(t.Offset) * t.Key.Period
}

// Status reads a user's second factor.
func (v *Verifier) Status(user string) (Status, error) {
	st := Status{User: user}
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		st.fill(f)
		return false, false, nil
	})
	return st, err
}

func (st *Status) fill(f *login.Facts) {
	st.Phone = f.Account.Phone
	st.LastAccepted, st.LastService, st.LastSource = f.Account.Last.At, f.Account.Last.Service, f.Account.Last.Source
	st.LockedUntil = lockedUntil(st.User, f)
	if f.Record == nil {
		return
	}
	st.Tokens = f.Record.Tokens
	st.Enrolled = len(st.Tokens) > 0
	st.RecoveryCodes = len(f.Record.Recovery)
	if p := f.Record.Pending; p != nil && f.Now.Before(p.Expires) {
		st.Pending = p.Expires
	}
}

// lockedUntil is the latest end of all locks: of sources that no right code came from, and of each that wrong ones did.
func lockedUntil(user string, f *login.Facts) time.Time {
	sources := []string{"a source that nobody knows"}
	for _, s := range f.Account.Sources {
		sources = append(sources, s.Source)
	}
	var latest time.Time
	for _, source := range sources {
		if until := login.LockedUntil(login.Request{User: user, RHost: source}, f); until.After(latest) {
			latest = until
		}
	}
	return latest
}

// change lends fn the facts about a user outside a login.
func (v *Verifier) change(user string, fn func(login.Request, *login.Facts) (saveRecord, saveAccount bool, err error)) error {
	uid, err := v.Users.Lookup(user)
	if err != nil {
		return err
	}
	r := login.Request{User: user, UID: uid, Known: true, Service: "sallyportctl", Self: true, Program: true}
	now := v.Now()
	// No rule names this service: what counts here are the tables' window and lockout.
	d, err := v.decide(r, now)
	if err != nil {
		return err
	}
	return v.withFacts(r, d, now, func(f *login.Facts) (bool, bool, error) { return fn(r, f) })
}

// Proof is what allows a change: a code of the user's, or an administrator's word.
type Proof struct {
	Code string
	By   string // the administrator; empty: the user itself, by Code
}

// Enroll begins a set-up: it is on only once Confirm has seen its first code. Who has a second factor already must prove
// it with a code first, or a session left open on a desk could add a stranger's phone.
func (v *Verifier) Enroll(user string, o enroll.Options, proof Proof) (enroll.Setup, error) {
	var setup enroll.Setup
	if !v.Policy().Enabled {
		return setup, ErrSwitchedOff
	}
	err := v.change(user, func(r login.Request, f *login.Facts) (saveRecord, saveAccount bool, err error) {
		if f.Enrolled() && proof.By == "" {
			if saveRecord, saveAccount, err = v.prove(r, f, proof.Code); err != nil {
				return saveRecord, saveAccount, err
			}
		}
		o.Issuer = f.Issuer()
		rec, s, err := enroll.Begin(f.Record, user, r.UID, o, f.Now, f.Rand)
		if err != nil {
			return saveRecord, saveAccount, err
		}
		f.Record, setup = rec, s
		return true, saveAccount, nil
	})
	if err != nil {
		return enroll.Setup{}, err
	}
	v.note(user, audit.EnrollmentStarted, setup.Label, proof.By)
	return setup, nil
}

// prove uses a code up in front of a change, and counts a wrong one as a login would.
func (v *Verifier) prove(r login.Request, f *login.Facts, code string) (saveRecord, saveAccount bool, err error) {
	if code == "" {
		return false, false, ErrCodeRequired
	}
	p := login.Prove(r, f, code)
	v.write(p.Events)
	switch {
	case !p.Locked.IsZero():
		err = &LockedError{p.Locked}
	case p.Finding != login.Right:
		err = &CodeError{p.Finding}
	}
	return p.SaveRecord, p.SaveAccount, err
}

// Confirm ends the set-up id with its first code, and returns recovery codes where the user has none yet. by is the
// administrator who does it; empty: the user.
func (v *Verifier) Confirm(user, id, code, by string) (enroll.Done, error) {
	var done enroll.Done
	if !v.Policy().Enabled {
		return done, ErrSwitchedOff
	}
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		var err error
		done, err = enroll.Confirm(f.Record, f.Account, id, code, f.Decision.Window, f.Now, f.Rand)
		if errors.Is(err, enroll.ErrCode) {
			err = &SetupError{login.SetupRefused(f, id, code)}
		}
		return err == nil, err == nil, err
	})
	if err != nil {
		return enroll.Done{}, err
	}
	v.note(user, audit.Enrolled, done.Token, by)
	return done, nil
}

// Remove takes a token away, or where none is named every one of them and the recovery codes, against a code.
func (v *Verifier) Remove(user, token, code string) error {
	var label string
	all := token == ""
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		if !f.Enrolled() {
			return false, false, enroll.ErrNotEnrolled
		}
		if !all {
			if _, err := enroll.Find(f.Record, token); err != nil {
				return false, false, err
			}
		}
		saveRecord, saveAccount, err := v.prove(r, f, code)
		if err != nil {
			return saveRecord, saveAccount, err
		}
		if all {
			enroll.RemoveAll(f.Record, f.Account)
		} else if label, err = enroll.Remove(f.Record, f.Account, token); err != nil {
			return saveRecord, saveAccount, err
		}
		return true, true, nil
	})
	if err != nil {
		return err
	}
	kind := audit.TokenRemoved
	if all {
		kind = audit.Removed
	}
	v.note(user, kind, label, "")
	return nil
}

// Rename gives a token another label. It needs no code: nobody gets in by it who would not otherwise.
func (v *Verifier) Rename(user, token, label string) error {
	var old string
	err := v.change(user, func(r login.Request, f *login.Facts) (saveRecord, saveAccount bool, err error) {
		old, err = enroll.Rename(f.Record, token, label, f.Now)
		return err == nil, false, err
	})
	if err != nil {
		return err
	}
	e := v.changed(user, audit.TokenRenamed, label, "")
	e.Reason = fmt.Sprintf("it was %q", old)
	v.Audit.Record(e)
	return nil
}

// Forget has every login ask for a code again, wherever it comes from. It needs no code, for it lets nobody in. by is as for
// Confirm.
func (v *Verifier) Forget(user, by string) error {
	err := v.change(user, func(r login.Request, f *login.Facts) (saveRecord, saveAccount bool, err error) {
		f.Account.Forget()
		return false, true, nil
	})
	if err != nil {
		return err
	}
	v.note(user, audit.Forgotten, "", by)
	return nil
}

// RecoveryCodes replaces the user's recovery codes, against a code.
func (v *Verifier) RecoveryCodes(user, code string) ([]string, error) {
	var codes []string
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		if !f.Enrolled() {
			return false, false, enroll.ErrNotEnrolled
		}
		saveRecord, saveAccount, err := v.prove(r, f, code)
		if err != nil {
			return saveRecord, saveAccount, err
		}
		codes, err = enroll.NewRecoveryCodes(f.Record, f.Rand)
		return saveRecord || err == nil, saveAccount, err
	})
	if err != nil {
		return nil, err
	}
	v.note(user, audit.RecoveryCodesReplaced, "", "")
	return codes, nil
}

// Resync finds a token again by two consecutive codes. While the user is locked no codes are looked at; two codes that
// do not fit count as one wrong one. by is as for Confirm.
func (v *Verifier) Resync(user, token, code1, code2, by string) error {
	var label string
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		if until := login.LockedUntil(r, f); !until.IsZero() {
			return false, false, &LockedError{until}
		}
		t, err := enroll.Resync(f.Record, f.Past(), token, code1, code2, f.Now)
		if errors.Is(err, enroll.ErrCode) {
			p := login.Miss(r, f)
			v.write(p.Events)
			return p.SaveRecord, p.SaveAccount, err
		}
		if err != nil {
			return false, false, err
		}
		label = t.Label
		return true, true, nil
	})
	if err != nil {
		return err
	}
	v.note(user, audit.Resynced, label, by)
	return nil
}

// note puts a change of a user's second factor into the journal. by is empty where the user made it.
func (v *Verifier) note(user string, kind audit.Kind, token, by string) {
	v.Audit.Record(v.changed(user, kind, token, by))
}

// changed is that event.
func (v *Verifier) changed(user string, kind audit.Kind, token, by string) audit.Event {
	e := audit.Event{Kind: kind, User: user, Token: token, By: by}
	if by == "" {
		e.By = user
		e.Asker, _ = v.Recent.Lookup(user) // it was known a moment ago
	}
	return e
}
