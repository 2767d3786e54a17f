package login

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
)

func TestRightCodeIsGrantedOnce(t *testing.T) {
	p := enrolledPerson(t)
	s := p.login(p.code(0))
	p.want("right code", s, Granted)
	if !s.SaveAccount {
		t.Error("the used step is not to be saved")
	}
	p.want("the same code", p.login(p.code(0), p.code(0), p.code(0)), Denied)
	if got := told(p.login(p.code(0))); !strings.Contains(got, "used already") {
		t.Errorf("a replay is told %q", got)
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		steps int64
		want  Verdict
	}{{-2, Pending}, {-1, Granted}, {0, Granted}, {1, Granted}, {2, Pending}} {
		p := enrolledPerson(t)
		p.want("window 1", p.login(p.code(c.steps)), c.want)
		p = enrolledPerson(t)
		p.Decision.Window = 0
		if want := map[bool]Verdict{true: Granted, false: Pending}[c.steps == 0]; true {
			p.want("window 0", p.login(p.code(c.steps)), want)
		}
	}
}

func TestCodesAreUsedAcrossTheWindow(t *testing.T) {
	p := enrolledPerson(t)
	p.want("the next step's code", p.login(p.code(1)), Granted)
	p.want("an older one, not used", p.login(p.code(0)), Pending)
	p.Now = noon.Add(30 * time.Second)
	p.want("the same one a step later", p.login(p.code(0)), Pending)
	p.Now = noon.Add(60 * time.Second)
	p.want("a new one", p.login(p.code(0)), Granted)
}

func TestThreeAttempts(t *testing.T) {
	p := enrolledPerson(t)
	w := p.wrongCode()
	p.want("two wrong", p.login(w, w), Pending)
	p = enrolledPerson(t)
	w = p.wrongCode()
	p.want("three wrong", p.login(w, w, w), Denied)
	p = enrolledPerson(t)
	w = p.wrongCode()
	p.want("a right one at last", p.login(w, w, p.code(0)), Granted)
}

func TestLockHidesARightCode(t *testing.T) {
	p := enrolledPerson(t)
	w := p.wrongCode()
	p.login(w, w, w)
	s := p.login(w, w)
	p.want("the fifth wrong code", s, Locked)
	if !s.SaveRecord || !s.Until.Equal(noon.Add(5*time.Minute)) {
		t.Errorf("durable lock: %v, until %v", s.SaveRecord, s.Until)
	}
	p.want("while locked", p.login(), Locked)
	p.Now = noon.Add(5*time.Minute + time.Second)
	p.want("afterwards", p.login(p.code(0)), Granted)
}

// A dialogue that was open before the lock began must not be a way around it.
func TestLockEndsAnOpenDialogue(t *testing.T) {
	p := enrolledPerson(t)
	open := New(p.req)
	open.Begin(&p.Facts)
	w := p.wrongCode()
	p.login(w, w, w)
	p.login(w, w)
	p.want("a right code in an open dialogue", open.Answer(&p.Facts, p.code(0)), Locked)
	p.Now = noon.Add(6 * time.Minute)
	p.want("the code was not used up", p.login(p.code(-12+12)), Granted)
}

func TestDurableLockOutlivesTheLedger(t *testing.T) {
	p := enrolledPerson(t)
	w := p.wrongCode()
	p.login(w, w, w)
	p.login(w, w)
	p.Account = &ledger.Account{}
	p.want("with an empty ledger", p.login(), Locked)
	p.req.RHost = "198.51.100.9"
	p.want("from elsewhere", p.login(p.code(0)), Granted)
}

// A lock that was written under a clock weeks ahead holds nobody when that is set right; nor does it swallow the next one.
func TestDurableLockOfAClockThatRanAhead(t *testing.T) {
	p := enrolledPerson(t)
	lock := func(source string) {
		t.Helper()
		p.req.RHost = source
		for range p.Decision.Lockout.Failures {
			p.login(p.wrongCode())
		}
		p.want("after so many wrong codes", p.login(), Locked)
		p.Account = &ledger.Account{} // a power failure
	}
	p.Now = noon.Add(20 * 24 * time.Hour)
	lock("192.0.2.7")
	p.Now = noon
	p.want("when the clock is set right", p.login(), Pending)
	lock("192.0.2.8")
	p.want("after a power failure", p.login(), Locked)
}

func TestLockSparesKnownSources(t *testing.T) {
	p := enrolledPerson(t)
	p.want("the owner's login", p.login(p.code(0)), Granted)
	owner := p.req
	w := p.wrongCode()
	for i := range 7 { // three wrong codes each: 20 are too many for a day
		p.req.RHost = "198.51.100." + string(rune('0'+i))
		if i < 6 {
			p.login(w, w, w)
		} else {
			p.login(w, w)
		}
	}
	p.req.RHost = "203.0.113.1"
	p.want("a stranger after 20 wrong codes", p.login(), Locked)
	p.req = owner
	p.Now = noon.Add(time.Minute)
	p.want("the owner", p.login(p.code(0)), Granted)
}

