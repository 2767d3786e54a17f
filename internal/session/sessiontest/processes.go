// Package sessiontest has processes that a test starts and ends at will, and that are none.
package sessiontest

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
	"sallyport/internal/session"
)

// Processes is a kernel's table of processes. The zero value has none.
type Processes struct {
	mu       sync.Mutex
	next     uint64
	running  map[int]*process
	Unclear  error         // what Identify fails with; nil: it does not
	Survives []unix.Signal // what no process ends of
}

type process struct {
	start     uint64
	uid       uint32
	terminals []string
	signals   []unix.Signal
	ended     []func()
}

// Start gives a PID to a new process of a user's, whoever had it.
func (p *Processes) Start(pid int, uid uint32, terminals ...string) session.Leader {
	p.End(pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	if p.running == nil {
		p.running = map[int]*process{}
	}
	p.running[pid] = &process{start: p.next, uid: uid, terminals: terminals}
	return session.Leader{PID: pid, Start: p.next}
}

// End ends the process that has a PID, if one has.
func (p *Processes) End(pid int) {
	p.mu.Lock()
	was := p.running[pid]
	delete(p.running, pid)
	p.mu.Unlock()
	if was != nil {
		for _, f := range was.ended {
			f()
		}
	}
}

// Signals are those that the process has been sent.
func (p *Processes) Signals(pid int) []unix.Signal {
	p.mu.Lock()
	defer p.mu.Unlock()
	if is := p.running[pid]; is != nil {
		return slices.Clone(is.signals)
	}
	return nil
}

// Identify is session.Processes'.
func (p *Processes) Identify(pid int) (session.Leader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Unclear != nil {
		return session.Leader{}, p.Unclear
	}
	is := p.running[pid]
	if is == nil {
		return session.Leader{}, session.ErrGone
	}
	return session.Leader{PID: pid, Start: is.start}, nil
}

// find is the process, while it runs. The lock is held.
func (p *Processes) find(l session.Leader) *process {
	if is := p.running[l.PID]; is != nil && is.start == l.Start {
		return is
	}
	return nil
}

// OwnedBy is session.Processes'.
func (p *Processes) OwnedBy(l session.Leader, uid uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.find(l)
	return is != nil && is.uid == uid
}

// Terminals is session.Processes'.
func (p *Processes) Terminals(l session.Leader) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if is := p.find(l); is != nil {
		return slices.Clone(is.terminals)
	}
	return nil
}

// Open is session.Processes'. The handle's descriptor is an eventfd(2).
func (p *Processes) Open(l session.Leader) (session.Handle, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	h := &handle{p: p, leader: l, fd: fd}
	if !p.onEnd(l, h.ring) {
		return nil, errors.Join(session.ErrGone, unix.Close(fd))
	}
	return h, nil
}

func (p *Processes) onEnd(l session.Leader, f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.find(l)
	if is != nil {
		is.ended = append(is.ended, f)
	}
	return is != nil
}

type handle struct {
	p      *Processes
	leader session.Leader

	mu sync.Mutex
	fd int // -1: closed
}

func (h *handle) ring() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd >= 0 {
		_, _ = unix.Write(h.fd, binary.NativeEndian.AppendUint64(nil, 1))
	}
}

func (h *handle) FD() int { return h.fd }

func (h *handle) Signal(s unix.Signal) error {
	h.p.mu.Lock()
	is := h.p.find(h.leader)
	if is == nil {
		h.p.mu.Unlock()
		return session.ErrGone
	}
	is.signals = append(is.signals, s)
	survives := slices.Contains(h.p.Survives, s)
	h.p.mu.Unlock()
	if !survives {
		h.p.End(h.leader.PID)
	}
	return nil
}

func (h *handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fd := h.fd
	h.fd = -1
	return unix.Close(fd)
}

// Leaders are processes with what a verifier asks for besides: at once, and in no goroutine.
type Leaders struct {
	*Processes

	mu     sync.Mutex
	ending []ledger.Window
}

// Hold has gone called as soon as the leader ends.
func (l *Leaders) Hold(w ledger.Window, gone func()) error {
	if !l.onEnd(session.LeaderOf(w), gone) {
		return session.ErrGone
	}
	return nil
}

// Forget does nothing: who is gone twice must not matter.
func (*Leaders) Forget(ledger.Window) {}

// End only remembers the windows.
func (l *Leaders) End(windows []ledger.Window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = append(l.ending, windows...)
}

// Ending are the windows that End was called for since.
func (l *Leaders) Ending() []ledger.Window {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.ending
	l.ending = nil
	return all
}
