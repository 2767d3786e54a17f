package login

import (
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// Proof is what came of one answer after it was counted: a right code is used up, a wrong one may have begun a lock.
type Proof struct {
	Match
	Locked      time.Time // zero: not locked; else until when
	SaveRecord  bool
	SaveAccount bool
	Events      []audit.Event
}

// LockedUntil says until when this request's source may not try; zero: it may.
func LockedUntil(r Request, f *Facts) time.Time {
	until := f.Account.LockedUntil(r.Source(), f.Now, f.limits())
	if f.Record == nil {
		return until
	}
	// The vault's copy of the lock counts where the ledger, which a power loss empties, knows of none.
	l := f.Record.Lock
	if l.Source == "" && f.Account.Knows(r.Source(), f.Now) || l.Source != "" && l.Source != r.Source() {
		return until
	}
	if d := l.Until.Sub(f.Now); d > 0 && d <= f.Decision.Lockout.LockMax && l.Until.After(until) {
		return l.Until
	}
	return until
}

// Prove looks at one answer, uses a right code up and counts a wrong one. While the source is locked no code is looked
// at, so that a lock tells nothing.
func Prove(r Request, f *Facts, answer string) Proof {
	if until := LockedUntil(r, f); !until.IsZero() {
		return Proof{Match: Match{Finding: Wrong, Recovery: -1}, Locked: until, Events: []audit.Event{lockEvent(r, until)}}
	}
	p := Proof{Match: f.find(answer)}
	if !r.Known && p.Finding < Wrong && maybeCode(answer) {
		p.Finding = Wrong
	}
	switch p.Finding {
	case Right:
		p.right(r, f)
	case Wrong:
		return Miss(r, f)
	case Replayed, Quarantined:
		e := r.Event(audit.CodeReplayed)
		e.Token = p.Token.Label
		if p.Finding == Quarantined {
			e.Reason = "the ledger began too recently to know whether this code was used"
		}
		p.Events = append(p.Events, e)
	}
	return p
}

func (p *Proof) right(r Request, f *Facts) {
	recovery := p.Recovery >= 0
	p.SaveRecord = f.use(p.Match)
	f.Account.Accept(r.Service, r.Source(), f.Now)
	p.SaveAccount = true
	if recovery {
		e := r.Event(audit.RecoveryCodeUsed)
		e.Count = len(f.Record.Recovery)
		p.Events = append(p.Events, e)
	}
}

// Miss counts a wrong code.
func Miss(r Request, f *Facts) Proof {
	p := Proof{Match: Match{Finding: Wrong, Recovery: -1}, SaveAccount: true}
	f.Missed = true
	p.Locked = f.Account.Fail(r.Source(), f.Now, f.limits())
	if p.Locked.IsZero() {
		e := r.Event(audit.LoginDenied)
		e.Reason = Wrong.reason()
		p.Events = []audit.Event{e}
		return p
	}
	p.Events = []audit.Event{lockEvent(r, p.Locked)}
	p.SaveRecord = true
	if f.Record != nil {
		f.Record.Lock = mergeLock(f.Record.Lock, r.Source(), p.Locked, f.Now, f.Decision.Lockout.LockMax)
	}
	return p
}

// maybeCode reports whether sshd may have got a code: for a user who does not exist it passes on something else, of the
// same length (auth-pam.c, fake_password). It counts, or a lock would tell which names exist; and what was too long for
// a code does not, for the same reason.
func maybeCode(answer string) bool {
	const junk = "\b\n\r\177INCORRECT"
	n := len(answer)
	return n >= otp.MinDigits && n <= otp.MaxDigits && answer == junk[:n]
}

func lockEvent(r Request, until time.Time) audit.Event {
	e := r.Event(audit.LoginLocked)
	e.Until = until
	return e
}

// mergeLock keeps one durable lock per user. A second source that is locked while the first one is makes it a lock for
// every source but those that a right code has come from. One that a clock far ahead has written holds nobody (see
// LockedUntil), and is no first one.
func mergeLock(old vault.Lock, source string, until, now time.Time, longest time.Duration) vault.Lock {
	if d := old.Until.Sub(now); d <= 0 || d > longest || old.Source == source {
		return vault.Lock{Until: until, Source: source}
	}
	if old.Until.After(until) {
		until = old.Until
	}
	return vault.Lock{Until: until}
}