func TestWhatCannotBeACodeBurnsNoAttempt(t *testing.T) {
	p := enrolledPerson(t)
	for range 20 {
		s := p.login("correct horse", "", "abcd-efgh-ijkl-mnop")
		p.want("passwords", s, Denied)
		if s.SaveAccount || s.SaveRecord {
			t.Fatal("something was counted")
		}
	}
	p.want("a right code", p.login(p.code(0)), Granted)
}

func TestRecoveryCodeWorksOnce(t *testing.T) {
	p := enrolledPerson(t)
	c := p.enrolWithRecovery()
	p.enrolWithRecovery()
	s := p.login(strings.ToLower(c))
	p.want("recovery code", s, Granted)
	if !s.SaveRecord || len(p.Record.Recovery) != 1 || !strings.Contains(told(s), "1 recovery code left") {
		t.Errorf("save %v, %d left, told %q", s.SaveRecord, len(p.Record.Recovery), told(s))
	}
	p.want("again", p.login(c), Pending)
}

// A scratch code of eight digits, as google-authenticator has them, works once. A wrong one is a guess: who could try
// them for nothing would find one.
func TestScratchCodeWorksOnce(t *testing.T) {
	p := enrolledPerson(t)
	p.enrolWithScratch("12345678")
	s := p.login("12345679")
	p.want("a wrong one", s, Pending)
	if n := len(p.Facts.Account.Wrong); n != 1 {
		t.Errorf("a wrong one counted as %d guesses, want 1", n)
	}
	s = p.login("12345678")
	p.want("the right one", s, Granted)
	if !s.SaveRecord || len(p.Record.Recovery) != 0 {
		t.Errorf("save %v, %d left", s.SaveRecord, len(p.Record.Recovery))
	}
	p.want("again", p.login("12345678"), Pending)
}

func TestHOTPCounterMoves(t *testing.T) {
	p := enrolledPerson(t, key(t, otp.HOTP, 6))
	c1, c3 := p.code(1), p.code(3)
	p.want("beyond the look-ahead", p.login(c3), Pending)
	s := p.login(c1)
	p.want("one press ahead", s, Granted)
	if !s.SaveRecord || p.Record.Tokens[0].Counter != 2 {
		t.Errorf("save %v, counter %d", s.SaveRecord, p.Record.Tokens[0].Counter)
	}
	for _, used := range []string{c1, p.code(0)} {
		s = p.login(used)
		p.want("the same again, and one before it", s, Pending)
		if s.SaveAccount || !strings.Contains(told(s), "used already") {
			t.Errorf("counted as a guess: %v, told %q", s.SaveAccount, told(s))
		}
	}
}

func TestAnyDeviceWillDo(t *testing.T) {
	p := enrolledPerson(t, totp(t), key(t, otp.TOTP, 8), key(t, otp.HOTP, 7))
	p.want("the first", p.login(p.tokenCode(0, 0)), Granted)
	p.want("the second, same step", p.login(p.tokenCode(1, 0)), Granted)
	p.want("the third", p.login(p.tokenCode(2, 0)), Granted)
}

func TestQuarantine(t *testing.T) {
	p := enrolledPerson(t)
	c := p.enrolWithRecovery()
	p.Quarantine = noon
	for _, steps := range []int64{-1, 0, 1} {
		s := p.login(p.code(steps))
		p.want("a code that may have been used", s, Pending)
		if !strings.Contains(told(s), "recovery code") || s.SaveAccount {
			t.Errorf("step %d: told %q, counted %v", steps, told(s), s.SaveAccount)
		}
	}
	p.want("a recovery code", p.login(c), Granted)
	p.Now = noon.Add(time.Minute)
	p.want("after the quarantine", p.login(p.code(0)), Granted)

	p = enrolledPerson(t)
	p.Quarantine = noon
	p.Account.Tokens = map[string]*ledger.TokenUse{p.Record.Tokens[0].ID: {Fresh: true}}
	p.want("a token set up under this ledger", p.login(p.code(0)), Granted)
}

