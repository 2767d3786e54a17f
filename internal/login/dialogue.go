package login

import (
	"slices"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/enroll"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
)

type state int

const (
	fresh state = iota
	wantCode
	wantSetupCode
	wantAcknowledgement
	wantTakeOver
	over
)

// Dialogue is one login from its first step to its verdict.
type Dialogue struct {
	req     Request
	state   state
	prompts int    // prompts answered
	setup   string // the pending set-up's ID
	last    string // what who gets in is told of the login before

	// With wantTakeOver: what was decided already, and the sessions that are asked about.
	verdict Verdict
	events  []audit.Event
	excess  []string
}

// New begins a login.
func New(r Request) *Dialogue { return &Dialogue{req: r} }

// Over reports whether the verdict has been given.
func (d *Dialogue) Over() bool { return d.state == over }

// Begin is the first step. What the policy has to say comes above its prompt, once.
func (d *Dialogue) Begin(f *Facts) Step {
	if f.Sessions.Counted && d.canAsk() {
		d.last = lastLogin(f)
	}
	s := d.finish(d.takeOver(f, d.begin(f)))
	if s.Ask != nil && f.Decision.Message != "" && !d.req.Program && d.req.Resume == "" {
		s.Tell = slices.Insert(s.Tell, 0, Message{Text: f.Decision.Message})
	}
	s.refused(f)
	return d.spoken(s)
}

func (d *Dialogue) begin(f *Facts) Step {
	if s, done := d.exempt(f); done {
		return s
	}
	if f.remembered(d.req) {
		return d.grant(f, "remembered source")
	}
	if until := LockedUntil(d.req, f); !until.IsZero() {
		return locked(f.Now, until, []audit.Event{lockEvent(d.req, until)})
	}
	if d.lacksSetup(f) && d.canAsk() {
		return d.beginSetup(f)
	}
	d.state = wantCode
	if d.req.Split {
		return ask(PromptSplit, false)
	}
	s := ask(f.prompt(), false)
	if d.req.Silent && d.lacksSetup(f) {
		s.tellError(textSetupElsewhere)
	}
	return s
}

// spoken puts what a silent host would not show in front of the prompt, which it does show: sudo is always silent.
func (d *Dialogue) spoken(s Step) Step {
	if d.req.Silent && s.Ask != nil {
		for _, m := range slices.Backward(s.Tell) {
			s.Ask.Text = m.Text + " " + s.Ask.Text
		}
		s.Tell = nil
	}
	return s
}

// exempt answers a login that needs no code.
func (d *Dialogue) exempt(f *Facts) (Step, bool) {
	if !notRequired(d.req, f) {
		return Step{}, false
	}
	s := end(NotRequired)
	s.Events = []audit.Event{d.req.Event(audit.LoginNotRequired)}
	if reminding(f) {
		s.tell(reminder(f.Decision.Until))
	}
	s.notify(f)
	return s, true
}

// notRequired is the one place that says who needs no code. An unknown user is judged as one who is not enrolled, so
// that the prompts tell nobody which names exist.
func notRequired(r Request, f *Facts) bool {
	switch f.Decision.Require {
	case policy.RequireNever:
		return true
	case policy.RequireIfEnrolled:
		return !f.Enrolled()
	case policy.RequireEnroll:
		return reminding(f)
	default:
		return false
	}
}

// reminding reports whether a set-up is due later, and optional until then.
func reminding(f *Facts) bool {
	return f.Decision.Require == policy.RequireEnroll && !f.Enrolled() && f.Now.Before(f.Decision.Until)
}

// lacksSetup reports whether the login needs a second factor that its user has not set up.
func (d *Dialogue) lacksSetup(f *Facts) bool {
	return f.Decision.Require == policy.RequireEnroll && !f.Enrolled() && d.req.Known
}

// canAsk reports whether somebody reads what this login says, and can answer more than one question.
func (d *Dialogue) canAsk() bool {
	return !d.req.Split && !d.req.Program && !d.req.Self && !d.req.Silent
}

// Answer is the step after something was typed.
func (d *Dialogue) Answer(f *Facts, answer string) Step {
	var s Step
	if d.state == wantTakeOver {
		s = d.answerTakeOver(f, answer)
	} else {
		s = d.takeOver(f, d.answer(f, answer))
	}
	s.refused(f)
	return d.spoken(d.finish(s))
}

func (d *Dialogue) answer(f *Facts, answer string) Step {
	if f.Decision.Require == policy.RequireNever { // since the dialogue began
		s, _ := d.exempt(f)
		return s
	}
	d.prompts++
	switch d.state {
	case wantCode:
		if d.req.Split {
			return d.answerSplit(f, answer)
		}
		return d.answerCode(f, answer)
	case wantSetupCode:
		return d.answerSetup(f, answer)
	case wantAcknowledgement:
		return d.grant(f, "second factor set up")
	default:
		return Refuse(Denied, "")
	}
}

func (d *Dialogue) answerCode(f *Facts, answer string) Step {
	p := Prove(d.req, f, answer)
	if p.Finding == Right {
		return d.accept(f, p)
	}
	s := d.refuse(f, p)
	if s.Verdict != Pending {
		return s
	}
	s.Ask = &Prompt{Text: f.prompt()}
	return s
}

