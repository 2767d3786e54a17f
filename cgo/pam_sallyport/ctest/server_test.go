package ctest

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/wire"
)

// script is a verifier for one connection.
type script func(p *peer)

// peer is the module, as a script sees it. A script that is wrong about what comes fails the test.
type peer struct {
	t    *testing.T
	unix *net.UnixConn
	conn *wire.Conn
	n    int // of connections before this one
	// leave ends the listening: the verifier goes away when the script ends.
	leave func() error
}

// serve listens on a socket of the root, "pam" for the daemon's or "half" for the Go half's, and runs the script for each
// connection, until the test ends or stop is called.
func (tr *tree) serve(t *testing.T, socket string, s script) (stop func()) {
	t.Helper()
	path := filepath.Join(tr.root, "run/sallyport", socket)
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ; n++ {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				s(&peer{t, c, wire.NewConn(c), n, l.Close})
			})
		}
	})
	stop = sync.OnceFunc(func() {
		l.Close()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func soon() time.Time { return time.Now().Add(time.Minute) }

// request takes the next packet, which must be of that kind.
func (p *peer) request(kind wire.Kind) wire.Request {
	p.t.Helper()
	packet, err := p.conn.Read(soon())
	if err != nil {
		p.t.Errorf("connection %d: waiting for %s: %v", p.n, kind, err)
		return wire.Request{}
	}
	r, err := wire.ParseRequest(packet)
	if err != nil || r.Kind != kind {
		p.t.Errorf("connection %d: %s came, want %s; %v", p.n, r.Kind, kind, err)
	}
	return r
}

// answer takes the next packet, which must be that answer.
func (p *peer) answer(want string) {
	p.t.Helper()
	if r := p.request(wire.Answer); r.Answer != want {
		p.t.Errorf("connection %d: answer %q, want %q", p.n, r.Answer, want)
	}
}

// reply sends a reply; a module that has gone is none of a script's business.
func (p *peer) reply(r wire.Reply) {
	p.t.Helper()
	if err := p.conn.Write(r.Packet(), soon()); errors.Is(err, wire.ErrMalformed) {
		p.t.Errorf("connection %d: %v", p.n, err)
	}
}

func (p *peer) ask(text string, tell ...wire.Message) {
	p.t.Helper()
	p.reply(wire.Reply{Tell: tell, Ask: &wire.Prompt{Text: text}})
}

func (p *peer) verdict(v wire.Verdict, tell ...wire.Message) {
	p.t.Helper()
	p.reply(wire.Reply{Tell: tell, Verdict: v, PasswordLength: -1})
}

// raw sends bytes as one packet; a module that has gone is none of a script's business.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	p.unix.SetWriteBuffer(1 << 20)
	if _, err := p.unix.Write(b); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		p.t.Errorf("connection %d: sending %d bytes: %v", p.n, len(b), err)
	}
}

// gone waits until the module has closed the connection.
func (p *peer) gone() {
	p.t.Helper()
	if _, err := p.conn.Read(soon()); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		p.t.Errorf("connection %d: %v, want its end", p.n, err)
	}
}

// await waits for something that the test does elsewhere.
func (p *peer) await(done <-chan struct{}) {
	p.t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		p.t.Errorf("connection %d: waited in vain", p.n)
	}
}

// asks is the script of most logins: one prompt, one verdict.
func asks(answer string, v wire.Verdict) script {
	return func(p *peer) {
		p.request(wire.Begin)
		p.ask("Code: ")
		p.answer(answer)
		p.verdict(v)
	}
}

// says replies to whatever comes with a verdict.
func says(v wire.Verdict) script {
	return func(p *peer) {
		if _, err := p.conn.Read(soon()); err == nil {
			p.verdict(v)
		}
	}
}

func info(text string) wire.Message { return wire.Message{Text: text} }

func alarm(text string) wire.Message { return wire.Message{Error: true, Text: text} }
