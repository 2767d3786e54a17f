package simulate

import (
	"strings"

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

	asks    question
	setup   *setup // with setupCode
	surplus []int  // with takeOver: the sessions that are to end
}

// question is what a talk waits for.
type question int

const (
	nothing question = iota // it is over
	aCode
	setupCode
	acknowledgement
	takeOver
)

// questionOf tells what a step asks by what a person would read.
func questionOf(s login.Step) question {
	switch {
	case s.Ask == nil:
		return nothing
	case strings.HasSuffix(s.Ask.Text, login.PromptTakeOver):
		return takeOver
	case strings.HasSuffix(s.Ask.Text, login.PromptAcknowledge):
		return acknowledgement
	case strings.HasSuffix(s.Ask.Text, login.PromptSetup):
		return setupCode
	default:
		return aCode
	}
}

// beginTalk begins a dialogue, which is answered at some later step.
func (w *World) beginTalk() {
	u := w.somebody()
	if w.require == "enroll" && w.chance(70) {
		u = w.anybody()
	}
	if !u.exists || len(w.talks) > 8 {
		return
	}
	r := w.request(u, others[w.rng.IntN(len(others))], w.home(u))
	switch w.rng.IntN(20) {
	case 0:
		r.Split = true
	case 1, 2, 3, 4:
		r.RHost = w.abroad()
	}
	w.converse(w.verifier(), u, r, nil)
}

// converse takes the first step of a dialogue, and compares it with what it must be. resumed is the set-up that it names.
func (w *World) converse(p *process, u *user, r login.Request, resumed *setup) {
	w.op.steps = w.disk.Steps()
	t := &talk{p: p, u: u, r: r, parsed: w.parsed}
	has, surplus := u.has(), w.toEnd(u, r)
	var s login.Step
	w.as(p, func() {
		t.r, _ = p.v.Admit(verifier.Caller{}, r)
		t.l, s = p.v.Begin(t.r)
	})
	t.asks = questionOf(s)
	w.note("%s from %q by %s begins: asked %d, %v, died %t", u.name, r.Source(), r.Service, t.asks, s.Verdict, w.op.died)
	w.weighBegin(t, s, has, surplus, resumed)
}

// weighBegin compares a dialogue's first step with what it must be. It may end in being asked, in a verdict, or in an error.
func (w *World) weighBegin(t *talk, s login.Step, has record, surplus []int, resumed *setup) {
	u, r := t.u, t.r
	setsUp := w.require == "enroll" && !has.enrolled() && !r.Split
	free, remembered := w.free(r, has), w.mayBeRemembered(u, r)
	in := s.Verdict == login.Granted && remembered || s.Verdict == login.NotRequired && free
	until, exact := w.lockedUntil(u, has, r.Source())
	switch {
	case w.op.died, s.Verdict == login.Unavailable && w.diskFails():
		if setsUp {
			w.settle(u, u.rec, waiting(u, lost))
		}
		return
	case in && len(surplus) > 0:
		w.fail("%s is let in, and not asked whether %v are to end", u.name, surplus)
	case in:
		return
	case t.asks == takeOver && len(surplus) > 0 && (free || remembered):
		t.surplus = surplus
	case free || t.asks == takeOver || t.asks == acknowledgement:
		w.fail("%s is asked %d, and needs a code %t, and would end %v", u.name, t.asks, !free, surplus)
	case s.Verdict == login.Locked && exact && until.IsZero():
		w.fail("%s: %q is locked out, and no lock holds", u.name, r.Source())
	case s.Verdict == login.Locked:
		return
	case t.asks == nothing:
		w.fail("%s is not asked, and the verdict is %v", u.name, s.Verdict)
	case !until.IsZero():
		w.fail("%s: %q is locked until %s, and asked", u.name, r.Source(), stamp(until))
	case (t.asks == setupCode) != setsUp:
		w.fail("%s is asked %d, and to set up a second factor: %t", u.name, t.asks, setsUp)
	case setsUp:
		w.beginSetup(t, s, resumed)
	}
	if w.failure == nil {
		w.talks = append(w.talks, t)
	}
}

// waiting is a user's record with a set-up that waits.
func waiting(u *user, id string) record {
	r := u.rec.clone()
	if r.uid != u.uid {
		r = record{uid: u.uid}
	}
	r.pending = id
	return r
}

