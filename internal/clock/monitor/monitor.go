// Package monitor watches the host's clock for the daemon: it asks the kernel, the local NTP client and the configured
// servers, listens to what codes say, and makes one clock.State of it, which others read without waiting (DESIGN §8).
package monitor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
)

// Settings are the policy's, as they are at the moment.
type Settings struct {
	Warn    time.Duration
	Servers []string
}

// History keeps what outlives the daemon: the ledger.
type History interface {
	ClockHistory() ([]clock.Point, error)
	AddClockPoint(clock.Point) error
	Samples() (map[string]clock.Sample, error)
}

// Source is somebody to ask about the clock.
type Source interface {
	Name() clock.Source
	// Ask returns an estimate, unknown where there is none, and what to say about it in words; no words: the source is
	// not on this host. It comes back when ctx ends.
	Ask(ctx context.Context) (clock.Estimate, string)
}

// Config is what a monitor works with.
type Config struct {
	Settings func() Settings
	History  History
	Sources  []Source
	Mend     func() string // the command that sets the clock on this host
	Guest    bool          // the host is a virtual machine that can read its hypervisor's clock
	Changed  func()        // is called when the state has changed
	Audit    audit.Log
	Now      func() time.Time
	Booted   func() time.Time
	// Jumps sends whenever the clock was set, until ctx ends.
	Jumps func(ctx context.Context, jumped chan<- struct{}) error
	// SetBack is called when the clock was set to an earlier time: codes may have been used that will be right once more.
	SetBack func()
}

// Monitor is the daemon's view of the clock. It is a verifier.Clock.
type Monitor struct {
	Config
	state  atomic.Pointer[clock.State]
	people people
	missed chan miss
	kicked chan struct{}
	again  chan struct{}

	mu      sync.Mutex
	answers []Answer
	booted  time.Time     // clock.Booted of the last look
	fresh   time.Time     // when somebody knew something last, with the monotonic clock,
	worse   time.Duration // and how well
	said    said
}

// Answer is what a source said.
type Answer struct {
	clock.Estimate
	Name clock.Source
	Text string
}

// New makes a monitor. It knows nothing until it runs.
func New(c Config) *Monitor {
	m := &Monitor{Config: c, missed: make(chan miss, 64), kicked: make(chan struct{}, 1), again: make(chan struct{}, 1), booted: c.Booted()}
	m.state.Store(&clock.State{})
	return m
}

// State is what is known at the moment.
func (m *Monitor) State() clock.State { return *m.state.Load() }

// How often the sources are asked and the history is written, and how soon a login may have the state made again.
const (
	askEvery     = time.Minute
	historyEvery = 5 * time.Minute
	restAfter    = time.Second
	askWait      = 5 * time.Second
)

// Run watches until ctx ends. All that changes the state happens here, one after the other.
func (m *Monitor) Run(ctx context.Context) {
	if samples, err := m.History.Samples(); err == nil { // a damaged ledger says so itself
		m.people.fill(samples)
	}
	go m.search(ctx)
	jumps := make(chan struct{}, 1)
	go func() {
		if err := m.Jumps(ctx, jumps); err != nil && ctx.Err() == nil {
			m.Audit.Record(audit.Event{Kind: audit.Unavailable, Reason: "watching for jumps of the clock: " + err.Error()})
		}
	}()
	ask, keep := time.NewTicker(askEvery), time.NewTicker(historyEvery)
	defer ask.Stop()
	defer keep.Stop()
	m.ask(ctx)
	m.keep()
	for {
		select {
		case <-ctx.Done():
			return
		case <-jumps:
			m.jump()
			m.ask(ctx)
		case <-ask.C:
			m.ask(ctx)
		case <-m.again:
			m.ask(ctx)
		case <-m.kicked:
			m.judge()
			rest(ctx)
		case <-keep.C:
			m.keep()
		}
	}
}

// rest keeps a thousand logins a second from having a thousand estimates made.
func rest(ctx context.Context) {
	t := time.NewTimer(restAfter)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// kick has the state made again soon.
func (m *Monitor) kick() { nudge(m.kicked) }

// Ask has the sources asked soon: one knows more, or the policy has changed.
func (m *Monitor) Ask() { nudge(m.again) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will be
	}
}

// ask asks every source, and makes the state of what they say.
func (m *Monitor) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	var all []Answer
	for _, s := range m.Sources {
		e, text := s.Ask(ctx)
		if text != "" {
			all = append(all, Answer{e, s.Name(), text})
		}
	}
	m.mu.Lock()
	m.answers = all
	m.mu.Unlock()
	m.judge()
}

// keep puts a point into the history.
func (m *Monitor) keep() {
	s := m.State()
	if !s.Known() {
		return
	}
	err := m.History.AddClockPoint(clock.Point{At: m.Now(), Source: s.Source, Offset: s.Offset, Error: s.Error})
	if err != nil {
		m.Audit.Record(audit.Event{Kind: audit.Unavailable, Reason: "keeping the clock's history: " + err.Error()})
	}
}

// Report is all that there is to say about the clock.
type Report struct {
	clock.State
	Warn    time.Duration
	Answers []Answer // the codes' last
	History []clock.Point
	Hint    string // what else helps on this host
}

// Report makes a report.
func (m *Monitor) Report() (Report, error) {
	history, err := m.History.ClockHistory()
	if err != nil {
		return Report{}, err
	}
	m.mu.Lock()
	answers := append(m.answers[:len(m.answers):len(m.answers)], m.codes())
	m.mu.Unlock()
	s := m.State()
	return Report{State: s, Warn: m.Settings().Warn, Answers: answers, History: history, Hint: hint(s, answers, m.Guest)}, nil
}
