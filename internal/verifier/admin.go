package verifier

import (
	"errors"
	"fmt"

	"sallyport/internal/audit"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/vault"
)

// Disable takes a user's second factor away; the user may set it up again. by is who does it. It needs no readable
// record and no known user: disabling is the way out of a damaged record, and of one whose user the host no longer has.
func (v *Verifier) Disable(user, by string) error {
	defer v.locks.lock(user)()
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return err
	}
	defer giveBack()
	uid, lookupErr := v.Users.Lookup(user)
	_, getErr := v.Records.Get(user, uid)
	if err := v.Records.Delete(user); err != nil {
		return err
	}
	if lookupErr == nil && errors.Is(getErr, vault.ErrNotEnrolled) {
		return enroll.ErrNotEnrolled
	}
	v.Audit.Record(audit.Event{Kind: audit.Disabled, User: user, By: by})
	account, err := l.Get(user)
	if err != nil {
		return err
	}
	account.Tokens, account.Phone = nil, nil
	unlocked := v.unlock(account)
	account.Forget()
	if err := l.Put(user, account); err != nil {
		return err
	}
	return v.keepUnlocked(l, unlocked)
}

// unlock ends an account's locks, and reports whether it had any.
func (v *Verifier) unlock(a *ledger.Account) bool {
	unlocked := a.Unlock()
	if unlocked {
		v.unlocksKept.Store(false)
	}
	return unlocked
}

// keepUnlocked saves the ledger, whose copy may have the locks that were just ended, and would bring them back after a power
// failure. Where there were none, and no earlier unlock can be missing from it, the copy is spared: many are unlocked at a time.
func (v *Verifier) keepUnlocked(l Ledger, unlocked bool) error {
	if !unlocked && v.unlocksKept.Load() {
		return nil
	}
	if err := l.Save(false, v.Now()); err != nil {
		return fmt.Errorf("the locks are ended, but a power failure could bring them back: %w", err)
	}
	v.unlocksKept.Store(true)
	return nil
}

// Unlock ends the user's locks and forgets its wrong codes, durably. by is who does it.
func (v *Verifier) Unlock(user, by string) error {
	unlocked := false
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		unlocked = v.unlock(f.Account)
		if f.Record == nil {
			return false, true, nil
		}
		changed := !f.Record.Lock.Until.IsZero()
		f.Record.Lock = vault.Lock{}
		return changed, true, nil
	})
	if err != nil {
		return err
	}
	v.Audit.Record(audit.Event{Kind: audit.Unlocked, User: user, By: by})
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return err
	}
	defer giveBack()
	return v.keepUnlocked(l, unlocked)
}
