package verifier

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// judge runs one step of a login: it reads the facts, has decide look at them, and stores what it changed before it
// returns. Whatever fails on the way denies.
func (v *Verifier) judge(r login.Request, decide func(*login.Facts) login.Step) login.Step {
	now := v.Now()
	decision, err := v.decide(r, now)
	if err != nil {
		return v.unavailable(r, err)
	}
	notify := func() bool { return v.notify(r) }
	var s login.Step
	if decision.Require == policy.RequireNever {
		// Nothing else is read: with enabled = false people get in whatever has become of vault and ledger.
		s = decide(&login.Facts{Now: now, Decision: decision, Account: &ledger.Account{}, Clock: v.clock(), Notify: notify})
		v.write(s.Events)
		return s
	}
	err = v.withFacts(r, decision, now, func(f *login.Facts) (saveRecord, saveAccount bool, err error) {
		f.Notify = notify
		s = decide(f)
		return s.SaveRecord, s.SaveAccount, nil
	})
	if err != nil {
		return v.unavailable(r, err)
	}
	v.write(s.Events)
	return s
}

func (v *Verifier) write(events []audit.Event) {
	for _, e := range events {
		v.Audit.Record(e)
	}
}

func (v *Verifier) decide(r login.Request, now time.Time) (policy.Decision, error) {
	p := v.policy.Load()
	groups := func() ([]string, error) { return v.Recent.Groups(r.User) }
	if !r.Known {
		groups = func() ([]string, error) { return nil, nil }
	}
	d, err := p.Decide(policy.Request{User: r.User, Groups: groups, Service: r.Service, Source: r.RHost, PublicKey: r.PublicKey()}, now)
	if err != nil {
		return d, fmt.Errorf("policy: %w", err)
	}
	return d, nil
}

// withFacts lends fn the facts about a user and stores what it says it changed: the record, which is durable, before
// the account, so that a full disk leaves no trace of a success that was not given. A wrong code counts whatever the disk does.
func (v *Verifier) withFacts(r login.Request, d policy.Decision, now time.Time, fn func(*login.Facts) (saveRecord, saveAccount bool, err error)) error {
	defer v.locks.lock(r.User)()
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return err
	}
	defer giveBack()
	p := v.policy.Load()
	f := &login.Facts{Now: now, Decision: d, Issuer: func() string { return v.issuer(p) }, Quarantine: l.Quarantine(), Clock: v.clock(), Booted: v.booted(), Rand: v.Rand}
	turn, err := l.Remembering(p.RememberMark())
	if err != nil {
		return err
	}
	if f.Record, err = v.record(r.User, r.UID, r.Known); err != nil {
		return err
	}
	if f.Sessions, err = v.openSessions(l, r, d); err != nil {
		return err
	}
	account := r.User
	if !r.Known {
		account = ledger.Stranger(r.User)
	}
	if f.Account, err = l.Get(account); err != nil {
		return err
	}
	if r.Known {
		f.Account.Own(r.UID)
	}
	f.Account.Under(turn)
	corrected := f.Account.Correct(now) // what a clock that ran ahead wrote
	before := f.Account.Phone
	saveRecord, saveAccount, err := fn(f)
	if saveRecord {
		if e := v.store(r.User, f.Record); e != nil && !f.Missed {
			return e
		} else if e != nil {
			err = e
		}
	}
	if saveAccount || corrected {
		if e := l.Put(account, f.Account); e != nil {
			return e
		}
	}
	if phone := f.Account.Phone; v.Clock != nil && phone != nil && phone != before {
		v.Clock.Accepted(r.User, *phone)
	}
	return err
}

// record is the user's vault record, nil where there is none. It is looked for in any case, so that nobody learns from
// the time which names exist.
func (v *Verifier) record(user string, uid uint32, known bool) (*vault.Record, error) {
	if !known {
		_, _ = v.Records.Get(user, uid) // what is left of a user who is gone
		return nil, nil
	}
	rec, err := v.Records.Get(user, uid)
	if errors.Is(err, vault.ErrNotEnrolled) {
		return nil, nil
	}
	return rec, err
}

// store keeps a record, or deletes it where no second factor is left in it.
func (v *Verifier) store(user string, rec *vault.Record) error {
	if rec == nil {
		return v.Records.Feign()
	}
	if len(rec.Tokens) == 0 && rec.Pending == nil {
		return v.Records.Delete(user)
	}
	return v.Records.Put(rec)
}

// unavailable ends a login that cannot be judged, with the reason in the journal and none for the person, who could not
// mend it.
func (v *Verifier) unavailable(r login.Request, err error) login.Step {
	s := login.Refuse(login.Unavailable, login.TextUnavailable)
	if errors.Is(err, ledger.ErrHeld) {
		s.Busy = true
		return s
	}
	v.Audit.Record(failure(r, err))
	return s
}

// failure is the journal's record of a login that an error denied; a damaged file has a kind of its own.
func failure(r login.Request, err error) audit.Event {
	e := r.Event(audit.Unavailable)
	e.Reason = err.Error()
	var damaged *vault.DamagedError
	var trust *disk.TrustError
	var used *ledger.DamagedError
	switch {
	case errors.As(err, &used):
		e.Path = used.Path
	case errors.As(err, &damaged):
		e.Kind, e.Path = audit.RecordUnreadable, damaged.Path
	case errors.As(err, &trust):
		e.Kind, e.Path = audit.RecordUnreadable, trust.Path
	}
	return e
}
