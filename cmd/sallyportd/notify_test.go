package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/client"
	"sallyport/internal/disk"
)

// manager is the service manager's end of NOTIFY_SOCKET.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn, path}
}

// next is the next message, in its lines.
func (m *manager) next() []string {
	m.t.Helper()
	b := make([]byte, 4096)
	if err := m.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	n, err := m.conn.Read(b)
	if err != nil {
		m.t.Fatalf("the service manager hears nothing: %v", err)
	}
	return strings.Split(string(b[:n]), "\n")
}

// expect wants a message whose lines begin as given.
func (m *manager) expect(prefixes ...string) {
	m.t.Helper()
	lines := m.next()
	ok := len(lines) == len(prefixes)
	for i := range prefixes {
		ok = ok && strings.HasPrefix(lines[i], prefixes[i])
	}
	if !ok {
		m.t.Errorf("the service manager hears %q, want %q", lines, prefixes)
	}
}

// TestNotify follows a daemon's life as the service manager hears of it.
func TestNotify(t *testing.T) {
	root, m := tree(t), newManager(t)
	p := run(t, root, []string{"NOTIFY_SOCKET=" + m.path})
	m.expect("READY=1", "STATUS=Ready: 0 users enrolled, policy from "+root.Config()+".")

	writePolicy(t, root, "[codes]\nwindow = 2\n")
	p.signal(unix.SIGHUP)
	m.expect("RELOADING=1", "MONOTONIC_USEC=")
	m.expect("READY=1", "STATUS=Ready: 0 users")
	inForce(t, root, "2")

	writePolicy(t, root, "[codes]\nwindow = \"wide\"\nno_such = 1\n")
	p.signal(unix.SIGHUP)
	m.expect("RELOADING=1", "MONOTONIC_USEC=")
	m.expect("READY=1", "STATUS=The policy has problems, the one before stays in force: "+root.Config()+"/sallyport.toml:2: ")
	inForce(t, root, "2")

	writePolicy(t, root, "")
	p.signal(unix.SIGHUP)
	m.expect("RELOADING=1", "MONOTONIC_USEC=")
	m.expect("READY=1", "STATUS=Ready: 0 users")

	p.signal(unix.SIGTERM)
	m.expect("STOPPING=1", "STATUS=Stopping.")
	if got := p.wait(); got != 0 {
		t.Errorf("exit status %d on SIGTERM, want 0", got)
	}
	if _, err := os.Stat(root.SavedClean()); err != nil {
		t.Errorf("no clean copy of the ledger: %v", err)
	}
}

// TestKeyProblem: a key that cannot be read is in the status, and is tried again until it can be.
func TestKeyProblem(t *testing.T) {
	t.Parallel() // the daemon waits in between
	root, m := tree(t), newManager(t)
	for _, write := range []string{"no key", strings.Repeat("A", 43) + "=\n"} {
		if err := os.WriteFile(root.KeyFile(), []byte(write), 0o600); err != nil {
			t.Fatal(err)
		}
		if write == "no key" {
			run(t, root, []string{"NOTIFY_SOCKET=" + m.path})
			m.expect("READY=1", "STATUS=No record can be written, and no sealed one read: loading vault keys: ")
		}
	}
	m.expect("STATUS=Ready: 0 users enrolled")
}

// inForce wants codes.window of the running policy to be as given.
func inForce(t *testing.T, root disk.Root, window string) {
	t.Helper()
	c, err := client.Dial(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	settings, _, _, err := admin.Policy().Call(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if s.Name == "codes.window" && s.Value != window {
			t.Errorf("codes.window is %s in the running policy, want %s", s.Value, window)
		}
	}
}

func TestWatchdog(t *testing.T) {
	root, m := tree(t), newManager(t)
	// The shell's own pid, which exec keeps.
	run(t, root, []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=40000"})
	m.expect("READY=1", "STATUS=")
	for range 5 {
		m.expect("WATCHDOG=1")
	}
}
