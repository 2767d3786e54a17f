package verifier

import (
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/vault"
)

// Import gives a user the second factor that it had elsewhere, and returns the uid that it has here. Without apply
// nothing changes, and the answer is the same. by is the administrator who does it. It works while two-factor login is
// switched off, so that everybody can be moved before it is on.
func (v *Verifier) Import(user string, im enroll.Import, apply bool, by string) (enroll.Outcome, uint32, error) {
	var outcome enroll.Outcome
	var uid uint32
	changed := false
	err := v.change(user, func(r login.Request, f *login.Facts) (bool, bool, error) {
		uid = r.UID
		account := f.Account
		if !apply {
			account = &ledger.Account{} // not this one, which may be stored for another reason
		}
		rec, done, err := im.Apply(f.Record, account, user, r.UID, f.Decision.Window, f.Now, f.Rand)
		if err != nil {
			return false, false, err
		}
		outcome = done
		if err := rec.Validate(); err != nil {
			return false, false, err
		}
		changed = apply && (done == enroll.ImportNew || done == enroll.ImportReplaced)
		f.Record = rec
		return changed, changed, nil
	})
	if err != nil {
		return "", 0, err
	}
	if changed {
		var labels []string
		for _, d := range im.Devices {
			labels = append(labels, d.Label)
		}
		v.note(user, audit.Imported, strings.Join(labels, ", "), by)
	}
	return outcome, uid, nil
}

// Export returns a user's record, secrets and all, for an administrator. The caller puts it into the journal.
func (v *Verifier) Export(user string) (*vault.Record, error) {
	var rec *vault.Record
	err := v.change(user, func(_ login.Request, f *login.Facts) (bool, bool, error) {
		if !f.Enrolled() {
			return false, false, enroll.ErrNotEnrolled
		}
		rec = f.Record
		return false, false, nil
	})
	return rec, err
}

// Issuer is the name that authenticator apps show.
func (v *Verifier) Issuer() string { return v.issuer(v.policy.Load()) }
