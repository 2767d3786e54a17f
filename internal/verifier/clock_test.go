package verifier

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/otp"
)

// watch is a Clock that keeps what it is told.
type watch struct {
	mu       sync.Mutex
	state    clock.State
	accepted map[string]clock.Sample
	refused  map[string]string // code by user
}

func (w *watch) State() clock.State { w.mu.Lock(); defer w.mu.Unlock(); return w.state }

func (w *watch) Accepted(user string, s clock.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted[user] = s
}

func (w *watch) Refused(user string, keys []otp.Key, code string, s clock.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused[user] = code
}

func newWatchedHost(t *testing.T, policyText string) (*host, *watch) {
	t.Helper()
	h := newHost(t, policyText)
	w := &watch{accepted: map[string]clock.Sample{}, refused: map[string]string{}}
	h.v.Clock = w
	h.v.Booted = func() time.Time { return noon.Add(-time.Hour) }
	return h, w
}

// TestWhatTheClockIsTold shows that right codes and wrong ones reach who watches the clock, and used ones and passwords
// do not.
func TestWhatTheClockIsTold(t *testing.T) {
	h, w := newWatchedHost(t, "")
	alice := h.enroll("alice", enroll.Options{}).later()
	code := alice.code(0)
	h.want("right", h.verify("alice", code), login.Granted)
	s := w.accepted["alice"]
	if s.Step != alice.key.Step(h.clock()) || s.Period != 30*time.Second || !s.At.Equal(h.clock()) || !s.Booted.Equal(noon.Add(-time.Hour)) {
		t.Errorf("accepted %+v", s)
	}
	for _, answer := range []string{code, "correct horse", "ABCD-EFGH-IJKL-MNOP"} {
		h.verify("alice", answer)
	}
	if len(w.refused) > 0 {
		t.Errorf("refused %v", w.refused)
	}
	later := alice.code(40)
	h.want("of another time", h.verify("alice", later), login.Denied)
	h.verify("bob", "123456")
	if w.refused["alice"] != later || len(w.refused) != 1 {
		t.Errorf("refused %v", w.refused)
	}
	samples, err := h.ledger.Samples()
	if err != nil || samples["alice"] != s {
		t.Errorf("the ledger has %+v, %v", samples, err)
	}
}

// TestNotify shows who is told of a wrong clock, and that a user database that does not answer stops no login for that.
func TestNotify(t *testing.T) {
	h, w := newWatchedHost(t, "[clock]\nnotify = [\"@bob\"]\n")
	for _, name := range []string{"alice", "bob"} {
		p := h.enroll(name, enroll.Options{}).later()
		w.state = clock.State{Estimate: clock.Estimate{Source: clock.Chrony, Offset: -42 * time.Second, At: noon}, Bad: true, Since: noon, Mend: "chronyc makestep"}
		s := h.verify(name, p.code(0))
		h.want(name, s, login.Granted)
		if told := fmt.Sprint(s.Tell); strings.Contains(told, "42 s slow") != (name == "bob") {
			t.Errorf("%s is told %s", name, told)
		}
	}
}

// TestConfirmSaysHowFarTheClocksAreApart goes by the same way as sallyportctl.
func TestConfirmSaysHowFarTheClocksAreApart(t *testing.T) {
	h, _ := newWatchedHost(t, "")
	s, err := h.v.Enroll("alice", enroll.Options{}, Proof{})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{h: h, name: "alice", key: s.URI.Key}
	_, err = h.v.Confirm("alice", s.ID, p.code(84), "")
	if !errors.Is(err, enroll.ErrCode) || !strings.Contains(err.Error(), "42 minutes ahead of this server's") {
		t.Errorf("%v", err)
	}
	if st, err := h.v.Status("alice"); err != nil || st.Enrolled {
		t.Errorf("enrolled: %v, %v", st.Enrolled, err)
	}
}

// TestCrowdOnAWrongClock sets the server's clock wrong and has 20 people log in, each typing for 5 to 15 seconds and up
// to three times, then sets it right: what their codes say is right within 5 seconds, nobody is locked out, and no code
// is taken twice.
func TestCrowdOnAWrongClock(t *testing.T) {
	for _, wrong := range []time.Duration{40 * time.Second, -40 * time.Second, 10 * time.Minute, -10 * time.Minute, 24 * time.Hour, -24 * time.Hour} {
		t.Run(wrong.String(), func(t *testing.T) {
			h, w := newWatchedHost(t, "")
			set := time.Duration(0)
			h.v.Booted = func() time.Time { return noon.Add(set - time.Hour) }
			var people []*person
			for i := range 20 {
				name := fmt.Sprintf("user%d", i)
				h.users[name] = uint32(2000 + i)
				people = append(people, h.enroll(name, enroll.Options{}))
			}
			r := rand.New(rand.NewPCG(11, uint64(wrong)))
			truth := noon.Add(time.Hour)
			samples := map[string][]clock.Sample{}
			used := map[string]string{}
			set = wrong
			for _, p := range people {
				for range 3 {
					truth = truth.Add(30*time.Second + time.Duration(r.Int64N(int64(30*time.Second))))
					code := p.typed(r, truth)
					h.at(truth.Add(wrong))
					granted := h.verify(p.name, code).Verdict == login.Granted
					if w.refused[p.name] == code { // what the daemon's search finds
						here := p.key.Step(h.clock())
						for _, step := range p.key.Matches(code, here-3000, here+3000) {
							samples[p.name] = append(samples[p.name], clock.Sample{At: h.clock(), Step: step, Period: p.key.Period, Booted: h.v.Booted()})
						}
					}
					if granted {
						samples[p.name], used[p.name] = append(samples[p.name], w.accepted[p.name]), code
						break
					}
				}
			}
			var all [][]clock.Sample
			for _, s := range samples {
				all = append(all, s)
			}
			e := clock.Crowd(all, h.clock(), h.v.Booted())
			t.Logf("wrong by %v: %v ± %v", wrong, e.Offset, e.Error)
			if miss := (e.Offset - wrong).Abs(); !e.Sure || miss > 5*time.Second {
				t.Errorf("the codes say %+v", e)
			}
			set = 0
			for _, p := range people {
				if code := used[p.name]; code != "" {
					h.at(truth)
					if s := h.verify(p.name, code); s.Verdict == login.Granted {
						t.Errorf("%s: a used code is taken again when the clock is right", p.name)
					}
				}
				truth = truth.Add(2 * time.Minute)
				code := p.typed(r, truth)
				h.at(truth)
				h.want(p.name+" with the clock set right", h.verify(p.name, code), login.Granted)
			}
		})
	}
}

// typed is the code that a person who needs 5 to 15 s to type it has looked at, by a phone that is right.
func (p *person) typed(r *rand.Rand, arrives time.Time) string {
	p.h.t.Helper()
	delay := 5*time.Second + time.Duration(r.Int64N(int64(10*time.Second)))
	code, err := p.key.Code(p.key.Step(arrives.Add(-delay)))
	if err != nil {
		p.h.t.Fatal(err)
	}
	return code
}
