package monitor

import (
	"fmt"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
)

// said is the last warning in the journal.
type said struct {
	at     time.Time // with the monotonic clock
	offset time.Duration
}

// How often the journal is told of a clock that stays as wrong as it was, and of one that changes.
const (
	sayEvery  = time.Hour
	sayChange = 10 * time.Minute
)

// judge makes the state of all that is known, and says what has changed.
func (m *Monitor) judge() {
	m.mu.Lock()
	before := m.State()
	next := m.estimate(before)
	warn := m.Settings().Warn
	// A clock that was wrong stays so until its offset is small, or well within its error: not as soon as it is no longer
	// proven, or the journal would hear of each change of mind.
	next.Bad = next.Wrong(warn) || before.Bad && next.Offset.Abs() >= max(warn, next.Error*3/4)
	var events []audit.Event
	if next.Bad {
		next.Since, next.Mend = m.Now(), m.Mend()
		if before.Bad {
			next.Since = before.Since
		}
		if m.due(next, before, warn) {
			m.said = said{time.Now(), next.Offset}
			events = append(events, audit.Event{Kind: audit.ClockWrong, Reason: next.Advice() + " By " + next.Detail + ".", Offset: next.Offset})
		}
	} else if before.Bad {
		events = append(events, audit.Event{Kind: audit.ClockRight, Reason: "by " + next.Detail, Offset: next.Offset})
	}
	m.state.Store(&next)
	m.mu.Unlock()
	for _, e := range events {
		m.Audit.Record(e)
	}
	if next.Bad || before.Bad {
		m.Changed()
	}
}

// lastsFor is how long an estimate counts when nobody says anything any more, and driftRate how it gets worse: seconds
// a second, of a bad quartz. So a clock that was right and then set is known to be wrong by as much.
const (
	lastsFor  = 24 * time.Hour
	driftRate = 100e-6
)

// estimate is the best one.
func (m *Monitor) estimate(before clock.State) clock.State {
	all := []clock.Estimate{m.codes().Estimate}
	for _, a := range m.answers {
		all = append(all, a.Estimate)
	}
	best := clock.Best(all)
	if best.Known() {
		m.fresh, m.worse = time.Now(), best.Error
		return clock.State{Estimate: best}
	}
	if age := time.Since(m.fresh); before.Known() && (before.Bad || age < lastsFor) {
		best = before.Estimate
		best.Error = m.worse + time.Duration(driftRate*float64(age))
	}
	return clock.State{Estimate: best}
}

// codes is what the codes say.
func (m *Monitor) codes() Answer {
	e, n := m.people.estimate(m.Now(), m.Booted())
	text := e.Detail
	if !e.Known() {
		switch {
		case n == 0:
			text = "no estimate: nobody has logged in with a code in the last day"
		case n < 3:
			text = "no estimate: too few people have logged in with a code in the last day"
		default:
			text = fmt.Sprintf("no estimate: the phones of %d people disagree", n)
		}
	}
	return Answer{e, clock.Codes, text}
}

// due reports whether the journal is to be told.
func (m *Monitor) due(next, before clock.State, warn time.Duration) bool {
	change := (next.Offset - m.said.offset).Abs()
	quiet := time.Since(m.said.at)
	switch {
	case !before.Bad:
		return quiet >= sayChange || m.said.at.IsZero() || change >= warn
	case change >= max(warn, m.said.offset.Abs()/4):
		return quiet >= sayChange
	default:
		return quiet >= sayEvery
	}
}

// jump is called when the clock was set. What is known moves along.
func (m *Monitor) jump() {
	m.mu.Lock()
	booted := m.Booted()
	by := booted.Sub(m.booted)
	m.booted = booted
	if by.Abs() < noJump {
		m.mu.Unlock()
		return
	}
	s := m.State()
	s.Offset, s.At = s.Offset+by, s.At.Add(by)
	m.state.Store(&s)
	m.mu.Unlock()
	direction := "forward"
	if by < 0 {
		direction = "back"
		m.SetBack()
	}
	m.Audit.Record(audit.Event{Kind: audit.ClockJumped, Reason: fmt.Sprintf("it was set %s by %s", direction, clock.Length(by)), Offset: by})
}

// noJump is by how much the clock may be set without a word: NTP clients slew what is less.
const noJump = 500 * time.Millisecond
