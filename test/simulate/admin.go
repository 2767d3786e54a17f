package simulate

import (
	"errors"
	"slices"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/verifier"
)

// own is the request that a change of a user's second factor is judged as.
func own(u *user) login.Request {
	return login.Request{User: u.name, UID: u.uid, Known: true, Service: "sallyportctl", Self: true}
}

// change has the daemon do something to a user's second factor. It returns false where there is no daemon, or no such user.
func (w *World) change(u *user, what string, do func(*verifier.Verifier) error) (err error, ok bool) {
	if w.daemon == nil || !u.exists {
		return nil, false
	}
	w.op.steps = w.disk.Steps()
	p := w.daemon
	w.as(p, func() { err = do(p.v) })
	w.op.acknowledged = !w.op.died && err == nil
	w.op.durable = w.op.acknowledged
	w.note("%s: %s: %v, died %t", u.name, what, w.reason(err), w.op.died)
	return err, true
}

// reason is an error without what differs from run to run, the names of temporary files.
func (w *World) reason(err error) any {
	if errors.Is(err, errDisk) || w.mode != "" {
		return err != nil
	}
	return err
}

// proof is what came of the code in front of a change. A code that is right is used up even where the change fails.
func (w *World) proof(u *user, has record, code string, err error) []record {
	var locked *verifier.LockedError
	var refused *verifier.CodeError
	o := outcome{}
	switch {
	case err == nil:
		o.granted = true
	case errors.As(err, &locked):
		o.locked, o.until = true, locked.Until
	case errors.As(err, &refused):
		o.refused = true
	default:
		o.failed = true
	}
	w.op.acknowledged = !w.op.died && !o.failed
	return w.weigh(u, own(u), has, code, o)
}

// enroll begins a set-up, or ends the one that waits.
func (w *World) enroll() {
	u := w.anybody()
	if u.waits != nil && w.chance(90) {
		w.confirm(u)
		return
	}
	has := u.has()
	if len(has.tokens) >= 3 {
		return
	}
	o := w.wishes(has)
	code := ""
	if has.enrolled() {
		code, _ = w.types(u)
	}
	var s enroll.Setup
	err, ok := w.change(u, "enrols with "+code, func(v *verifier.Verifier) (err error) {
		s, err = v.Enroll(u.name, o, verifier.Proof{Code: code})
		return err
	})
	if !ok {
		return
	}
	may := []record{u.rec}
	if has.enrolled() {
		may = w.proof(u, has, code, err)
	} else if err != nil && !w.diskFails() {
		w.fail("%s cannot enrol: %v", u.name, err)
	}
	w.finish(u, err, may, func(r record) record {
		if r.uid != u.uid {
			r = record{uid: u.uid}
		}
		r.pending = s.ID
		if r.pending == "" {
			r.pending = lost
		}
		return r
	})
	if err == nil && !w.op.died {
		w.newDevice(u, s, o)
	}
}

// finish settles a change behind a proof: the record after the proof, and where all went well with the change in it.
func (w *World) finish(u *user, err error, proven []record, change func(record) record) {
	may := proven
	switch {
	case w.op.died, err != nil && w.diskFails():
		for _, r := range proven {
			may = append(may, change(r.clone()))
		}
	case err == nil:
		w.op.durable = true
		may = []record{change(proven[0].clone())}
	}
	w.settle(u, may...)
}

func (w *World) wishes(has record) enroll.Options {
	o := enroll.Options{
		Kind:      []otp.Kind{otp.TOTP, otp.TOTP, otp.HOTP}[w.rng.IntN(3)],
		Algorithm: []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512}[w.rng.IntN(3)],
		Digits:    6 + w.rng.IntN(3),
	}
	if o.Kind == otp.TOTP {
		o.Period = []time.Duration{30 * time.Second, 30 * time.Second, 60 * time.Second}[w.rng.IntN(3)]
	}
	if n := len(has.tokens); n > 0 && w.chance(20) {
		o.Replaces = has.tokens[w.rng.IntN(n)].id
	}
	return o
}

// remove takes a device away, or all of them, against a code.
func (w *World) remove() {
	u := w.somebody()
	has := u.has()
	if !has.enrolled() || w.daemon == nil {
		return
	}
	var d *device
	name := ""
	if w.chance(60) {
		d = has.tokens[w.rng.IntN(len(has.tokens))].device
		name = d.id
	}
	code, _ := w.types(u)
	err, _ := w.change(u, "removes "+name+" with "+code, func(v *verifier.Verifier) error { return v.Remove(u.name, name, code) })
	w.finish(u, err, w.proof(u, has, code, err), func(r record) record {
		if d == nil {
			return record{uid: r.uid}
		}
		r.drop(d)
		return r
	})
	if w.op.stored && d == nil {
		u.backup.emptied()
	}
	if w.op.stored && err == nil && !w.op.died { // who died may have counted a wrong code, and no more
		u.forget()
	}
}

// disable is an admin's way out.
func (w *World) disable() {
	u := w.anybody()
	err, ok := w.change(u, "disabled", func(v *verifier.Verifier) error { return v.Disable(u.name, "root") })
	if !ok {
		return
	}
	none := errors.Is(err, enroll.ErrNotEnrolled)
	if err != nil && !none && !w.diskFails() {
		w.fail("disabling %s: %v", u.name, err)
	}
	if none {
		w.op.acknowledged, w.op.durable, err = true, true, nil
	}
	w.finish(u, err, []record{u.rec}, func(record) record { return record{uid: u.uid} })
	if w.op.stored {
		u.backup.emptied()
		u.unlocked()
		u.forget()
	}
}

func (w *World) unlock() {
	u := w.anybody()
	for range 5 {
		if u.vague {
			break
		}
		u = w.anybody()
	}
	err, ok := w.change(u, "unlocked", func(v *verifier.Verifier) error { return v.Unlock(u.name, "root") })
	if !ok {
		return
	}
	if err != nil && !w.diskFails() {
		w.fail("unlocking %s: %v", u.name, err)
	}
	if u.rec.until.IsZero() {
		w.op.durable = false // nothing to write
		w.settle(u, u.rec)
	} else {
		w.finish(u, err, []record{u.rec}, func(r record) record {
			if r.uid == u.uid {
				r.until, r.source = time.Time{}, ""
			}
			return r
		})
	}
	if w.op.stored {
		u.unlocked()
	}
	if w.op.acknowledged {
		u.touched = false // nor does a power failure bring anything back
	}
}

func (w *World) forget() {
	u := w.anybody()
	err, ok := w.change(u, "forgotten", func(v *verifier.Verifier) error { return v.Forget(u.name, "") })
	if ok && err != nil && !w.diskFails() {
		w.fail("forgetting %s: %v", u.name, err)
	}
	if w.op.stored {
		u.forget()
	}
}

func (w *World) newRecovery() {
	u := w.somebody()
	has := u.has()
	if !has.enrolled() || w.daemon == nil {
		return
	}
	code, _ := w.types(u)
	codes := slices.Repeat([]string{lost}, otp.RecoveryCodes)
	err, _ := w.change(u, "new recovery codes with "+code, func(v *verifier.Verifier) error {
		got, err := v.RecoveryCodes(u.name, code)
		if err == nil {
			codes = got
		}
		return err
	})
	w.finish(u, err, w.proof(u, has, code, err), func(r record) record {
		r.recovery = codes
		return r
	})
}
