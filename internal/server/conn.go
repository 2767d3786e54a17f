package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

// MaxMessage is the most bytes that a Varlink message may have, without the NUL that ends it.
const MaxMessage = 64 << 10

// messageConn gives the Varlink library, which reads without a bound, one whole and valid message at a time. A message
// that is too long, takes too long to arrive, or is no JSON object ends the connection. Not being a *net.UnixConn, it
// has the library pass no descriptors: those that a peer sends are closed by the kernel.
type messageConn struct {
	net.Conn
	idle    time.Duration // how long no message may begin; 0: for ever
	arrival time.Duration // how long a message may take from its first byte to its last
	write   time.Duration // how long a reply may take

	buf   []byte // read, and not yet given to the library
	ready []byte // the rest of the message that is being given

	mu       sync.Mutex
	stopping bool
}

// badMessage is the reply to what is not a Varlink message.
const badMessage = `{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"message"}}` + "\x00"

var errBadMessage = errors.New("not a Varlink message")

func (c *messageConn) Read(p []byte) (int, error) {
	if len(c.ready) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ready)
	c.ready = c.ready[n:]
	return n, nil
}

// next reads until a whole message is ready.
func (c *messageConn) next() error {
	if err := c.arm(time.Time{}); err != nil {
		return err
	}
	c.buf = bytes.Clone(c.buf) // lets go of the last message
	var started time.Time
	if len(c.buf) > 0 {
		started = time.Now()
	}
	searched := 0
	for {
		end := bytes.IndexByte(c.buf[searched:], 0) + searched
		found := end >= searched
		if !found {
			end = len(c.buf)
		}
		if end > MaxMessage || found && !valid(c.buf[:end]) {
			_, _ = io.WriteString(c, badMessage) // the connection ends either way
			return errBadMessage
		}
		if found {
			c.ready, c.buf = c.buf[:end+1], c.buf[end+1:]
			return nil
		}
		searched = end
		if err := c.fill(started); err != nil {
			return err
		}
		if started.IsZero() && len(c.buf) > 0 {
			started = time.Now()
		}
	}
}

// fill reads what is there. started is when the first byte of the message came, or zero.
func (c *messageConn) fill(started time.Time) error {
	var deadline time.Time
	switch {
	case !started.IsZero():
		deadline = started.Add(c.arrival)
	case c.idle > 0:
		deadline = time.Now().Add(c.idle)
	}
	if err := c.arm(deadline); err != nil {
		return err
	}
	const chunk = 4 << 10
	have := len(c.buf)
	c.buf = slices.Grow(c.buf, chunk)
	n, err := c.Conn.Read(c.buf[have : have+chunk])
	c.buf = c.buf[:have+n]
	if n > 0 {
		return nil
	}
	return err
}

// arm sets the deadline of the next read, unless no more messages are to be read.
func (c *messageConn) arm(deadline time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return io.EOF
	}
	return c.Conn.SetReadDeadline(deadline)
}

// finish lets the message that is being answered be the last. A read that waits for another one ends.
func (c *messageConn) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // a closed connection has nothing to finish
}

func (c *messageConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.write)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// valid reports whether a message is a JSON object in UTF-8. (The decoder would replace what is not UTF-8, and so take
// one name for another.)
func valid(message []byte) bool {
	message = bytes.TrimSpace(message)
	return len(message) > 0 && message[0] == '{' && utf8.Valid(message) && json.Valid(message)
}
