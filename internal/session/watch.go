package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Watch tells when processes end: one goroutine waits for all of them (epoll(7)).
type Watch struct {
	epoll int
	bell  int // eventfd(2): rung by Close

	mu      sync.Mutex
	watched map[int32]watched // by token
	last    int32             // token; 0 is the bell's
	closed  bool
	over    chan struct{}
}

// watched is one descriptor. Events name it by a token and not by its number, which may be another's when they are heard.
type watched struct {
	fd   int
	gone func()
}

// NewWatch begins to wait.
func NewWatch() (*Watch, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN})
	}
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("watching processes: %w", err)
	}
	w := &Watch{epoll: epoll, bell: bell, watched: make(map[int32]watched), over: make(chan struct{})}
	go w.wait()
	return w, nil
}

var errWatchClosed = errors.New("nothing is watched any more")

// Add has gone called, in a goroutine of its own and at most once, when the descriptor becomes readable. The descriptor
// stays open until then, or until Remove, to which the token goes.
func (w *Watch) Add(fd int, gone func()) (token int32, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, errWatchClosed
	}
	w.last = w.last%math.MaxInt32 + 1
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: w.last}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return 0, os.NewSyscallError("epoll_ctl", err)
	}
	w.watched[w.last] = watched{fd, gone}
	return w.last, nil
}

// Remove ends what Add began, where that has not happened yet.
func (w *Watch) Remove(token int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(token)
}

func (w *Watch) remove(token int32) (was watched, ok bool) {
	was, ok = w.watched[token]
	if ok && !w.closed {
		delete(w.watched, token)
		_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, was.fd, nil) // it was added
	}
	return was, ok
}

// Close ends the goroutine.
func (w *Watch) Close() {
	w.mu.Lock()
	w.closed = true
	_, _ = unix.Write(w.bell, binary.NativeEndian.AppendUint64(nil, 1)) // has room for 2⁶⁴−1
	w.mu.Unlock()
	<-w.over
}

func (w *Watch) wait() {
	defer close(w.over)
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(w.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			panic(fmt.Sprintf("epoll_wait: %v", err)) // only a mistake of ours: the daemon is better restarted than blind
		}
		if !w.hear(events[:max(n, 0)]) {
			return
		}
	}
}

// hear does what is to be done, and reports whether to go on.
func (w *Watch) hear(events []unix.EpollEvent) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = unix.Close(w.epoll)
		_ = unix.Close(w.bell)
		return false
	}
	for _, e := range events {
		if was, ok := w.remove(e.Fd); ok {
			go was.gone()
		}
	}
	return true
}
