package login

import (
	"testing"
	"time"

	"sallyport/internal/policy"
)

// TestPolicyTexts: the policy's texts stand where they belong, and nowhere else.
func TestPolicyTexts(t *testing.T) {
	fresh := func() *person {
		p := enrolledPerson(t)
		p.Decision.Prompt, p.Decision.Message, p.Decision.Refused = "PIN: ", "Codes come from the app.", "Call Ann."
		return p
	}
	wantTold := func(what string, s Step, told_, asked string) {
		t.Helper()
		if got := told(s); got != told_ {
			t.Errorf("%s: told %q, want %q", what, got, told_)
		}
		if got := s.Ask; got == nil && asked != "" || got != nil && got.Text != asked {
			t.Errorf("%s: asked %+v, want %q", what, got, asked)
		}
	}
	p := fresh()
	wantTold("the first prompt", p.login(), "Codes come from the app.", "PIN: ")
	wantTold("the second", p.login(p.wrongCode()), "The code is wrong.", "PIN: ")
	wantTold("the end", p.login(p.wrongCode(), p.wrongCode(), p.wrongCode()), "The code is wrong.\nCall Ann.", "")
	p = fresh()
	wantTold("a right code", p.login(p.code(0)), "You have 0 recovery codes left. New ones: sallyportctl recovery-codes", "")
	p = fresh()
	p.Decision.Lockout.Failures = 1
	wantTold("locked by it", p.login(p.wrongCode()), "Too many wrong codes. Try again in 5 minutes.\nCall Ann.", "")
	wantTold("locked", p.login(), "Too many wrong codes. Try again in 5 minutes.\nCall Ann.", "")
	p = fresh()
	p.Decision.Require = policy.RequireNever
	wantTold("not asked", p.login(), "", "")
	p = fresh()
	p.req.Silent = true
	wantTold("silent", p.login(), "", "Codes come from the app. PIN: ")
	wantTold("silent, again", p.login(p.wrongCode()), "", "The code is wrong. PIN: ")
	p.Record, p.Decision.Require = nil, policy.RequireEnroll
	wantTold("silent, to set up", p.login(), "", "Codes come from the app. "+textSetupElsewhere+" PIN: ")
	p = fresh()
	p.req.Program = true
	wantTold("a program", p.login(), "", "PIN: ")
	wantTold("a program's wrong code", p.login(p.wrongCode()), "The code is wrong.\nCall Ann.", "")
	p = fresh()
	p.req.Split = true
	wantTold("split", p.login(), "Codes come from the app.", PromptSplit)
	p = fresh()
	wantTold("a key login", Account(p.req, &p.Facts), accountAdvice(p.req, &p.Facts)+"\nCall Ann.", "")
	p = newPerson(t, policy.RequireEnroll)
	p.Decision.Message, p.Decision.Until = "Codes come from the app.", time.Time{}
	if s := p.login(); s.Ask == nil || s.Ask.Text != PromptSetup || s.Tell[0].Text != "Codes come from the app." || len(s.Tell) < 20 {
		t.Errorf("set-up: asked %+v, told %q", s.Ask, told(s))
	}
}

// TestPolicyTextsFit: the longest that the policy takes, all at once, are one message of PAM's.
func TestPolicyTextsFit(t *testing.T) {
	long := func(n int) string { return string(make([]byte, n)) }
	p := newPerson(t, policy.RequireEnroll)
	p.req.Silent = true
	p.Decision.Message, p.Decision.Prompt = long(240), long(81)
	if s := p.login(); len(s.Ask.Text) > 511 {
		t.Errorf("%d bytes are asked at once", len(s.Ask.Text))
	}
}
