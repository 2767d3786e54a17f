package wire

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// Conn carries packets over a SOCK_SEQPACKET socket, each in one piece. It is for one goroutine at a time.
type Conn struct {
	unix *net.UnixConn
	buf  []byte
}

// NewConn makes a Conn of a connection of network "unixpacket".
func NewConn(unix *net.UnixConn) *Conn { return &Conn{unix: unix} }

// Read waits for one packet. The error is io.EOF where the peer has closed the connection, os.ErrDeadlineExceeded where
// the deadline has passed, and ErrMalformed where something else than a packet came.
func (c *Conn) Read(deadline time.Time) (Packet, error) {
	if err := c.unix.SetReadDeadline(deadline); err != nil {
		return Packet{}, fmt.Errorf("wire: reading: %w", err)
	}
	if c.buf == nil {
		c.buf = make([]byte, MaxPacket)
	}
	n, _, flags, _, err := c.unix.ReadMsgUnix(c.buf, nil)
	if err != nil {
		return Packet{}, fmt.Errorf("wire: reading: %w", err)
	}
	defer clear(c.buf[:n]) // it may hold an answer
	if flags&syscall.MSG_TRUNC != 0 {
		return Packet{}, fmt.Errorf("wire: more than %d bytes: %w", MaxPacket, ErrMalformed)
	}
	return Decode(c.buf[:n])
}

// Write sends one packet.
func (c *Conn) Write(p Packet, deadline time.Time) error {
	b, err := p.Encode()
	if err != nil {
		return err
	}
	if err := c.unix.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("wire: writing: %w", err)
	}
	if _, err := c.unix.Write(b); err != nil {
		return fmt.Errorf("wire: writing: %w", err)
	}
	return nil
}

// Close closes the connection.
func (c *Conn) Close() error { return c.unix.Close() }
