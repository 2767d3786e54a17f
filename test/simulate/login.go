package simulate

import (
	"fmt"

	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/verifier"
)

// talk is a dialogue that waits for an answer, of a person or of the attacker.
type talk struct {
	p       *process
	l       *verifier.Login
	u       *user
	r       login.Request
	prompts int
	parsed  *policy.Policy
}

func (w *World) request(u *user, service, rhost string) login.Request {
	w.pid++
	return login.Request{User: u.name, UID: u.uid, Service: service, RHost: rhost, PID: w.pid}
}

// login is an owner who wants in.
func (w *World) login() {
	u := w.somebody()
	code, d := w.types(u)
	service := others[w.rng.IntN(len(others))]
	if w.chance(2) {
		service = noCode
	}
	w.saw(u, code)
	r := w.request(u, service, w.home(u))
	granted := w.verify(u, r, code)
	if !granted && w.op.died && w.chance(50) {
		w.again(u, r, code) // the module asks whoever is there now, and gives the answer that was typed
		return
	}
	if granted && u.exists && isSession(service) && w.chance(50) {
		w.begin(u, r)
	}
	if d != nil && w.chance(10) {
		d.drift = w.span(-10e9, 10e9) // the phone is set
	}
}

// again is the same answer, to the next verifier.
func (w *World) again(u *user, r login.Request, code string) {
	w.note("  once more")
	w.op = operation{}
	w.verify(u, r, code)
}

// attack is a guess by somebody who knows the password, from elsewhere.
func (w *World) attack() {
	u := w.anybody()
	w.verify(u, w.request(u, "sshd", w.abroad()), w.guess(u))
}

// attackNear comes from an address that the user logs in from, too.
func (w *World) attackNear() {
	u := w.anybody()
	w.verify(u, w.request(u, others[w.rng.IntN(len(others))], shared), w.guess(u))
}

// guess is a number, mostly, or what was another user's, or no code at all.
func (w *World) guess(u *user) string {
	switch w.rng.IntN(12) {
	case 0:
		return "password"
	case 1:
		return "ABCD-EFGH-IJKL-MNOP"
	case 2:
		if len(w.seen) > 0 {
			return w.seen[w.rng.IntN(len(w.seen))].code
		}
	}
	digits := 6 + w.rng.IntN(3)
	if has := u.has(); has.enrolled() {
		digits = has.tokens[w.rng.IntN(len(has.tokens))].digits
	}
	return fmt.Sprintf("%0*d", digits, w.rng.IntN(1_000_000))
}

// replay is a code that was typed before, mostly one of the last ones.
func (w *World) replay() {
	if len(w.seen) == 0 {
		return
	}
	n := len(w.seen)
	s := w.seen[n-1-w.rng.IntN(min(n, 1+w.rng.IntN(n)))]
	rhost := w.abroad()
	if w.chance(30) {
		rhost = w.home(s.u)
	}
	w.verify(s.u, w.request(s.u, others[w.rng.IntN(len(others))], rhost), s.code)
}

// verify is a login in one call. It reports whether somebody was let in.
func (w *World) verify(u *user, r login.Request, code string) bool {
	p := w.verifier()
	if w.daemon != nil && w.chance(2) {
		p = w.goHalf() // it did not answer in time, and is there all the same
	}
	w.op.steps = w.disk.Steps()
	has := u.has()
	var s login.Step
	w.as(p, func() {
		admitted, err := p.v.Admit(verifier.Caller{}, r)
		if err != nil {
			w.fail("admitting: %v", err)
		}
		s = p.v.Verify(admitted, code)
	})
	w.note("%s from %q by %s types %s: %v %s, died %t", u.name, r.Source(), r.Service, code, s.Verdict, stamp(s.Until), w.op.died)
	if p != w.daemon && w.daemon != nil {
		if !w.op.died && !s.Busy && r.Service != noCode {
			w.fail("two verifiers at once")
		}
		return false
	}
	return w.check(u, r, has, code, s, true)
}

