package simulate

import (
	"slices"
	"time"

	"sallyport/internal/disk/disktest"
	"sallyport/internal/login"
)

// lockedUntil is the end of the lock that holds for the source; zero: none. Where that is not exact, the lock must hold if
// there is one, and others may.
func (w *World) lockedUntil(u *user, has record, source string) (until time.Time, exact bool) {
	now := w.clock.host()
	known := u.tries.knows(source, now)
	exact = !u.vague && (known || !u.lost[source])
	known = known || u.lost[source]
	until = has.lockedUntil(source, now, w.lim, known)
	if !u.vague {
		return later(until, u.tries.lockedUntil(source, now, w.lim, known)), exact
	}
	if !known { // of the wrong codes since the power failure none is forgotten
		until = later(until, u.since.lockedUntil("", now, w.lim, false))
	}
	return until, false
}

// mayBeRemembered reports whether the login may be let in because a right code came from there.
func (w *World) mayBeRemembered(u *user, r login.Request) bool {
	now := w.clock.host()
	return w.remember > 0 && u.has().enrolled() && !r.Self && slices.ContainsFunc(u.perhaps, func(k known) bool {
		age := now.Sub(k.at)
		return k.service == r.Service && k.source == r.Source() && (k.seq > w.rememberSeq || !k.at.Before(w.rememberAt)) && age >= 0 && age < w.remember
	})
}

// outcome is what came of one answer, whichever way it was given.
type outcome struct {
	granted bool
	refused bool
	locked  bool
	until   time.Time // with locked
	failed  bool      // something did not work, and nobody was let in
}

// weigh compares the outcome of an answer with what it must be, and remembers what it has changed. It returns what the
// record may be now.
func (w *World) weigh(u *user, r login.Request, has record, answer string, o outcome) []record {
	now, source := w.clock.host(), r.Source()
	before, exact := w.lockedUntil(u, has, source)
	v := w.look(has, r, answer)
	if o.locked {
		w.tally["locked"]++
	}
	switch {
	case w.op.died:
		return w.afterDeath(u, r, v, !before.IsZero())
	case o.failed && !w.diskFails():
		w.fail("%s: nothing has failed, and the answer is that something has", u.name)
	case o.locked && o.until.After(now.Add(day)):
		w.fail("%s: locked until %s, longer than a day", u.name, stamp(o.until))
	case !before.IsZero():
		if o.granted || o.refused {
			w.fail("%s: an answer from %q is looked at, and the source is locked until %s", u.name, source, stamp(before))
		}
		if exact && o.locked && !o.until.Equal(before) {
			w.fail("%s: locked until %s instead of %s", u.name, stamp(o.until), stamp(before))
		}
	case o.locked && !exact:
		// It may be, from before, or by this answer.
		w.op.acknowledged = false
		u.vague = u.vague || v.finding == wrong
		after := u.rec.clone()
		after.lock(source, o.until, now, w.lim)
		return []record{after}
	case o.locked && v.finding != wrong:
		w.fail("%s: %q is locked out until %s, and no lock holds", u.name, source, stamp(o.until))
	case o.granted:
		return w.accepted(u, r, v)
	case o.failed && v.device == nil && v.recovery < 0 && v.finding != wrong:
	case o.failed && v.finding != wrong: // it may have been used up
		after := u.rec.clone()
		if v.recovery >= 0 || v.device.period == 0 {
			w.spend(&after, v)
			w.unspend(v)
		}
		return []record{after}
	case v.finding == right:
		w.fail("%s: a right code is refused: device %v, step %d", u.name, v.device, v.step)
	case v.finding == wrong && (!o.failed || w.op.stored || w.op.fault != disktest.Read):
		return w.counted(u, r, o, exact)
	}
	return []record{u.rec}
}

// accepted is that an answer let somebody in.
func (w *World) accepted(u *user, r login.Request, v view) []record {
	switch {
	case v.finding == noGuess || v.finding == wrong:
		w.fail("%s: a wrong or used code lets somebody in: %+v", u.name, v)
		return nil
	case v.device != nil && v.device.used[v.step]:
		w.fail("%s: the code of step %d is accepted twice", u.name, v.step)
		return nil
	}
	w.tally["accepted"]++
	after := u.rec.clone()
	w.spend(&after, v)
	u.welcome(r.Service, r.Source(), w.clock.host(), w.steps)
	return []record{after}
}

// spend uses up what an answer was found to be.
func (w *World) spend(rec *record, v view) {
	if v.recovery >= 0 {
		rec.recovery = slices.Delete(rec.recovery, v.recovery, v.recovery+1)
		w.op.durable = true
		return
	}
	v.device.use(v.step)
	if v.device.period == 0 {
		rec.find(v.device).counter = v.step + 1
		w.op.durable = true
	}
}

// unspend is that what may have been used up has let nobody in.
func (w *World) unspend(v view) {
	w.op.durable = false
	if v.device != nil {
		delete(v.device.used, v.step)
	}
}

// counted is that a wrong answer was looked at: it counts, whether or not the one who gave it was told so.
func (w *World) counted(u *user, r login.Request, o outcome, exact bool) []record {
	now, source := w.clock.host(), r.Source()
	w.tally["wrong"]++
	u.blame(source, now, w.lim)
	after := u.rec.clone()
	locks := u.tries.lockedUntil(source, now, w.lim, u.tries.knows(source, now))
	switch {
	case !exact:
		return []record{after}
	case o.locked != !locks.IsZero() && !o.failed, o.locked && !o.until.Equal(locks):
		w.fail("%s: a wrong code locks %q until %s, and must until %s", u.name, source, stamp(o.until), stamp(locks))
	}
	if locks.IsZero() || !u.exists || !after.there() || after.uid != u.uid {
		return []record{after}
	}
	after.lock(source, locks, now, w.lim)
	w.op.durable = true
	return []record{after, u.rec}
}

// afterDeath is that nobody got an answer. What the process had stored before it died counts.
func (w *World) afterDeath(u *user, r login.Request, v view, locked bool) []record {
	now, source := w.clock.host(), r.Source()
	before := []record{u.rec}
	if locked || v.finding == noGuess {
		return before
	}
	if v.finding == wrong {
		locks := u.tries.clone()
		locks.fail(source, now, w.lim)
		until := locks.lockedUntil(source, now, w.lim, locks.knows(source, now))
		switch {
		case w.op.stored && w.op.ahead: // in the login's first step, or in this one
			u.vague = true
		case w.op.stored:
			u.blame(source, now, w.lim)
		}
		if until.IsZero() || !u.rec.there() || u.rec.uid != u.uid {
			return before
		}
		after := u.rec.clone()
		after.lock(source, until, now, w.lim)
		return append(before, after)
	}
	after := u.rec.clone()
	if v.recovery >= 0 || v.device.period == 0 {
		w.spend(&after, v)
		w.unspend(v)
	} else if w.op.stored && w.op.ahead {
		v.device.maybe(v.step)
	} else if w.op.stored {
		v.device.use(v.step)
	}
	if w.op.stored && w.op.ahead {
		u.vague, u.lost[source] = true, true
		u.noted(known{r.Service, source, now, w.steps})
	} else if w.op.stored {
		u.welcome(r.Service, source, now, w.steps)
	}
	return append(before, after)
}
