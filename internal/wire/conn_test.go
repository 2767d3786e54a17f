package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// pair is the two ends of a socket pair such as the module makes.
func pair(t *testing.T) (*Conn, *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
		t.Cleanup(func() { c.Close() })
	}
	return NewConn(ends[0]), ends[1]
}

func soon() time.Time { return time.Now().Add(time.Minute) }

func TestConnCarriesPackets(t *testing.T) {
	c, other := pair(t)
	peer := NewConn(other)
	for _, user := range []string{"ann", "bob"} { // both are under way at once, and stay apart
		if err := peer.Write(Request{Kind: Account, User: user, Service: "su", PID: 1}.Packet(), soon()); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range []string{"ann", "bob"} {
		p, err := c.Read(soon())
		if err != nil {
			t.Fatal(err)
		}
		if req, err := ParseRequest(p); err != nil || req.User != user {
			t.Errorf("request %v, error %v, want user %q", req, err, user)
		}
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(soon()); !errors.Is(err, io.EOF) {
		t.Errorf("after the peer closed: %v, want EOF", err)
	}
}

func TestConnRefusesMalformed(t *testing.T) {
	huge := bytes.Repeat([]byte{Version, byte(Final), 0x80, 0, 0}, 1<<14)
	for _, sent := range [][]byte{{1}, {Version, 0x99}, huge[:MaxPacket+1], huge[:64<<10+1]} {
		c, other := pair(t)
		if err := other.SetWriteBuffer(256 << 10); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Write(sent); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(soon()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v, want ErrMalformed", len(sent), err)
		}
	}
}

func TestConnDeadlines(t *testing.T) {
	c, _ := pair(t)
	if _, err := c.Read(time.Now().Add(-time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading: %v, want a passed deadline", err)
	}
	if err := c.Write(Request{Kind: Answer}.Packet(), time.Now().Add(-time.Second)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing: %v, want a passed deadline", err)
	}
	if err := c.Write(Packet{Kind: 0x33}, soon()); !errors.Is(err, ErrMalformed) {
		t.Errorf("writing a malformed packet: %v", err)
	}
}
