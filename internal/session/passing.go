package session

import (
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
)

// Passing is for who verifies one login while the daemon is away: it holds on to nothing, and has signals for its only
// means. What it begins to end the daemon finishes when it is back, or the next one who passes.
type Passing struct {
	Processes
	Pace Pace
	Now  func() time.Time
}

// Hold only sees that the leader is there: nobody waits for its end. Who comes next looks for himself.
func (p Passing) Hold(w ledger.Window, _ func()) error {
	h, err := p.Open(LeaderOf(w))
	if err != nil {
		return err
	}
	return h.Close()
}

// Forget has nothing to let go of.
func (Passing) Forget(ledger.Window) {}

// End tells the terminals and sends SIGTERM or, to a window that has been asked before and had its time, SIGKILL.
func (p Passing) End(windows []ledger.Window) {
	var asked []Handle
	for _, w := range windows {
		h, err := p.Open(LeaderOf(w))
		if err != nil {
			continue // gone
		}
		defer h.Close()
		if p.Now().Sub(w.Ending) > p.Pace.Term {
			_ = h.Signal(unix.SIGKILL)
			continue
		}
		Tell(Terminals(p.Processes, w), w.UID, w.Notice)
		asked = append(asked, h)
	}
	if len(asked) == 0 {
		return
	}
	timeout := time.NewTimer(p.Pace.Notice)
	defer timeout.Stop()
	<-timeout.C // or the notice would be cut off with the connection
	for _, h := range asked {
		_ = h.Signal(unix.SIGTERM)
	}
}