// check compares a step of a login with what it must be. whole says that the step before it was the first one.
func (w *World) check(u *user, r login.Request, has record, code string, s login.Step, whole bool) bool {
	in := s.Verdict == login.Granted || s.Verdict == login.NotRequired
	w.op.acknowledged = !w.op.died && s.Verdict != login.Unavailable
	switch free := r.Service == noCode || w.require == "if-enrolled" && !has.enrolled(); {
	case w.op.died && (free || !u.exists):
		u.vague = u.vague || w.op.stored
		return false
	case free && !whole && !in: // it was asked while it did
	case free:
		if s.Verdict != login.NotRequired && !(s.Verdict == login.Unavailable && w.diskFails() && r.Service != noCode) {
			w.fail("%s needs no code, and the verdict is %v", u.name, s.Verdict)
		}
		return in
	case s.Verdict == login.NotRequired:
		w.fail("%s needs a code, and the verdict is that it does not", u.name)
	case !u.exists, !has.enrolled():
		if in {
			w.fail("%s has no second factor, and gets in", u.name)
		}
		if !u.exists {
			return false
		}
	}
	if s.Verdict == login.Granted && whole && w.mayBeRemembered(u, r) && !w.asked(s) {
		w.tally["remembered"]++
		return true
	}
	o := outcome{granted: s.Verdict == login.Granted, locked: s.Verdict == login.Locked, until: s.Until, failed: s.Verdict == login.Unavailable}
	o.refused = !o.granted && !o.locked && !o.failed
	w.settle(u, w.weigh(u, r, has, code, o)...)
	return in
}

// asked reports whether a login that was let in had to give its code.
func (w *World) asked(s login.Step) bool {
	for _, e := range s.Events {
		if e.Reason == "remembered source" {
			return false
		}
	}
	return true
}

// beginTalk begins a dialogue, which is answered at some later step.
func (w *World) beginTalk() {
	u, p := w.somebody(), w.verifier()
	r := w.request(u, others[w.rng.IntN(len(others))], w.home(u))
	if w.chance(30) {
		r.RHost = w.abroad()
	}
	has := u.has()
	if !has.enrolled() || len(w.talks) > 8 {
		return
	}
	w.op.steps = w.disk.Steps()
	t := &talk{p: p, u: u, r: r, parsed: w.parsed}
	var s login.Step
	w.as(p, func() {
		t.r, _ = p.v.Admit(verifier.Caller{}, r)
		t.l, s = p.v.Begin(t.r)
	})
	w.note("%s from %q by %s begins: asked %t, %v", u.name, r.Source(), r.Service, s.Ask != nil, s.Verdict)
	until, exact := w.lockedUntil(u, has, r.Source())
	switch {
	case w.op.died:
	case s.Ask != nil:
		if !until.IsZero() {
			w.fail("%s: %q is locked until %s, and asked", u.name, r.Source(), stamp(until))
		}
		w.talks = append(w.talks, t)
	case s.Verdict == login.Granted && !w.mayBeRemembered(u, r), s.Verdict == login.NotRequired:
		w.fail("%s is let in without a code: %v", u.name, s.Verdict)
	case s.Verdict == login.Locked && exact && until.IsZero():
		w.fail("%s: %q is locked out, and no lock holds", u.name, r.Source())
	}
}

// answer goes on with a dialogue: by its owner's code, or by somebody who guesses.
func (w *World) answer() {
	if len(w.talks) == 0 {
		return
	}
	i := w.rng.IntN(len(w.talks))
	t := w.talks[i]
	w.talks = append(w.talks[:i], w.talks[i+1:]...)
	code, _ := w.types(t.u)
	if w.chance(30) {
		code = w.guess(t.u)
	}
	w.saw(t.u, code)
	old := t.p.keyless || t.p.ledger == nil && t.parsed != w.parsed // a Go half keeps the policy that it has read
	if t.p.dead || t.p != w.daemon && w.daemon != nil || old || !t.u.exists || t.r.UID != t.u.uid {
		t.r.UID, t.r.Known = 0, false
		w.verify(t.u, t.r, code) // the module begins again, and gives the answer that it has
		return
	}
	w.op.steps = w.disk.Steps()
	has := t.u.has()
	var s login.Step
	w.as(t.p, func() { s = t.l.Answer(code) })
	w.note("%s answers %s: asked %t, %v %s, died %t", t.u.name, code, s.Ask != nil, s.Verdict, stamp(s.Until), w.op.died)
	if t.prompts++; s.Ask != nil && !w.op.died {
		if t.prompts >= w.attempts {
			w.fail("%s is asked more than %d times", t.u.name, w.attempts)
		}
		w.talks = append(w.talks, t)
	}
	if !has.enrolled() || w.require == "if-enrolled" && !has.enrolled() {
		if s.Verdict == login.Granted {
			w.fail("%s has no second factor any more, and gets in", t.u.name)
		}
		has = record{uid: t.u.uid}
	}
	w.check(t.u, t.r, has, code, s, false)
}
