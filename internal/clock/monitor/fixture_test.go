package monitor

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/clock"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// watched is a host that has a clock that the test sets, sources that say what the test wants, and a ledger's history in memory.
type watched struct {
	*Monitor
	t *testing.T

	mu      sync.Mutex
	now     time.Time
	booted  time.Time
	says    map[clock.Source]clock.Estimate
	points  []clock.Point
	samples map[string]clock.Sample
	events  []audit.Event
	changed int
	back    int
	jumped  chan<- struct{}
}

func newHost(t *testing.T) *watched {
	t.Helper()
	h := &watched{t: t, now: noon, booted: noon.Add(-time.Hour), says: map[clock.Source]clock.Estimate{}}
	h.Monitor = New(Config{
		Settings: func() Settings { return Settings{Warn: 5 * time.Second} },
		History:  h, Audit: h, Now: h.clock, Booted: h.started,
		Sources: []Source{says{h, clock.Kernel}, says{h, clock.Chrony}},
		Mend:    func() string { return "chronyc makestep" },
		Changed: func() { h.mu.Lock(); h.changed++; h.mu.Unlock() },
		SetBack: func() { h.mu.Lock(); h.back++; h.mu.Unlock() },
		Jumps: func(ctx context.Context, jumped chan<- struct{}) error {
			h.mu.Lock()
			h.jumped = jumped
			h.mu.Unlock()
			<-ctx.Done()
			return ctx.Err()
		},
	})
	return h
}

func (h *watched) clock() time.Time   { h.mu.Lock(); defer h.mu.Unlock(); return h.now }
func (h *watched) started() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.booted }

// set sets the clock, as date(1) does. The kernel then knows nothing any more.
func (h *watched) set(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now, h.booted = h.now.Add(by), h.booted.Add(by)
	delete(h.says, clock.Kernel)
}

// setBack reports whether it was said that the clock has ever been set back.
func (h *watched) setBack() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.back > 0 }

// say has a source find an offset.
func (h *watched) say(s clock.Source, offset time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.says[s] = clock.Estimate{Source: s, Offset: offset, Error: 10 * time.Millisecond, Detail: string(s)}
}

type says struct {
	h    *watched
	name clock.Source
}

func (s says) Name() clock.Source { return s.name }

func (s says) Ask(context.Context) (clock.Estimate, string) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	return s.h.says[s.name], "asked"
}

func (h *watched) ClockHistory() ([]clock.Point, error)      { return h.points, nil }
func (h *watched) AddClockPoint(p clock.Point) error         { h.points = append(h.points, p); return nil }
func (h *watched) Samples() (map[string]clock.Sample, error) { return h.samples, nil }
func (h *watched) Record(e audit.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// journal is the kinds of the events so far, and the last one's words.
func (h *watched) journal() (kinds, last string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, e := range h.events {
		all = append(all, string(e.Kind))
		last = e.Message()
	}
	return strings.Join(all, " "), last
}

// run runs the monitor until the end of the test.
func (h *watched) run() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.Run(ctx) }()
	h.t.Cleanup(func() { cancel(); <-done })
	h.eventually("it watches for jumps", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.jumped != nil })
}

func (h *watched) eventually(what string, ok func() bool) { h.t.Helper(); eventually(h.t, what, ok) }

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
