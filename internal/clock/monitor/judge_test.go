package monitor

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/otp"
)

// TestSaysItOnce has a clock go wrong and become right again: each is said once, and a clock that stays as it is makes
// no noise.
func TestSaysItOnce(t *testing.T) {
	h := newHost(t)
	ask := func(offset time.Duration) clock.State {
		h.say(clock.Chrony, offset)
		h.ask(context.Background())
		return h.State()
	}
	if s := ask(time.Millisecond); s.Bad || !s.Reliable() {
		t.Errorf("a right clock: %+v", s)
	}
	s := ask(-42 * time.Second)
	if !s.Bad || !s.Since.Equal(noon) || s.Mend != "chronyc makestep" {
		t.Errorf("42 s slow: %+v", s)
	}
	h.mu.Lock()
	h.now = noon.Add(time.Hour)
	h.mu.Unlock()
	for range 3 {
		s = ask(-42 * time.Second)
	}
	if !s.Since.Equal(noon) {
		t.Errorf("since %v, want the time at which it began", s.Since)
	}
	kinds, last := h.journal()
	for _, want := range []string{"clock wrong", "42 s slow", "since", "chronyc makestep"} {
		if !strings.Contains(last, want) {
			t.Errorf("the journal does not say %q: %s", want, last)
		}
	}
	if kinds != "clock-wrong" {
		t.Errorf("the journal has %s", kinds)
	}
	ask(4 * time.Second)
	ask(time.Second)
	if kinds, _ = h.journal(); kinds != "clock-wrong clock-right" {
		t.Errorf("the journal has %s", kinds)
	}
	if h.State().Bad || h.changed == 0 {
		t.Errorf("it is right, and the state is %+v; told %d times", h.State(), h.changed)
	}
}

// TestFlapping has the offset go to and fro around the limit.
func TestFlapping(t *testing.T) {
	h := newHost(t)
	for i := range 100 {
		h.say(clock.Chrony, time.Duration(4900+200*(i%2))*time.Millisecond)
		h.ask(context.Background())
	}
	kinds, _ := h.journal()
	if n := strings.Count(kinds, "clock-wrong"); n != 1 {
		t.Errorf("the journal is told %d times", n)
	}
}

// TestStaysWrong shows that a clock that was wrong is not right because that is no longer certain.
func TestStaysWrong(t *testing.T) {
	h := newHost(t)
	for _, c := range []struct {
		offset, most time.Duration
		want         bool
	}{{6 * time.Second, 7 * time.Second, false}, {8 * time.Second, time.Second, true}, {6 * time.Second, 7 * time.Second, true}, {4 * time.Second, 7 * time.Second, false}, {8 * time.Second, time.Second, true}, {6 * time.Second, 12 * time.Second, false}} {
		h.mu.Lock()
		h.says[clock.Chrony] = clock.Estimate{Source: clock.Chrony, Offset: c.offset, Error: c.most}
		h.mu.Unlock()
		h.ask(context.Background())
		if s := h.State(); s.Bad != c.want {
			t.Errorf("%v ± %v: wrong is %v, want %v", c.offset, c.most, s.Bad, c.want)
		}
	}
}

// TestJump sets a clock that was right: by how much it is wrong is known at once, and that it is right again, and which time it
// was set back.
func TestJump(t *testing.T) {
	for _, by := range []time.Duration{40 * time.Second, -40 * time.Second, 10 * time.Minute, -10 * time.Minute, 24 * time.Hour, -24 * time.Hour} {
		h := newHost(t)
		h.say(clock.Kernel, 0)
		h.run()
		h.eventually("the clock is right", func() bool { return h.State().Reliable() })
		h.set(by)
		h.jumped <- struct{}{}
		h.eventually("the jump is noticed", func() bool { return h.State().Bad })
		if s := h.State(); s.Offset != by || !s.Since.Equal(noon.Add(by)) {
			t.Errorf("set by %v: %+v", by, s)
		}
		if was := h.setBack(); was != (by < 0) {
			t.Errorf("set by %v: set back %t", by, was)
		}
		h.set(-by)
		h.jumped <- struct{}{}
		h.eventually("the clock is right again", func() bool { return !h.State().Bad })
		if was := h.setBack(); !was {
			t.Errorf("set by %v and back: set back %t", by, was)
		}
		if kinds, _ := h.journal(); kinds != "clock-jumped clock-wrong clock-jumped clock-right" {
			t.Errorf("set by %v: the journal has %s", by, kinds)
		}
	}
}

