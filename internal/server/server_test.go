package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/client"
	"sallyport/internal/disk"
	"sallyport/internal/wire"

	account "sallyport/internal/api/iosallyportaccount"
)

// eventually waits until ok, which must come true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// serving is a host whose sockets are real, and the directory that they are below.
func serving(t *testing.T, policyText string) (*host, disk.Root, Listeners) {
	t.Helper()
	h := newHost(t, policyText)
	root := runtimeRoot(t)
	l, err := Listen(root)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil {
			t.Errorf("serving ended with %v", err)
		}
		h.Stop(time.Minute)
	})
	return h, root, l
}

// runtimeRoot is a tree with a runtime directory.
func runtimeRoot(t *testing.T) disk.Root {
	t.Helper()
	root := disk.Root(t.TempDir())
	if err := os.MkdirAll(root.Runtime(), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func connect(t *testing.T, network, path string) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix(network, nil, &net.UnixAddr{Name: path, Net: network})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCredentials shows that the kernel's word on who is there counts.
func TestCredentials(t *testing.T) {
	_, root, _ := serving(t, "")
	c, err := client.Dial(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	st, err := account.Status().Call(context.Background(), c, nil)
	if err != nil || st.User != "root" {
		t.Errorf("the status of %q, %v; want of root, which the tests run as", st.User, err)
	}
}

func TestPackets(t *testing.T) {
	h, root, _ := serving(t, always)
	p := h.enroll(t, "alice")
	c := wire.NewConn(connect(t, "unixpacket", root.PamSocket()))
	exchange := func(r wire.Request) wire.Reply {
		t.Helper()
		if err := c.Write(r.Packet(), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		packet, err := c.Read(time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := wire.ParseReply(packet)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	if r := exchange(wire.Request{Kind: wire.Begin, User: "alice", Service: "sshd", PID: 1}); r.Ask == nil {
		t.Fatalf("no question but %v", r)
	}
	if r := exchange(wire.Request{Kind: wire.Answer, Answer: p.code(t, h)}); r.Verdict != wire.Granted {
		t.Errorf("verdict %v, want granted", r.Verdict)
	}
}

// TestGarbage shows that whatever comes ends its own connection only.
func TestGarbage(t *testing.T) {
	_, root, _ := serving(t, "")
	for _, sent := range []string{"GET / HTTP/1.1\r\n\r\n\x00", strings.Repeat("x", 200_000), "{}\x00", "\x00", `{"method":"x"}` + "\x00"} {
		c := connect(t, "unix", root.VarlinkSocket())
		_, _ = io.WriteString(c, sent) // the server may have had enough before the end
		_ = c.CloseWrite()
		got, err := io.ReadAll(bufio.NewReader(c))
		if err == nil && !strings.HasPrefix(string(got), `{"`) {
			t.Errorf("%.20q is answered with %q", sent, got)
		}
	}
	for _, sent := range []string{"x", strings.Repeat("x", 60_000), "\x01\x01"} {
		c := connect(t, "unixpacket", root.PamSocket())
		_, _ = io.WriteString(c, sent)
		packet, err := wire.NewConn(c).Read(time.Now().Add(time.Minute))
		if err != nil {
			t.Fatalf("%.20q is answered with %v, want a denial", sent, err)
		}
		if r, err := wire.ParseReply(packet); err != nil || r.Verdict != wire.Denied {
			t.Errorf("%.20q is answered with %v, %v; want a denial", sent, r.Verdict, err)
		}
	}
	c, err := client.Dial(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := account.Status().Call(context.Background(), c, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTooManyConnections(t *testing.T) {
	h, root, _ := serving(t, "")
	h.others.mu.Lock()
	h.others.root = 2
	h.others.mu.Unlock()
	held := []*net.UnixConn{connect(t, "unix", root.VarlinkSocket()), connect(t, "unix", root.VarlinkSocket())}
	eventually(t, "both are counted", func() bool {
		h.others.mu.Lock()
		defer h.others.mu.Unlock()
		return h.others.open[0] == 2
	})
	over := connect(t, "unix", root.VarlinkSocket())
	if n, err := over.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection too many reads %d, %v; want EOF", n, err)
	}
	_ = held[0].Close()
	eventually(t, "its place is free", func() bool {
		h.others.mu.Lock()
		defer h.others.mu.Unlock()
		return h.others.open[0] == 1
	})
}

// TestStop shows that an orderly stop ends what waits, without a verdict: a module whose connection ends before the
// verdict begins again with the next daemon.
func TestStop(t *testing.T) {
	h, root, l := serving(t, always)
	h.enroll(t, "alice")
	idle := connect(t, "unix", root.VarlinkSocket())
	unix := connect(t, "unixpacket", root.PamSocket())
	c := wire.NewConn(unix)
	if err := c.Write(wire.Request{Kind: wire.Begin, User: "alice", Service: "sshd", PID: 1}.Packet(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are open", func() bool {
		h.mutex().Lock()
		defer h.mutex().Unlock()
		return len(h.open) == 2
	})
	l.Close()
	if !h.Stop(time.Minute) {
		t.Error("something did not finish")
	}
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection ends with %v, want EOF", err)
	}
	if packet, err := c.Read(time.Now().Add(time.Minute)); !errors.Is(err, io.EOF) {
		t.Errorf("the login that waits for its answer gets %v, %v; want EOF", packet, err)
	}
	if _, err := os.Lstat(root.PamSocket()); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// mutex is the server's, which the host's own hides.
func (h *host) mutex() *sync.Mutex { return &h.Server.mu }

// TestMistakeEndsOneConnection shows that a panic of ours is recorded, without what it panicked with.
func TestMistakeEndsOneConnection(t *testing.T) {
	h := newHost(t, "")
	h.contain(Peer{PID: 7}, func() { panic("123456") })
	if log := h.events.all(); !strings.Contains(log, "server_test.go") || strings.Contains(log, "123456") {
		t.Errorf("the journal says: %s", log)
	}
}

func TestListen(t *testing.T) {
	root := runtimeRoot(t)
	l, err := Listen(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{root.PamSocket(), root.VarlinkSocket()} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeSocket|0o666 {
			t.Errorf("%s: %v, %v; want a socket of mode 0666", path, info.Mode(), err)
		}
	}
	if _, err := Listen(root); err == nil || !strings.Contains(err.Error(), "somebody listens") {
		t.Errorf("listening where somebody does: %v", err)
	}
	// As a daemon that is killed leaves them behind.
	l.Pam.SetUnlinkOnClose(false)
	l.Varlink.SetUnlinkOnClose(false)
	l.Close()
	if l, err = Listen(root); err != nil {
		t.Fatalf("listening where nobody does any more: %v", err)
	}
	l.Close()
	if err := os.WriteFile(root.PamSocket(), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(root); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("listening where a file is: %v", err)
	}
	if text, err := os.ReadFile(root.PamSocket()); err != nil || string(text) != "mine" {
		t.Errorf("the file has %q, %v", text, err)
	}
	if err := os.Chmod(root.Runtime(), 0o777); err != nil {
		t.Fatal(err)
	}
	var open *disk.TrustError
	if _, err := Listen(root); !errors.As(err, &open) || open.Path != filepath.Clean(root.Runtime()) {
		t.Errorf("listening in a directory that others may write: %v", err)
	}
}
