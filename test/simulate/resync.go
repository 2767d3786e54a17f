package simulate

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/enroll"
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
	fits := w.fits(u, t, first, codes)
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
		if w.op.stored && (!exact || until.IsZero()) {
			w.diedAtResync(u, t, first, fits, exact && !w.op.ahead)
		}
	case errors.As(err, &locked):
		if exact && until.IsZero() {
			w.fail("%s is locked out, and no lock holds", u.name)
		}
	case !until.IsZero() && (err == nil || !w.diskFails()):
		w.fail("%s is locked until %s, and codes are looked at", u.name, stamp(until))
	case err == nil && fits == wrong:
		w.fail("%s resynchronises device %d by codes that do not fit, or were used", u.name, t.n)
	case err == nil:
		w.settle(u, w.found(u, t, first))
		w.afterResync(t, first)
	case errors.Is(err, enroll.ErrCode) && fits == right && exact:
		w.fail("%s does not resynchronise device %d by codes that fit", u.name, t.n)
	case !errors.Is(err, enroll.ErrCode) && !w.diskFails():
		w.fail("%s cannot resynchronise: %v", u.name, err)
	case w.op.stored || !w.diskFails():
		// That the codes did not fit counts, also where it could not be said.
		w.op.acknowledged = errors.Is(err, enroll.ErrCode)
		after := w.missed(u)
		w.op.durable = w.op.acknowledged && after.locks(u.rec)
		u.blame(own(u).Source(), w.clock.host(), w.lim)
		w.settle(u, after, u.rec)
	default:
		w.settle(u, w.missed(u), w.found(u, t, first)) // the record may be there, and not be told to be
	}
}

// fits says what two codes are worth for a resynchronisation (RFC 4226 §7.4).
func (w *World) fits(u *user, t token, first int64, codes [2]string) finding {
	if codes[0] != t.code(first) || codes[1] != t.code(first+1) {
		return wrong
	}
	if t.period == 0 {
		const presses = 1000
		if first < t.counter || first+1 > t.counter+presses {
			return wrong
		}
		return right
	}
	const reach = 12 * time.Hour
	here := t.device.step(w.clock.host())
	if far := int64(reach/time.Second) / t.period; first < here-far || first+1 > here+far {
		return wrong
	}
	one, two := w.judge(t, first), w.judge(t, first+1)
	switch {
	case one == noGuess || two == noGuess:
		return wrong
	case one == right && two == right:
		return right
	default:
		return unclear
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

func (w *World) afterResync(t token, first int64) {
	if t.period > 0 {
		t.use(first)
		t.use(first + 1)
	}
}

// diedAtResync is that nobody knows the answer, and the account was stored. What of it is sure follows from what the codes are
// worth, where it is sure that they were looked at.
func (w *World) diedAtResync(u *user, t token, first int64, fits finding, sure bool) {
	switch {
	case fits == wrong && sure:
		u.blame(own(u).Source(), w.clock.host(), w.lim)
	case fits == right && sure:
		w.afterResync(t, first)
	default:
		u.vague = true
		t.maybe(first)
		t.maybe(first + 1)
	}
}
