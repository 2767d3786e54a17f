package simulate

import (
	"errors"
	"fmt"

	"sallyport/internal/verifier"
)

// resync finds a device again by two codes that follow each other, or by two that do not.
func (w *World) resync() {
	u := w.somebody()
	has := u.has()
	if !has.enrolled() || w.daemon == nil {
		return
	}
	t := has.tokens[w.rng.IntN(len(has.tokens))]
	first := t.presses
	if t.period > 0 {
		first = t.device.step(w.clock.truth.Add(t.drift)) - 1
	} else {
		t.presses += 2
	}
	codes := [2]string{t.code(first), t.code(first + 1)}
	if w.chance(20) {
		codes[1] = fmt.Sprintf("%0*d", t.digits, w.rng.IntN(1_000_000))
	}
	err, ok := w.change(u, fmt.Sprintf("resynchronises device %d, step %d, with %v", t.n, first, codes), func(v *verifier.Verifier) error {
		return v.Resync(u.name, t.id, codes[0], codes[1], "")
	})
	if !ok {
		return
	}
	var locked *verifier.LockedError
	until, exact := w.lockedUntil(u, has, own(u).Source())
	switch {
	case w.op.died:
		w.settle(u, u.rec, w.found(u, t, first), w.missed(u))
		w.afterResync(u, t, first)
	case errors.As(err, &locked):
		if exact && until.IsZero() {
			w.fail("%s is locked out, and no lock holds", u.name)
		}
	case !until.IsZero() && (err == nil || !w.diskFails()):
		w.fail("%s is locked until %s, and codes are looked at", u.name, stamp(until))
	case err == nil:
		if t.period > 0 && (t.used[first] || t.used[first+1]) {
			w.fail("%s resynchronises device %d by a code that was used", u.name, t.n)
		}
		w.settle(u, w.found(u, t, first))
		w.afterResync(u, t, first)
	default:
		w.op.acknowledged = !w.diskFails() // the account is, at least
		w.op.durable = false
		if w.op.stored || !w.diskFails() {
			after := w.missed(u)
			u.blame(own(u).Source(), w.clock.host(), w.lim)
			w.settle(u, after, u.rec)
			return
		}
		w.op.acknowledged = false
		w.settle(u, w.missed(u), w.found(u, t, first)) // the record may be there, and not be told to be
	}
}

// found is the record with the device found again.
func (w *World) found(u *user, t token, first int64) record {
	r := u.rec.clone()
	again := r.find(t.device)
	if t.period > 0 {
		again.offset = first + 1 - t.device.step(w.clock.host())
	} else {
		again.counter = first + 2
	}
	return r
}

// missed is the record after two codes that did not fit.
func (w *World) missed(u *user) record {
	now, source := w.clock.host(), own(u).Source()
	r, g := u.rec.clone(), u.tries.clone()
	g.fail(source, now, w.lim)
	if until := g.lockedUntil(source, now, w.lim, g.knows(source, now)); !until.IsZero() {
		r.lock(source, until, now, w.lim)
	}
	return r
}

func (w *World) afterResync(u *user, t token, first int64) {
	if t.period > 0 && w.op.stored {
		t.use(first)
		t.use(first + 1)
	}
}
