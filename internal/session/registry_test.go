package session_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
	"sallyport/internal/session"
	"sallyport/internal/session/sessiontest"
)

// quick leaves no time to anybody who does not end at once.
var quick = session.Pace{Notice: time.Millisecond, Logind: time.Millisecond, Term: time.Millisecond}

func newRegistry(t *testing.T, l session.Ladder) (*session.Registry, chan error) {
	t.Helper()
	problems := make(chan error, 8)
	r, err := session.NewRegistry(l, func(_ ledger.Window, err error) { problems <- err })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, problems
}

func windowOf(l session.Leader, id string) ledger.Window {
	return ledger.Window{ID: id, User: "alice", UID: 1000, PID: l.PID, Start: l.Start}
}

func soon(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		t.Fatalf("not within 30 s: %s", what)
	}
}

// hold returns a channel that is closed when the registry says that the leader is gone.
func hold(t *testing.T, r *session.Registry, w ledger.Window) <-chan struct{} {
	t.Helper()
	gone := make(chan struct{})
	if err := r.Hold(w, func() { close(gone) }); err != nil {
		t.Fatal(err)
	}
	return gone
}

func TestRegistryNoticesTheEnd(t *testing.T) {
	p := &sessiontest.Processes{}
	r, _ := newRegistry(t, session.Ladder{Processes: p, Pace: quick})
	var left atomic.Int64
	const n = 300
	all := make(chan struct{})
	for pid := 100; pid < 100+n; pid++ {
		left.Add(1)
		w := windowOf(p.Start(pid, 0), string(rune(pid)))
		for range 2 { // holding twice is holding once
			if err := r.Hold(w, func() {
				if left.Add(-1) == 0 {
					close(all)
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	forgotten := windowOf(p.Start(50, 0), "forgotten")
	if err := r.Hold(forgotten, func() { t.Error("told of the end of who was forgotten") }); err != nil {
		t.Fatal(err)
	}
	r.Forget(forgotten)
	r.Forget(forgotten)
	p.End(50)
	for pid := 100; pid < 100+n; pid++ {
		p.End(pid)
	}
	soon(t, "all ends are noticed", all)
	if err := r.Hold(windowOf(session.Leader{PID: 100, Start: 1}, "late"), func() {}); !errors.Is(err, session.ErrGone) {
		t.Errorf("holding who has ended: %v", err)
	}
}

func TestLadder(t *testing.T) {
	failure := errors.New("logind is out of order")
	for _, test := range []struct {
		name     string
		survives []unix.Signal
		logind   func(p *sessiontest.Processes) func(session.Leader, uint32) error
		want     []unix.Signal // before the last one, which ends it
		problem  error
	}{
		{"SIGTERM does", nil, nil, nil, nil},
		{"SIGTERM does not", []unix.Signal{unix.SIGTERM}, nil, []unix.Signal{unix.SIGTERM}, nil},
		{"logind does", nil, func(p *sessiontest.Processes) func(session.Leader, uint32) error {
			return func(l session.Leader, uid uint32) error { p.End(l.PID); return nil }
		}, nil, nil},
		{"logind fails", nil, func(*sessiontest.Processes) func(session.Leader, uint32) error {
			return func(session.Leader, uint32) error { return failure }
		}, nil, failure},
		{"logind has none", nil, func(*sessiontest.Processes) func(session.Leader, uint32) error {
			return func(session.Leader, uint32) error { return session.ErrNoLogindSession }
		}, nil, nil},
		{"nothing does but SIGKILL", []unix.Signal{unix.SIGTERM}, func(*sessiontest.Processes) func(session.Leader, uint32) error {
			return func(session.Leader, uint32) error { return nil }
		}, []unix.Signal{unix.SIGTERM}, nil},
	} {
		p := &sessiontest.Processes{Survives: test.survives}
		ladder := session.Ladder{Processes: p, Pace: quick}
		if test.logind != nil {
			ladder.Logind = test.logind(p)
		}
		r, problems := newRegistry(t, ladder)
		w := windowOf(p.Start(100, 0), "w")
		gone := hold(t, r, w)
		r.End([]ledger.Window{w, w})
		soon(t, test.name, gone)
		if test.problem != nil {
			if err := <-problems; !errors.Is(err, test.problem) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if len(problems) > 0 {
			t.Errorf("%s: %v", test.name, <-problems)
		}
	}
}

// TestClosedWindowIsLeftAlone: who has closed its session in good time leads none, and is sent nothing more.
func TestClosedWindowIsLeftAlone(t *testing.T) {
	p := &sessiontest.Processes{}
	asked, on := make(chan struct{}), make(chan struct{}) // a second call would close asked again, and panic
	ladder := session.Ladder{Processes: p, Pace: session.Pace{Notice: time.Millisecond, Logind: time.Hour, Term: time.Millisecond},
		Logind: func(session.Leader, uint32) error { close(asked); <-on; return nil }}
	r, _ := newRegistry(t, ladder)
	w := windowOf(p.Start(100, 0), "w")
	_ = hold(t, r, w)
	r.End([]ledger.Window{w, w})
	soon(t, "logind is asked", asked)
	r.End([]ledger.Window{w})
	r.Forget(w)
	close(on)
	r.End([]ledger.Window{w})
	if got := p.Signals(100); len(got) > 0 {
		t.Errorf("it was sent %v", got)
	}
}

// TestEndOfAnotherProcess: the PID has gone to somebody else.
func TestEndOfAnotherProcess(t *testing.T) {
	p := &sessiontest.Processes{Survives: []unix.Signal{unix.SIGTERM, unix.SIGKILL}}
	r, _ := newRegistry(t, session.Ladder{Processes: p, Pace: quick})
	w := windowOf(p.Start(100, 0), "w")
	gone := hold(t, r, w)
	p.Start(100, 0)
	soon(t, "the end of the first is noticed", gone)
	r.End([]ledger.Window{w})
	now := time.Unix(1000, 0)
	passing := session.Passing{Processes: p, Pace: quick, Now: func() time.Time { return now }}
	passing.End([]ledger.Window{w})
	w.Ending = time.Unix(1, 0)
	passing.End([]ledger.Window{w})
	if got := p.Signals(100); len(got) > 0 {
		t.Errorf("the second was sent %v", got)
	}
	if err := passing.Hold(w, nil); !errors.Is(err, session.ErrGone) {
		t.Errorf("holding it: %v", err)
	}
}

func TestPassing(t *testing.T) {
	p := &sessiontest.Processes{Survives: []unix.Signal{unix.SIGTERM}}
	now := time.Unix(1000, 0)
	passing := session.Passing{Processes: p, Pace: quick, Now: func() time.Time { return now }}
	w := windowOf(p.Start(100, 0), "w")
	w.Ending = now
	if err := passing.Hold(w, nil); err != nil {
		t.Fatal(err)
	}
	passing.End([]ledger.Window{w})
	if got := p.Signals(100); !slices.Equal(got, []unix.Signal{unix.SIGTERM}) {
		t.Errorf("first it is sent %v", got)
	}
	now = now.Add(time.Second)
	passing.End([]ledger.Window{w})
	if session.Alive(p, session.LeaderOf(w)) {
		t.Error("who ignores SIGTERM lives on when somebody comes by again")
	}
}