// TestPeopleWhoseCodesAreRefused has 20 people type right codes on a server whose clock is so wrong that it refuses
// them: it finds out by how much. And one who just guesses says nothing.
func TestPeopleWhoseCodesAreRefused(t *testing.T) {
	for _, wrong := range []time.Duration{10 * time.Minute, -10 * time.Minute, 24 * time.Hour, -24 * time.Hour} {
		h := newHost(t)
		h.run()
		r := rand.New(rand.NewPCG(7, uint64(wrong)))
		for i := range 20 {
			key := newKey(t)
			at := noon.Add(time.Duration(r.Int64N(int64(time.Hour))))
			delay := 5*time.Second + time.Duration(r.Int64N(int64(10*time.Second)))
			code, err := key.Code(key.Step(at.Add(-delay)))
			if err != nil {
				t.Fatal(err)
			}
			h.Refused(string(rune('a'+i)), []otp.Key{key}, code, clock.Sample{At: at.Add(wrong), Booted: h.started()})
		}
		h.mu.Lock()
		h.now = noon.Add(time.Hour + wrong)
		h.mu.Unlock()
		h.eventually("all codes are looked for", func() bool { _, n := h.people.estimate(h.clock(), h.started()); return n == 20 })
		h.eventually("the clock is known to be wrong", func() bool { s := h.State(); return s.Bad && strings.Contains(s.Detail, "of 20 ") })
		s := h.State()
		t.Logf("wrong by %v: %v ± %v", wrong, s.Offset, s.Error)
		if miss := (s.Offset - wrong).Abs(); miss > 5*time.Second || !s.Sure {
			t.Errorf("wrong by %v: %+v", wrong, s)
		}
		if text := s.Warning(); !strings.Contains(text, clock.Words(wrong)) {
			t.Errorf("wrong by %v: %q", wrong, text)
		}
	}
}

func newKey(t *testing.T) otp.Key {
	t.Helper()
	key, err := otp.Generate(random{}, otp.TOTP, otp.SHA1, 6, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// random is a source of keys that differ.
type random struct{}

func (random) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(rand.Uint32())
	}
	return len(p), nil
}

// TestBeginsWithTheLedger shows that what people said before the daemon started counts.
func TestBeginsWithTheLedger(t *testing.T) {
	h := newHost(t)
	h.samples = map[string]clock.Sample{}
	for i := range 5 {
		h.samples[string(rune('a'+i))] = clock.Sample{At: noon.Add(-time.Minute), Step: noon.Add(-10*time.Minute).Unix() / 30, Period: 30 * time.Second, Booted: h.started()}
	}
	h.run()
	h.eventually("the clock is known to be fast", func() bool { return h.State().Bad && h.State().Offset > 0 })
}

func TestKeepsHistory(t *testing.T) {
	h := newHost(t)
	h.keep()
	if len(h.points) != 0 {
		t.Errorf("nothing is known, and the history has %+v", h.points)
	}
	h.say(clock.Chrony, time.Second)
	h.ask(context.Background())
	h.keep()
	report, err := h.Report()
	if err != nil || len(report.History) != 1 || report.History[0].Offset != time.Second || report.Warn != 5*time.Second {
		t.Errorf("%+v, %v", report, err)
	}
	if n := len(report.Answers); n != 3 || report.Answers[n-1].Name != clock.Codes {
		t.Errorf("answers %+v", report.Answers)
	}
}
