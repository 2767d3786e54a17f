package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns a message connection and the raw other end of it.
func pair(t *testing.T, idle, arrival time.Duration) (*messageConn, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return &messageConn{Conn: ours, most: MaxMessage, idle: idle, arrival: arrival, write: time.Minute}, theirs
}

// readMessage reads one with its NUL.
func readMessage(c *messageConn) (string, error) {
	got, err := c.message()
	if err != nil {
		return string(got), err
	}
	return string(got) + "\x00", nil
}

func TestMessages(t *testing.T) {
	c, peer := pair(t, time.Minute, time.Minute)
	long := `{"a":"` + strings.Repeat("x", MaxMessage-len(`{"a":""}`)) + `"}`
	sent := []string{`{"a":1}`, `{"b":2}`, long, `{"c":"ü"}`}
	go func() {
		io.WriteString(peer, strings.Join(sent, "\x00")+"\x00")
	}()
	for _, want := range sent {
		got, err := readMessage(c)
		if err != nil || got != want+"\x00" {
			t.Fatalf("read %.40q, %v; want %.40q", got, err, want)
		}
	}
}

// TestMessagesByteByByte shows that only the NUL ends a message.
func TestMessagesByteByByte(t *testing.T) {
	c, peer := pair(t, time.Minute, time.Minute)
	go func() {
		for _, b := range []byte("{\"a\":1}\x00{}\x00") {
			peer.Write([]byte{b})
		}
	}()
	for _, want := range []string{"{\"a\":1}\x00", "{}\x00"} {
		if got, err := readMessage(c); err != nil || got != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
}

// TestMessagesOfUsersAreShort: a thousand connections of users, each with most of a message sent, are memory of the daemon's.
func TestMessagesOfUsersAreShort(t *testing.T) {
	h := newHost(t, "")
	for _, test := range []struct {
		uid   uint32
		bytes int
		ok    bool
	}{{0, MaxMessage, true}, {0, MaxMessage + 1, false}, {1000, MaxUserMessage, true}, {1000, MaxUserMessage + 1, false}} {
		c := h.connectAs(t, test.uid)
		message := `{"method":"org.varlink.service.GetInfo"` + strings.Repeat(" ", test.bytes-len(`{"method":"org.varlink.service.GetInfo"}`)) + "}\x00"
		go io.WriteString(c, message)
		reply, err := bufio.NewReader(c).ReadString(0)
		if ok := err == nil && reply != badMessage; ok != test.ok {
			t.Errorf("uid %d, %d bytes: %.60q, %v; want it taken: %v", test.uid, test.bytes, reply, err, test.ok)
		}
	}
}

// connectAs connects as somebody, by a socket.
func (h *host) connectAs(t *testing.T, uid uint32) *net.UnixConn {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socketpair")
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // the connection has a descriptor of its own
		ends[i] = c.(*net.UnixConn)
	}
	go h.serveVarlink(ends[0], Peer{UID: uid, PID: 1})
	t.Cleanup(func() { _ = ends[1].Close() })
	return ends[1]
}

func TestBadMessages(t *testing.T) {
	for name, sent := range map[string]string{
		"too long":          `{"a":"` + strings.Repeat("x", MaxMessage) + `"}` + "\x00",
		"too long, no end":  strings.Repeat("x", MaxMessage+1),
		"not JSON":          "hello\x00",
		"empty":             "\x00",
		"an array":          "[]\x00",
		"a string":          `"a"` + "\x00",
		"cut short":         `{"a":` + "\x00",
		"two objects":       "{}{}\x00",
		"not UTF-8":         "{\"a\":\"\xff\"}\x00",
		"nested without an": strings.Repeat("[", 60000) + "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t, time.Minute, time.Minute)
			go io.WriteString(peer, sent)
			reply := make(chan string)
			go func() {
				got, _ := bufio.NewReader(peer).ReadString(0)
				reply <- got
			}()
			got, err := readMessage(c)
			if !errors.Is(err, errBadMessage) || got != "" {
				t.Errorf("read %.40q, %v; want an error", got, err)
			}
			c.Close()
			if got := <-reply; got != badMessage {
				t.Errorf("reply %q, want %q", got, badMessage)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	for name, test := range map[string]struct {
		idle, arrival time.Duration
		sent          string
	}{
		"nothing":   {20 * time.Millisecond, time.Hour, ""},
		"not whole": {time.Hour, 20 * time.Millisecond, `{"a":`},
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t, test.idle, test.arrival)
			go io.WriteString(peer, test.sent)
			if got, err := readMessage(c); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read %q, %v; want that the deadline is over", got, err)
			}
		})
	}
}

// TestArrivalIsAbsolute sends one byte after the other, each in time: the message must not take longer for that.
func TestArrivalIsAbsolute(t *testing.T) {
	c, peer := pair(t, time.Hour, 300*time.Millisecond)
	go func() {
		for {
			if _, err := peer.Write([]byte("{")); err != nil {
				return
			}
			time.Sleep(time.Millisecond) // the slow peer that this test is about
		}
	}()
	if _, err := readMessage(c); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v, want that the deadline is over", err)
	}
}

func TestFinish(t *testing.T) {
	c, peer := pair(t, time.Hour, time.Hour)
	go io.WriteString(peer, "{}\x00{}\x00")
	if _, err := readMessage(c); err != nil {
		t.Fatal(err)
	}
	c.finish()
	if got, err := readMessage(c); err != io.EOF {
		t.Errorf("after finish read %q, %v; want EOF", got, err)
	}

	c, _ = pair(t, time.Hour, time.Hour)
	ended := make(chan error)
	go func() {
		_, err := readMessage(c)
		ended <- err
	}()
	c.finish()
	if err := <-ended; err == nil {
		t.Error("a read goes on after finish")
	}
}
