package session

import (
	"errors"
	"sync"
	"time"

	"sallyport/internal/ledger"
)

// Registry holds on to the leaders of all windows, for a daemon: it notices when they end, and it ends them.
type Registry struct {
	Processes
	ladder Ladder
	watch  *Watch
	warn   func(ledger.Window, error)

	mu   sync.Mutex
	held map[string]*held // by user and ID
}

// held is a window's leader.
type held struct {
	handle Handle
	token  int32         // the watch's
	over   chan struct{} // closed when the window is over, and the handle is closed with it
	ending bool          // somebody is at it
}

// NewRegistry makes one. warn is told what went wrong while a window was being ended.
func NewRegistry(l Ladder, warn func(ledger.Window, error)) (*Registry, error) {
	watch, err := NewWatch()
	if err != nil {
		return nil, err
	}
	return &Registry{Processes: l.Processes, ladder: l, watch: watch, warn: warn, held: make(map[string]*held)}, nil
}

// Hold takes hold of a window's leader, and has gone called once when that has ended. It fails with ErrGone where it
// has ended already.
func (r *Registry) Hold(w ledger.Window, gone func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[key(w)] != nil {
		return nil
	}
	handle, err := r.Open(LeaderOf(w))
	if err != nil {
		return err
	}
	h := &held{handle: handle, over: make(chan struct{})}
	h.token, err = r.watch.Add(handle.FD(), func() {
		r.drop(w, h)
		gone()
	})
	if err != nil {
		return errors.Join(err, handle.Close())
	}
	r.held[key(w)] = h
	return nil
}

// Forget lets go of a window that is over, whatever becomes of its leader.
func (r *Registry) Forget(w ledger.Window) {
	r.mu.Lock()
	h := r.held[key(w)]
	r.mu.Unlock()
	if h != nil {
		r.drop(w, h)
	}
}

func (r *Registry) drop(w ledger.Window, h *held) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[key(w)] != h {
		return
	}
	delete(r.held, key(w))
	r.watch.Remove(h.token)
	_ = h.handle.Close()
	close(h.over)
}

// End begins to end windows, and does not wait for that.
func (r *Registry) End(windows []ledger.Window) {
	for _, w := range windows {
		r.end(w)
	}
}

func (r *Registry) end(w ledger.Window) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.held[key(w)]
	if h == nil || h.ending {
		return // it is over, or somebody is at it
	}
	// A handle of its own: the other one may be closed at any time.
	handle, err := r.Open(LeaderOf(w))
	if err != nil {
		return // gone, and the watch says so
	}
	h.ending = true
	go func() {
		defer handle.Close()
		wait := func(d time.Duration) bool {
			timeout := time.NewTimer(d)
			defer timeout.Stop()
			select {
			case <-h.over:
				return true
			case <-timeout.C:
				return false
			}
		}
		if err := r.ladder.Climb(w, handle, wait); err != nil {
			r.warn(w, err)
		}
	}()
}

// Close lets go of everything and ends nothing.
func (r *Registry) Close() { r.watch.Close() }

func key(w ledger.Window) string { return w.User + "/" + w.ID }
