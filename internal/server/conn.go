package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"
)

// The most bytes that a Varlink message may have, without the NUL that ends it: root's, and everybody else's. Users hold
// as many connections at one time as there is room for, each with most of a message sent: all of that is memory. What they
// may call needs less than half of it.
const (
	MaxMessage     = 64 << 10
	MaxUserMessage = 4 << 10
)

// messageConn is a connection to the Varlink socket. It reads one whole and valid message at a time. A message that is too
// long, takes too long to arrive, or is no JSON object ends the connection. Descriptors that a peer sends are closed by
// the kernel, as nobody asks for them.
type messageConn struct {
	net.Conn
	most    int           // bytes of a message
	idle    time.Duration // how long no message may begin; 0: for ever
	arrival time.Duration // how long a message may take from its first byte to its last
	write   time.Duration // how long a reply may take

	room []byte // what is read goes here: chunk bytes, or more for a long message
	buf  []byte // in room: read, and not yet given out

	mu       sync.Mutex
	stopping bool
}

const chunk = 4 << 10

// badMessage is the reply to what is not a Varlink message.
const badMessage = `{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"message"}}` + "\x00"

var errBadMessage = errors.New("not a Varlink message")

// message reads the next message, without the NUL. It is good until the next call.
func (c *messageConn) message() ([]byte, error) {
	if c.stopped() {
		return nil, io.EOF
	}
	c.tidy()
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
		if end > c.most || found && !valid(c.buf[:end]) {
			_, _ = io.WriteString(c, badMessage) // the connection ends either way
			return nil, errBadMessage
		}
		if found {
			m := c.buf[:end:end]
			c.buf = c.buf[end+1:]
			return m, nil
		}
		searched = end
		if err := c.fill(started); err != nil {
			return nil, err
		}
		if started.IsZero() && len(c.buf) > 0 {
			started = time.Now()
		}
	}
}

// tidy lets go of the last message, in which a code may be, and moves to the front what came after it.
func (c *messageConn) tidy() {
	n := copy(c.room, c.buf)
	clear(c.room[n:])
	if len(c.room) > chunk && n <= chunk {
		c.room = bytes.Clone(c.room[:chunk])
	}
	c.buf = c.room[:n]
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
	have := len(c.buf)
	if have+chunk > len(c.room) {
		c.room = append(c.room, make([]byte, max(chunk, len(c.room)))...)
	}
	n, err := c.Conn.Read(c.room[have:])
	c.buf = c.room[:have+n]
	if n > 0 {
		return nil
	}
	return err
}

func (c *messageConn) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping
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

// replies is what the Varlink library writes its replies to. No method of ours takes the connection over, so nothing reads
// from it.
type replies struct{ conn *messageConn }

func (r replies) Write(_ context.Context, b []byte) (int, error) { return r.conn.Write(b) }

func (replies) Read(context.Context, []byte) (int, error) { return 0, errors.ErrUnsupported }

func (replies) ReadBytes(context.Context, byte) ([]byte, error) { return nil, errors.ErrUnsupported }
