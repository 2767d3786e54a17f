package verifier

import (
	"errors"
	"fmt"

	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

// Listed is Status for a list of many users. It waits for nobody's login and holds up none, so what it says of record and
// ledger may be a moment apart. The error is what keeps the second factor from working, such as a damaged record; what
// can be read is in the status all the same. It is not for a ledger that cannot be read: that is every user's. lookup is
// Directory.Lookup, or a faster one for who looks many up.
func (v *Verifier) Listed(user string, lookup func(string) (uint32, error)) (st Status, problem, err error) {
	st.User = user
	rec, problem := v.Records.Read(user)
	if errors.Is(problem, vault.ErrNotEnrolled) {
		problem = nil
	}
	if rec != nil {
		problem = stranded(rec, lookup)
	}
	l, giveBack, err := v.Ledgers.Borrow()
	if err != nil {
		return st, nil, err
	}
	defer giveBack()
	account, err := l.Get(user)
	if err != nil {
		return st, nil, err
	}
	st.fill(&login.Facts{Now: v.Now(), Record: rec, Account: account, Decision: policy.Decision{Lockout: v.Policy().Lockout}})
	return st, problem, nil
}

// stranded says why a good record counts for nobody.
func stranded(rec *vault.Record, lookup func(string) (uint32, error)) error {
	uid, err := lookup(rec.User)
	switch {
	case errors.Is(err, ErrUnknownUser):
		return errors.New("this host has no such user")
	case err != nil:
		return err
	case uid != rec.UID:
		return fmt.Errorf("it was set up by uid %d, and this user has uid %d", rec.UID, uid)
	}
	return nil
}
