package simulate

import (
	"errors"
	"fmt"

	"sallyport/internal/login"
	"sallyport/internal/verifier"
)

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
	switch w.rng.IntN(30) {
	case 0, 1:
		r.Split, code = true, w.password()+code
	case 2:
		r.Self = u.exists // a screen locker
	}
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

// password is what stands before a code where both are one answer.
func (w *World) password() string {
	return []string{"", "hunter", "correct horse ", "secret99", "1234567x"}[w.rng.IntN(5)]
}

// attack is a guess by somebody who knows the password, from elsewhere.
func (w *World) attack() {
	u := w.anybody()
	r, code := w.request(u, "sshd", w.abroad()), w.guess(u)
	if w.chance(5) {
		r.Split, code = true, w.password()+code
	}
	w.verify(u, r, code)
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
	w.verify(s.u, w.request(s.u, others[w.rng.IntN(len(others))], w.from(s.u)), s.code)
}

// caller is root, or whoever a request is of that is for itself.
func caller(r login.Request) verifier.Caller {
	if r.Self {
		return verifier.Caller{UID: r.UID}
	}
	return verifier.Caller{}
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
		admitted, err := p.v.Admit(caller(r), r)
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

// free reports whether a login needs no code.
func (w *World) free(r login.Request, has record) bool {
	return r.Service == noCode || w.require == "if-enrolled" && !has.enrolled()
}

// check compares a step of a login with what it must be. whole says that the step before it was the first one.
func (w *World) check(u *user, r login.Request, has record, code string, s login.Step, whole bool) bool {
	in := s.Verdict == login.Granted || s.Verdict == login.NotRequired
	w.op.acknowledged = !w.op.died && s.Verdict != login.Unavailable
	switch free := w.free(r, has); {
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
	if v := w.look(has, r, code); o.granted && r.Split && s.PasswordLength != len(code)-v.length {
		w.fail("%s: the password is said to have %d bytes, of %q", u.name, s.PasswordLength, code)
	}
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

// keyLogin is a login that skips PAM's auth phase: the account phase asks no questions.
func (w *World) keyLogin() {
	u, p := w.somebody(), w.verifier()
	if !u.exists {
		return
	}
	r, has := w.request(u, others[w.rng.IntN(len(others))], w.home(u)), u.has()
	var s login.Step
	w.as(p, func() {
		r, _ = p.v.Admit(verifier.Caller{}, r)
		s = p.v.Account(r)
	})
	w.note("%s from %q by %s has a key: %v, died %t", u.name, r.Source(), r.Service, s.Verdict, w.op.died)
	switch {
	case w.op.died:
	case s.Verdict == login.Unavailable && w.diskFails():
	case w.free(r, has) && s.Verdict == login.NotRequired:
	case !w.free(r, has) && s.Verdict == login.AccountRefused:
	case !w.free(r, has) && s.Verdict == login.Granted && w.mayBeRemembered(u, r):
	default:
		w.fail("%s has given no code, and the verdict on its account is %v", u.name, s.Verdict)
	}
}

// meddle is a user of the host who would verify for another one.
func (w *World) meddle() {
	u, other, p := w.anybody(), w.anybody(), w.verifier()
	if !other.exists || u.exists && u.uid == other.uid {
		return
	}
	if _, err := p.v.Admit(verifier.Caller{UID: other.uid}, w.request(u, "sshd", "")); !errors.Is(err, verifier.ErrNotAllowed) {
		w.fail("%s may verify for %s: %v", other.name, u.name, err)
	}
	w.note("%s would verify for %s", other.name, u.name)
}