// accept is the step for a right code.
func (d *Dialogue) accept(f *Facts, p Proof) Step {
	reason := "recovery code"
	if p.Recovery < 0 {
		reason = string(p.Token.Key.Kind)
	}
	s := d.grant(f, reason)
	s.SaveRecord, s.SaveAccount = p.SaveRecord, p.SaveAccount
	s.Events = append(p.Events, s.Events...)
	if p.Recovery >= 0 || len(f.Record.Recovery) == 0 {
		s.tell(recoveryLeft(len(f.Record.Recovery)))
	}
	if p.Recovery < 0 && p.Token.Key.Kind == otp.TOTP {
		if advice := f.Account.Phone.Advice(f.Clock); advice != "" {
			s.tell(advice)
		}
	}
	return s
}

func (d *Dialogue) grant(f *Facts, reason string) Step {
	s := end(Granted)
	s.notify(f)
	e := d.req.Event(audit.LoginAccepted)
	e.Reason = reason
	s.Events = []audit.Event{e}
	if d.last != "" {
		s.tell(d.last)
	}
	return s
}

// refuse is the step for an answer that was not a right code; its verdict is Pending where another try is left.
func (d *Dialogue) refuse(f *Facts, p Proof) Step {
	if !p.Locked.IsZero() {
		s := locked(f.Now, p.Locked, p.Events)
		s.Missed = p.Finding == Wrong
		s.SaveRecord, s.SaveAccount = p.SaveRecord, p.SaveAccount
		return s
	}
	s := end(Pending)
	s.Missed = p.Finding == Wrong
	s.SaveRecord, s.SaveAccount, s.Events = p.SaveRecord, p.SaveAccount, p.Events
	s.tellError(p.Finding.Text())
	if d.prompts >= f.Decision.Attempts || d.req.Program {
		s.Verdict = Denied
		if len(s.Events) == 0 {
			e := d.req.Event(audit.LoginDenied)
			e.Reason = p.Finding.reason()
			s.Events = append(s.Events, e)
		}
	}
	return s
}

func (d *Dialogue) beginSetup(f *Facts) Step {
	if p := f.pending(d.req.Resume); p {
		d.state, d.setup = wantSetupCode, d.req.Resume
		s := ask(PromptSetup, true)
		s.Resume = d.setup
		return s
	}
	rec, setup, err := enroll.Begin(f.Record, d.req.User, d.req.UID, enroll.Options{Issuer: f.Issuer()}, f.Now, f.Rand)
	if err != nil {
		return Refuse(Denied, TextSetupFailed)
	}
	f.Record = rec
	d.state, d.setup = wantSetupCode, setup.ID
	s := ask(PromptSetup, true)
	if d.req.overheard() {
		s.Ask.Text = setupPrompt(setup)
	} else if s.Tell, err = setupMessages(setup); err != nil {
		return Refuse(Denied, TextSetupFailed)
	}
	s.Resume, s.SaveRecord = setup.ID, true
	s.Events = []audit.Event{d.req.Event(audit.EnrollmentStarted)}
	return s
}

// pending reports whether id names a set-up that may still be confirmed.
func (f *Facts) pending(id string) bool {
	return id != "" && f.Record != nil && f.Record.Pending != nil && f.Record.Pending.ID == id && f.Now.Before(f.Record.Pending.Expires)
}

func (d *Dialogue) answerSetup(f *Facts, answer string) Step {
	done, err := enroll.Confirm(f.Record, f.Account, d.setup, answer, f.Decision.Window, f.Now, f.Rand)
	if err != nil {
		s := end(Pending)
		s.tellError(setupError(f, d.setup, answer, err))
		if d.prompts >= f.Decision.Attempts || !f.pending(d.setup) {
			s.Verdict = Denied
			e := d.req.Event(audit.LoginDenied)
			e.Reason = "the second factor was not set up"
			s.Events = []audit.Event{e}
			return s
		}
		s.Ask, s.Resume = &Prompt{Text: PromptSetup, Echo: true}, d.setup
		return s
	}
	f.Account.Accept(d.req.Service, d.req.Source(), f.Now)
	d.state = wantAcknowledgement
	s := ask(PromptAcknowledge, true)
	s.SaveRecord, s.SaveAccount = true, true
	if d.req.overheard() {
		s.Ask.Text = recoveryPrompt(done.Recovery)
	} else {
		s.Tell = recoveryMessages(done.Recovery)
	}
	e := d.req.Event(audit.Enrolled)
	e.Token = done.Token
	s.Events = []audit.Event{e}
	return s
}

// finish marks the dialogue as over when s is its last step.
func (d *Dialogue) finish(s Step) Step {
	if s.Ask == nil {
		d.state = over
	}
	return s
}

// locked is the verdict while, or as soon as, a lock holds.
func locked(now, until time.Time, events []audit.Event) Step {
	s := end(Locked)
	s.Until, s.Events = until, events
	s.tellError(LockedText(now, until))
	return s
}