func TestRemembered(t *testing.T) {
	p := enrolledPerson(t)
	p.Decision.Remember = 12 * time.Hour
	p.want("with a code", p.login(p.code(0)), Granted)
	p.Now = noon.Add(11 * time.Hour)
	p.want("the same source", p.login(), Granted)
	p.req.Service = "sudo"
	p.want("another service", p.login(), Pending)
	p.req.Service = "sshd"
	p.req.RHost = "198.51.100.9"
	p.want("another source", p.login(), Pending)
	p.req.RHost = "192.0.2.7"
	p.req.Self = true
	p.want("on the user's own word", p.login(), Pending)
	p.req.Self = false
	p.Decision.Remember = 0
	p.want("with a policy that drops it", p.login(), Pending)
	p.Decision.Remember = 12 * time.Hour
	p.Now = noon.Add(12*time.Hour + time.Second)
	p.want("too late", p.login(), Pending)
	p.Now = noon.Add(-time.Hour)
	p.want("with the clock set back", p.login(), Pending)
}

// What was remembered under other rules does not count.
func TestRememberedBeforeTheRules(t *testing.T) {
	p := enrolledPerson(t)
	p.Decision.Remember = 12 * time.Hour
	p.want("with a code", p.login(p.code(0)), Granted)
	p.Now = noon.Add(time.Hour)
	p.Account.Under(1)
	p.want("under new rules", p.login(), Pending)
	p.want("a key login under new rules", Account(p.req, &p.Facts), AccountRefused)
	p.want("with a code again", p.login(p.code(0)), Granted)
	p.want("the new rules remember", p.login(), Granted)
}

// A remembered source of somebody who is no longer enrolled is nothing.
func TestRememberedNeedsEnrolment(t *testing.T) {
	p := enrolledPerson(t)
	p.Decision.Remember = 12 * time.Hour
	p.Decision.Require = "always"
	p.want("with a code", p.login(p.code(0)), Granted)
	p.Record = nil
	p.want("after disable", p.login(), Pending)
}

func TestEventsNameNoAnswer(t *testing.T) {
	p := enrolledPerson(t)
	w := p.wrongCode()
	for _, answer := range []string{w, "hunter2secret", p.code(0)} {
		s := p.login(answer)
		for _, e := range s.Events {
			if strings.Contains(e.Message(), answer) {
				t.Errorf("%s: the journal would hold the answer", e.Kind)
			}
		}
		if strings.Contains(told(s), answer) {
			t.Errorf("the answer comes back: %q", told(s))
		}
	}
	if s := p.login(w); s.Events[0].Kind != audit.LoginDenied {
		t.Errorf("a wrong code is %v", s.Events[0].Kind)
	}
}

// sshd answers for a user who does not exist with what cannot be a code; the lock comes as it does for one who does.
func TestLockTellsNoNames(t *testing.T) {
	p := newPerson(t, policy.RequireAlways)
	p.req.Known = false
	const sshd = "\b\n\r\177IN" // for a code of six digits
	p.want("three", p.login(sshd, sshd, sshd), Denied)
	p.want("two more", p.login(sshd, sshd), Locked)
}

// What cannot be a code burns no attempt of anybody, also of who does not exist, whether sshd hides it or not.
func TestNoCodeLocksNobody(t *testing.T) {
	for _, answer := range []string{"correct horse", "", "\b\n\r\177INCORRECT", "\b\n\r\177INCOR", "\b\n\r\177I", "hunter2"} {
		for name, p := range everybody(t) {
			for range 10 {
				p.want(name+", "+strconv.Quote(answer), p.login(answer, answer, answer), Denied)
			}
			if len(p.Account.Sources) != 0 {
				t.Errorf("%s, %q: it was counted", name, answer)
			}
		}
	}
}

func TestSwitchedOffInTheMiddle(t *testing.T) {
	p := enrolledPerson(t)
	d := New(p.req)
	d.Begin(&p.Facts)
	p.Decision.Require = policy.RequireNever
	s := d.Answer(&p.Facts, p.wrongCode())
	p.want("an answer", s, NotRequired)
	if s.SaveAccount {
		t.Error("it was counted")
	}
}

// Once in a million codes two steps of a window share one. Whoever sees it used must not get in by the other step.
func TestTwoStepsWithOneCode(t *testing.T) {
	for _, kind := range []otp.Kind{otp.TOTP, otp.HOTP} {
		p := enrolledPerson(t, key(t, kind, 6))
		tok := &p.Record.Tokens[0]
		p.Decision.Window = 10
		at := int64(-1) // the first of two such steps
		seen := map[string]int64{}
		for n := int64(0); at < 0; n++ {
			code, err := tok.Key.Code(n)
			if err != nil {
				t.Fatal(err)
			}
			if before, ok := seen[code]; ok && n-before <= 10 {
				at = before
			}
			seen[code] = n
		}
		p.Now, tok.Counter = time.Unix(at*30, 0), at
		code, err := tok.Key.Code(at)
		if err != nil {
			t.Fatal(err)
		}
		p.want("the first time", p.login(code), Granted)
		p.want("the second time", p.login(code), Pending)
	}
}
