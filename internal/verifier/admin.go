package verifier

import (
	"errors"

	"sallyport/internal/audit"
	"sallyport/internal/enroll"
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
	account.Unlock()
	account.Forget()
	return l.Put(user, account)
}

// Unlock ends the user's locks and forgets its wrong codes. by is who does it.
func (v *Verifier) Unlock(user, by string) error {
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		f.Account.Unlock()
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
	return nil
}
