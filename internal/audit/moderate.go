package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// How many events of a minute are recorded of what one user asks for, and of what all users do. journald drops what goes
// beyond 10,000 entries of a service in half a minute (RateLimitBurst=, journald.conf(5)), whoever they are about.
const (
	mostOfOne = 30
	mostOfAll = 600
)

// Moderated is a Log in which those who may ask as often as they like (Event.Asker) do not crowd out the events of
// others. What they ask for beyond a bound is counted, and the counts are recorded when the minute is over.
type Moderated struct {
	next Log

	mu      sync.Mutex
	over    *time.Timer // at the end of the minute; nil: nobody has asked in this one
	tallies map[asker]*tally
	passed  [2]int // how many were recorded, by asker.proven
}

// asker is a user with one of two allowances: what takes a right code is not lost among what takes none.
type asker struct {
	uid    uint32
	proven bool
}

// everybody stands for those who come when nobody's events are recorded any more. It is nobody's uid (setuid(2)).
const everybody = ^uint32(0)

// tally is what came of an asker's events in this minute.
type tally struct {
	passed int
	held   map[Kind]int
}

// Moderate has next take the events.
func Moderate(next Log) *Moderated { return &Moderated{next: next, tallies: map[asker]*tally{}} }

// Record passes an event on, or counts it.
func (m *Moderated) Record(e Event) {
	if e.Asker == 0 || m.passes(e) {
		m.next.Record(e)
	}
}

func (m *Moderated) passes(e Event) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over == nil {
		m.over = time.AfterFunc(time.Minute, m.Flush)
	}
	a := asker{e.Asker, e.Kind.proven()}
	passed := &m.passed[0]
	if a.proven {
		passed = &m.passed[1]
	}
	if _, known := m.tallies[a]; !known && *passed >= mostOfAll {
		a.uid = everybody
	}
	t := m.tallies[a]
	if t == nil {
		t = &tally{held: map[Kind]int{}}
		m.tallies[a] = t
	}
	if t.passed < mostOfOne && *passed < mostOfAll {
		t.passed++
		*passed++
		return true
	}
	t.held[e.Kind]++
	return false
}

// Flush ends the minute, and records what was counted in it.
func (m *Moderated) Flush() {
	m.mu.Lock()
	tallies := m.tallies
	m.tallies, m.passed = map[asker]*tally{}, [2]int{}
	if m.over != nil {
		m.over.Stop() // or it is this
		m.over = nil
	}
	m.mu.Unlock()
	byUID := func(a, b asker) int { return cmp.Compare(a.uid, b.uid) }
	for _, a := range slices.SortedFunc(maps.Keys(tallies), byUID) {
		if held := tallies[a].held; len(held) > 0 {
			m.next.Record(summary(a, held))
		}
	}
}

// summary is the event that stands for those that were only counted.
func summary(a asker, held map[Kind]int) Event {
	e := Event{Kind: Withheld, UID: a.uid}
	who := fmt.Sprintf("uid %d", a.uid)
	if a.uid == everybody {
		e.UID, who = 0, "other users"
	}
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(held)) {
		e.Count += held[k]
		kinds = append(kinds, fmt.Sprintf("%s: %d", k.about().title, held[k]))
	}
	e.Reason = who + "; " + strings.Join(kinds, ", ")
	return e
}