// beginSetup is that a login shows a key, or goes on with the set-up of one that it takes the place of.
func (w *World) beginSetup(t *talk, s login.Step, resumed *setup) {
	u := t.u
	w.op.acknowledged = true
	if resumed != nil && s.Resume == resumed.id {
		if t.setup = resumed; u.has().pending != resumed.id {
			w.fail("%s goes on with a set-up that does not wait", u.name)
		}
		w.settle(u, u.rec)
		return
	}
	if t.setup = w.shown(u, s); t.setup != nil {
		w.op.durable = true
		w.settle(u, waiting(u, t.setup.id))
	}
}

// say gives an answer, and takes the talk for over where nothing is asked any more.
func (w *World) say(t *talk, answer string) (s login.Step) {
	w.op.steps = w.disk.Steps()
	w.as(t.p, func() { s = t.l.Answer(answer) })
	t.asks = questionOf(s)
	w.note("%s answers %s: asked %d, %v %s, died %t", t.u.name, answer, t.asks, s.Verdict, stamp(s.Until), w.op.died)
	t.prompts++
	if s.Ask == nil || w.op.died {
		return s
	}
	if t.prompts >= w.attempts && (t.asks == aCode || t.asks == setupCode) {
		w.fail("%s is asked more than %d times", t.u.name, w.attempts)
	}
	w.talks = append(w.talks, t)
	return s
}

// answer goes on with a dialogue: by its owner's answer, or by somebody who guesses.
func (w *World) answer() {
	if len(w.talks) == 0 {
		return
	}
	i := len(w.talks) - 1
	if w.chance(50) {
		i = w.rng.IntN(len(w.talks))
	}
	t := w.talks[i]
	w.talks = append(w.talks[:i], w.talks[i+1:]...)
	old := t.p.keyless || t.p.ledger == nil && t.parsed != w.parsed // a Go half keeps the policy that it has read
	lives := !t.p.dead && (t.p == w.daemon || w.daemon == nil) && !old && t.u.exists && t.r.UID == t.u.uid
	switch {
	case t.asks == aCode:
		w.answerCode(t, lives)
	case !lives:
		w.resume(t)
	case t.asks == setupCode:
		w.answerSetup(t)
	case t.asks == acknowledgement:
		w.acknowledge(t)
	case t.asks == takeOver:
		w.answerTakeOver(t)
	}
}

// resume is that the module begins a login again whose verifier has gone away in the middle.
func (w *World) resume(t *talk) {
	if !t.u.exists {
		return
	}
	r := t.r
	r.UID, r.Known = t.u.uid, false
	if t.setup != nil {
		r.Resume = t.setup.id
	}
	w.tally["resumed"]++
	w.converse(w.verifier(), t.u, r, t.setup)
}

// answerCode is a code, right or wrong.
func (w *World) answerCode(t *talk, lives bool) {
	u := t.u
	code, _ := w.types(u)
	if w.chance(30) {
		code = w.guess(u)
	}
	w.saw(u, code)
	if t.r.Split {
		code = w.password() + code
	}
	if !lives {
		t.r.UID, t.r.Known = u.uid, false
		w.verify(u, t.r, code) // the module begins again, and gives the answer that it has
		return
	}
	has, surplus := u.has(), w.toEnd(u, t.r)
	s := w.say(t, code)
	if !has.enrolled() {
		if s.Verdict == login.Granted || t.asks == takeOver {
			w.fail("%s has no second factor any more, and gets in", u.name)
		}
		has = record{uid: u.uid}
	}
	if t.asks == takeOver && !w.op.died {
		if len(surplus) == 0 {
			w.fail("%s is asked to take over, and nothing need end", u.name)
		}
		t.surplus, s.Verdict = surplus, login.Granted
	} else if s.Verdict == login.Granted && len(surplus) > 0 {
		w.fail("%s is let in, and not asked whether %v are to end", u.name, surplus)
	}
	if in := w.check(u, t.r, has, code, s, false); in && t.asks == nothing && isSession(t.r.Service) && w.chance(50) {
		w.begin(u, t.r)
	}
}

// acknowledge ends a login that has set up a second factor.
func (w *World) acknowledge(t *talk) {
	surplus := w.toEnd(t.u, t.r)
	s := w.say(t, "")
	switch {
	case w.op.died, s.Verdict == login.Unavailable && w.diskFails():
	case t.asks == takeOver && len(surplus) > 0:
		t.surplus = surplus
	case t.asks == nothing && s.Verdict == login.Granted && len(surplus) == 0:
		if isSession(t.r.Service) {
			w.begin(t.u, t.r)
		}
	default:
		w.fail("%s has set up a second factor, and is asked %d, %v; %v would have to end", t.u.name, t.asks, s.Verdict, surplus)
	}
}
