package simulate

import (
	"slices"
	"time"
)

// guesses is the wrong codes of one user, by the rules of DESIGN §2.3, §5 and of the policy's manual: plain lists, with no
// bounds and no storage.
type guesses struct {
	wrong   []time.Time
	sources map[string]*tries
	known   []known // sources of right codes, oldest first
}

type tries struct {
	count       int
	first, last time.Time
	locks       int
	until       time.Time
	today       int
	since       time.Time
}

type known struct {
	service, source string
	at              time.Time
	seq             int // of the world's steps
}

type limits struct {
	failures      int
	within        time.Duration
	lock, lockMax time.Duration
	userFailures  int
}

const (
	day   = 24 * time.Hour
	month = 30 * day
)

func newGuesses() *guesses { return &guesses{sources: map[string]*tries{}} }

func (g *guesses) clone() *guesses {
	c := &guesses{wrong: slices.Clone(g.wrong), known: slices.Clone(g.known), sources: map[string]*tries{}}
	for name, s := range g.sources {
		copied := *s
		c.sources[name] = &copied
	}
	return c
}

func (g *guesses) forgive() { g.wrong, g.sources = nil, map[string]*tries{} }

// ahead reports whether something lies in the future.
func (g *guesses) ahead(now time.Time) bool {
	for _, s := range g.sources {
		if s.last.After(now) {
			return true
		}
	}
	return slices.ContainsFunc(g.wrong, func(t time.Time) bool { return t.After(now) })
}

// correct has what lies in the future happen now.
func (g *guesses) correct(now time.Time) {
	for i, t := range g.wrong {
		if t.After(now) {
			g.wrong[i] = now
		}
	}
	for _, s := range g.sources {
		if ahead := s.last.Sub(now); ahead > 0 {
			s.last = now
			if !s.until.IsZero() {
				s.until = s.until.Add(-ahead)
			}
		}
		if s.first.After(now) {
			s.first = now
		}
		if s.since.After(now) {
			s.since = now
		}
	}
}

func (g *guesses) fail(source string, now time.Time, lim limits) {
	g.correct(now)
	g.wrong = append(g.wrong, now)
	s := g.sources[source]
	if s == nil {
		s = &tries{last: now}
		g.sources[source] = s
	}
	active := s.last
	if s.until.After(active) {
		active = s.until
	}
	if now.Sub(active) >= lim.lockMax {
		s.locks = 0
	}
	if s.count == 0 || now.Sub(s.first) >= lim.within {
		s.count, s.first = 0, now
	}
	if s.todays(now) == 0 {
		s.today, s.since = 0, now
	}
	s.count++
	s.today++
	s.last = now
	if s.count >= lim.failures {
		d := lim.lock
		for range s.locks {
			d = min(2*d, lim.lockMax)
		}
		s.until = now.Add(min(d, lim.lockMax))
		s.locks, s.count = s.locks+1, 0
	}
}

func (s *tries) todays(now time.Time) int {
	if age := now.Sub(s.since); age < 0 || age >= day {
		return 0
	}
	return s.today
}

func (g *guesses) accept(service, source string, now time.Time, seq int) {
	g.correct(now)
	if s := g.sources[source]; s != nil {
		s.count, s.locks, s.until = 0, 0, time.Time{}
	}
	g.known = slices.DeleteFunc(g.known, func(k known) bool { return k.service == service && k.source == source })
	g.known = append(g.known, known{service, source, now, seq})
}

// forget is that no login is remembered; the sources stay known.
func (g *guesses) forget() {
	old := g.known
	g.known = nil
	for _, k := range old {
		g.known = slices.DeleteFunc(g.known, func(o known) bool { return o.source == k.source })
		g.known = append(g.known, known{"", k.source, k.at, k.seq})
	}
}

func (g *guesses) knows(source string, now time.Time) bool {
	return slices.ContainsFunc(g.known, func(k known) bool {
		age := now.Sub(k.at)
		return k.source == source && age >= 0 && age < month
	})
}

// lockedUntil is the end of the locks that hold for the source; zero: none does.
func (g *guesses) lockedUntil(source string, now time.Time, lim limits, isKnown bool) time.Time {
	g = g.clone()
	g.correct(now) // which counts only once it is stored
	var until time.Time
	s := g.sources[source]
	if s != nil {
		until = s.until
		if most := s.last.Add(lim.lockMax); until.After(most) {
			until = most
		}
	}
	if !isKnown || s != nil && s.todays(now) >= lim.failures {
		if n := len(g.wrong) - lim.userFailures; n >= 0 && g.wrong[n].Add(day).After(until) {
			until = g.wrong[n].Add(day)
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// tidy drops what is too old to count, as the daemon does before it saves. It matters where the clock is set back afterwards.
func (g *guesses) tidy(now time.Time) {
	g.correct(now)
	g.wrong = slices.DeleteFunc(g.wrong, func(t time.Time) bool { return now.Sub(t) >= day })
	g.known = slices.DeleteFunc(g.known, func(k known) bool { return now.Sub(k.at) >= month })
	for name, s := range g.sources {
		life := month
		if s.locks == 0 {
			life = day
		}
		if now.Sub(s.last) >= life && now.Sub(s.until) >= life {
			delete(g.sources, name)
		}
	}
}
