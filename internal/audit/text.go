package audit

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// text writes events as lines. A writer may hang: a terminal that is stopped by Ctrl-S, a pipe that nobody reads. So
// the writing is done by a goroutine, and whoever records an event waits for it only so long. A file does not hang, and
// is written to at once: the goroutine's turn would take longer than the writing.
type text struct {
	w      io.Writer
	now    func() time.Time
	direct bool // w is a file; one write is one line of it, whoever else writes (O_APPEND or one offset, write(2))

	start sync.Once
	lines chan line
	hangs atomic.Bool // a line took too long; until it is written nobody waits
}

type line struct {
	text    string
	written chan struct{}
}

const (
	patience = 100 * time.Millisecond // for one line
	backlog  = 256                    // lines that wait for a writer that hangs; more are dropped
)

func (t *text) Record(e Event) {
	entry := t.now().UTC().Format(time.RFC3339) + " " + e.Message() + "\n"
	if t.direct {
		_, _ = io.WriteString(t.w, entry) // there is no other place to say that this place takes nothing
		return
	}
	t.enqueue(entry)
}

func (t *text) enqueue(entry string) {
	t.start.Do(func() {
		t.lines = make(chan line, backlog)
		go t.write()
	})
	l := line{entry, make(chan struct{})}
	select {
	case t.lines <- l:
	default:
		return
	}
	if t.hangs.Load() {
		return
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-l.written:
	case <-timeout.C:
		t.hangs.Store(true)
	}
}

func (t *text) write() {
	for l := range t.lines {
		_, _ = io.WriteString(t.w, l.text) // there is no other place to say that this place takes nothing
		t.hangs.Store(false)
		close(l.written)
	}
}
