package session

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
)

// Pace is how long each means of ending a window may take before the next one.
type Pace struct {
	Notice time.Duration // for what is written on its terminal to reach the person
	Logind time.Duration // after logind's TerminateSession
	Term   time.Duration // after SIGTERM
}

// ErrNoLogindSession says that logind, or the host, has no session that this process leads for this user: to end the one
// that it is in would end somebody else's.
var ErrNoLogindSession = errors.New("logind knows no session that it leads")

// Ladder is what ends a window, the gentlest means first.
type Ladder struct {
	Processes Processes
	Logind    func(l Leader, uid uint32) error // nil: there is none
	Pace      Pace
}

// Climb ends a window: it tells the terminals, and then uses stronger and stronger means. wait waits that long for the
// window to be over, and reports whether it is; a signal reaches the leader or nobody. It returns what went wrong on
// the way, none of which keeps it from going on.
func (l Ladder) Climb(w ledger.Window, h Handle, wait func(time.Duration) bool) (problem error) {
	leader := LeaderOf(w)
	Tell(Terminals(l.Processes, w), w.UID, w.Notice)
	if wait(l.Pace.Notice) {
		return nil
	}
	if l.Logind != nil {
		switch problem = l.Logind(leader, w.UID); {
		case errors.Is(problem, ErrNoLogindSession):
			problem = nil
		case problem == nil && wait(l.Pace.Logind):
			return nil
		}
	}
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if h.Signal(s) != nil || s == unix.SIGKILL || wait(l.Pace.Term) {
			break
		}
	}
	return problem
}
