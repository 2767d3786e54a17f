package verifier

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/wire"
)

// module is the module's end of a connection that the verifier serves.
type module struct {
	t    *testing.T
	conn *wire.Conn
	raw  *net.UnixConn
	done chan error
}

func (h *host) connect(c Caller) *module {
	h.t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	ours, theirs := unixConn(h.t, fds[0]), unixConn(h.t, fds[1])
	m := &module{t: h.t, conn: wire.NewConn(ours), raw: ours, done: make(chan error, 1)}
	go func() {
		served := wire.NewConn(theirs)
		err := h.v.ServePackets(c, served)
		served.Close()
		m.done <- err
	}()
	h.t.Cleanup(func() { m.conn.Close() })
	return m
}

func unixConn(t *testing.T, fd int) *net.UnixConn {
	t.Helper()
	f := os.NewFile(uintptr(fd), "socketpair")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn)
}

func (m *module) send(r wire.Request) {
	m.t.Helper()
	if err := m.conn.Write(r.Packet(), time.Now().Add(time.Minute)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) receive() wire.Reply {
	m.t.Helper()
	p, err := m.conn.Read(time.Now().Add(time.Minute))
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := wire.ParseReply(p)
	if err != nil {
		m.t.Fatal(err)
	}
	return r
}

// closed waits for the verifier to end the connection.
func (m *module) closed() error {
	m.t.Helper()
	if _, err := m.conn.Read(time.Now().Add(time.Minute)); !errors.Is(err, io.EOF) {
		m.t.Errorf("the connection goes on: %v", err)
	}
	return <-m.done
}

func begin(user string) wire.Request {
	return wire.Request{Kind: wire.Begin, User: user, Service: "sshd", RHost: "192.0.2.7", PID: 4711}
}

func TestPacketsOfALogin(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	m := h.connect(Caller{UID: 0})
	m.send(begin("alice"))
	if r := m.receive(); r.Ask == nil || r.Ask.Text != "Verification code: " || r.Ask.Echo {
		t.Fatalf("%+v", r)
	}
	m.send(wire.Request{Kind: wire.Answer, Answer: "hunter2"})
	if r := m.receive(); r.Ask == nil || len(r.Tell) != 1 || !r.Tell[0].Error {
		t.Fatalf("%+v", r)
	}
	m.send(wire.Request{Kind: wire.Answer, Answer: p.code(0)})
	if r := m.receive(); r.Verdict != wire.Granted {
		t.Fatalf("%+v", r)
	}
	if err := m.closed(); err != nil {
		t.Error(err)
	}
}

func TestPacketsOfASetup(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"enroll\"\n")
	m := h.connect(Caller{UID: 0})
	m.send(begin("alice"))
	r := m.receive()
	if r.Ask == nil || r.Resume == "" || len(r.Tell) < 20 {
		t.Fatalf("%d lines, resume %q", len(r.Tell), r.Resume)
	}
}

func TestPacketsOutOfOrder(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	m := h.connect(Caller{UID: 0})
	m.send(wire.Request{Kind: wire.Answer, Answer: "123456"})
	if r := m.receive(); r.Verdict != wire.Denied {
		t.Errorf("an answer first: %+v", r)
	}
	m.closed()
	m = h.connect(Caller{UID: 0})
	m.send(begin("alice"))
	m.receive()
	m.send(begin("alice"))
	if r := m.receive(); r.Verdict != wire.Denied {
		t.Errorf("begin twice: %+v", r)
	}
	if err := m.closed(); err == nil {
		t.Error("nothing was wrong")
	}
}

func TestMalformedPacketsAreDenied(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	for name, b := range map[string][]byte{
		"one byte":     {1},
		"garbage":      []byte("GET / HTTP/1.0\r\n\r\n"),
		"too long":     make([]byte, 64<<10+1),
		"version 2":    {2, 1},
		"unknown kind": {1, 0x30},
		"a reply":      {1, 0x42, 0x24, 0, 1, 1},
	} {
		m := h.connect(Caller{UID: 0})
		if _, err := m.raw.Write(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r := m.receive(); r.Verdict != wire.Denied {
			t.Errorf("%s: %+v", name, r)
		}
		if err := m.closed(); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := h.connect(Caller{UID: 0})
	m.send(begin("alice"))
	m.receive()
	if _, err := m.raw.Write([]byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if r := m.receive(); r.Verdict != wire.Denied {
		t.Errorf("in the middle: %+v", r)
	}
	h.want("afterwards", h.verify("alice", p.code(0)), login.Granted)
}

func TestPacketsOfOtherPrograms(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\nremember = \"1h\"\n")
	p := h.enroll("alice", enroll.Options{}).later()
	m := h.connect(Caller{UID: 1001})
	m.send(begin("alice"))
	if r := m.receive(); r.Verdict != wire.Denied {
		t.Errorf("bob's program for alice: %+v", r)
	}
	if !strings.Contains(h.events.all(), "access-refused") {
		t.Error("not in the journal")
	}
	for range 2 { // a screen locker asks each time: nothing is remembered on its word
		m = h.connect(Caller{UID: 1000})
		m.send(begin("alice"))
		m.receive()
		m.send(wire.Request{Kind: wire.Answer, Answer: p.code(0)})
		if r := m.receive(); r.Verdict != wire.Granted {
			t.Errorf("alice's own program: %+v", r)
		}
		p.later()
	}
	m = h.connect(Caller{UID: 0})
	m.send(begin("alice"))
	if r := m.receive(); r.Ask == nil {
		t.Errorf("a login by root after it: %+v", r)
	}
}

func TestAccountPackets(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	for user, want := range map[string]wire.Verdict{"alice": wire.AccountRefused, "bob": wire.NotRequired, "nobody-here": wire.NotRequired} {
		m := h.connect(Caller{UID: 0})
		r := begin(user)
		r.Kind = wire.Account
		m.send(r)
		if got := m.receive(); got.Verdict != want {
			t.Errorf("%s: %+v", user, got)
		}
	}
}
