package login

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/policy"
)

func right() clock.State {
	return clock.State{Estimate: clock.Estimate{Source: clock.Chrony, Error: time.Millisecond, At: noon}}
}

func slow() clock.State {
	return clock.State{
		Estimate: clock.Estimate{Source: clock.Chrony, Offset: -42 * time.Second, Error: time.Millisecond, At: noon},
		Bad:      true, Since: noon.Add(-time.Hour), Mend: "chronyc makestep",
	}
}

// TestPhoneThatIsWrong logs in with the code of the step before, at the end of this one: that phone is slow.
func TestPhoneThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		clock clock.State
		steps int64
		after time.Duration
		want  string
	}{
		{"slow", right(), -1, 29 * time.Second, "Your phone's clock is about 34 s slow. Have it set by the network, or run: sallyportctl resync"},
		{"fast", right(), 1, 0, "Your phone's clock is about 56 s fast."},
		{"right", right(), 0, 15 * time.Second, ""},
		{"typed slowly", right(), -1, 10 * time.Second, ""},
		{"nobody knows whose clock it is", clock.State{}, -1, 29 * time.Second, ""},
		{"it is the server's", slow(), -1, 29 * time.Second, ""},
	} {
		p := enrolledPerson(t)
		p.enrolWithRecovery() // else it is told that none are left
		p.Now, p.Clock = noon.Add(c.after), c.clock
		s := p.login(p.code(c.steps))
		p.want(c.name, s, Granted)
		if got := told(s); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: told %q, want %q", c.name, got, c.want)
		}
		phone := p.Account.Phone
		if phone == nil || phone.Step != p.Record.Tokens[0].Key.Step(p.Now)+c.steps || !phone.At.Equal(p.Now) {
			t.Errorf("%s: the ledger knows %+v", c.name, phone)
		}
	}
	p := enrolledPerson(t)
	p.enrolWithRecovery()
	p.Clock = right()
	p.Record.Tokens[0].Offset = -2
	p.Now = noon.Add(29 * time.Second)
	if s := p.login(p.code(-2)); s.Verdict != Granted || len(told(s)) > 0 {
		t.Errorf("a phone that was resynchronised: %v, told %q", s.Verdict, told(s))
	}
}

// TestWhoIsToldOfTheClock shows the warning in each way to log in, and that nobody else sees it.
func TestWhoIsToldOfTheClock(t *testing.T) {
	const warning = "This server's clock is 42 s slow, since "
	ways := map[string]func(p *person) Step{
		"a code": func(p *person) Step { return p.login(p.code(0)) },
		"a remembered source": func(p *person) Step {
			p.Decision.Remember = time.Hour
			p.Account.Accept(p.req.Service, p.req.Source(), p.Now)
			return p.login()
		},
		"no code needed":    func(p *person) Step { p.Record = nil; return p.login() },
		"the account phase": func(p *person) Step { p.Record = nil; return Account(p.req, &p.Facts) },
	}
	for name, login := range ways {
		for _, c := range []struct {
			notify bool
			clock  clock.State
			want   bool
		}{{true, slow(), true}, {false, slow(), false}, {true, right(), false}, {true, clock.State{}, false}} {
			p := enrolledPerson(t)
			p.Notify, p.Clock = func() bool { return c.notify }, c.clock
			s := login(p)
			if s.Verdict != Granted && s.Verdict != NotRequired {
				t.Fatalf("%s: %v", name, s.Verdict)
			}
			if got := strings.Contains(told(s), warning) && strings.Contains(told(s), "chronyc makestep"); got != c.want {
				t.Errorf("%s, notify %v, wrong %v: told %q", name, c.notify, c.clock.Bad, told(s))
			}
		}
	}
}

// TestSetupWithWrongClocks gives the first code of a set-up from another time: the refusal says how far the clocks are
// apart, and the code is not accepted.
func TestSetupWithWrongClocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		clock clock.State
		steps int64
		want  string
	}{
		{"ahead", right(), 84, "If you typed it as your phone showed it, the phone's clock is 42 minutes ahead of this server's. Have the phone's clock set"},
		{"behind", right(), -84, "the phone's clock is 42 minutes behind this server's. Have the phone's clock set"},
		{"nobody knows whose", clock.State{}, 84, "42 minutes ahead of this server's. Have both clocks set"},
		{"twelve hours", right(), 1440, "12 hours ahead"},
		{"more than that", right(), 1500, "The security code is invalid."},
		{"the server is known to be wrong", slow(), 84, `The security code is invalid. This server's clock is 42 s slow. Have the administrator run "chronyc makestep", then try again.`},
	} {
		p := newPerson(t, policy.RequireEnroll)
		d, k := setUp(t, p)
		p.Clock = c.clock
		s := d.Answer(&p.Facts, p.codeOf(k, c.steps))
		p.want(c.name, s, Pending)
		got := told(s)
		if !strings.HasPrefix(got, "The security code is invalid.") || !strings.Contains(got, c.want) {
			t.Errorf("%s: told %q, want %q", c.name, got, c.want)
		}
		if p.Enrolled() {
			t.Errorf("%s: enrolled by the code of another time", c.name)
		}
	}
}
