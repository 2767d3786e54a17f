package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	"sallyport/internal/audit"
	"sallyport/internal/clock/monitor"
	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/passwd"
	"sallyport/internal/policy"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// host is a server in front of a real verifier, with a user database, a clock and a disk of its own.
type host struct {
	*Server
	*sessiontest.Leaders
	disk   *disktest.FS
	root   disk.Root
	events *events
	down   bool  // the user database does not answer
	policy error // what Reload and Change find
	report monitor.Report

	changes []policy.Change // what Change was called with
	by      string

	mu  sync.Mutex
	now time.Time
}

// users is a user database: name, uid and groups.
func users() map[string]struct {
	uid    uint32
	groups []string
} {
	return map[string]struct {
		uid    uint32
		groups []string
	}{
		"root":  {0, []string{"root"}},
		"alice": {1000, []string{"alice", "customers"}},
		"bob":   {1001, []string{"bob"}},
		"help":  {1002, []string{"helpdesk"}},
		"panel": {33, []string{"panel"}},
	}
}

const nobody = 4711 // a uid without a name

func (h *host) Lookup(name string) (uint32, error) {
	if h.down {
		return 0, errors.New("the user database does not answer")
	}
	u, ok := users()[name]
	if !ok {
		return 0, fmt.Errorf("%q: %w", name, verifier.ErrUnknownUser)
	}
	return u.uid, nil
}

func (h *host) Name(uid uint32) (string, error) {
	if h.down {
		return "", errors.New("the user database does not answer")
	}
	for name, u := range users() {
		if u.uid == uid {
			return name, nil
		}
	}
	return "", fmt.Errorf("uid %d: %w", uid, verifier.ErrUnknownUser)
}

func (h *host) Groups(name string) ([]string, error) {
	if _, err := h.Lookup(name); err != nil {
		return nil, err
	}
	return users()[name].groups, nil
}

// Accounts has everybody twice, as a host does whose NSS asks files and a directory service.
func (h *host) Accounts() iter.Seq2[passwd.Account, error] {
	return func(yield func(passwd.Account, error) bool) {
		for range 2 {
			for name, u := range users() {
				if !yield(passwd.Account{Name: name, UID: u.uid, Shell: "/bin/sh"}, nil) {
					return
				}
			}
		}
		if h.down {
			yield(passwd.Account{}, errors.New("the user database does not answer"))
		}
	}
}

// events keeps the journal as text.
type events struct {
	mu    sync.Mutex
	lines []string
}

func (e *events) Record(event audit.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, event.Message())
}

func (e *events) all() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.lines, "\n")
}

func newHost(t testing.TB, policyText string) *host {
	t.Helper()
	p, err := policy.Parse([]policy.File{{Name: "sallyport.toml", Data: []byte(policyText)}})
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Leaders: &sessiontest.Leaders{Processes: &sessiontest.Processes{}}, disk: &disktest.FS{}, events: &events{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	root := disk.Root(t.TempDir())
	h.root = root
	l, err := ledger.Open(ledger.Options{Root: root, FS: h.disk, Now: h.clock(), Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	records := vault.Open(h.disk, root, vault.LoadKeys(h.disk, root, ""))
	v := verifier.New(verifier.Config{
		Policy: p, Records: records, Ledgers: verifier.Held{Ledger: l}, Leaders: h, Users: h, Audit: h.events, Now: h.clock, Rand: rand.Reader,
	})
	h.Server, err = New(Config{Verifier: v, Vault: records, Users: h, Accounts: h, Audit: h.events, Clock: func() (monitor.Report, error) { return h.report, nil }, Reload: func() error { return h.policy },
		Change: func(changes []policy.Change, by string) ([]string, error) {
			h.changes, h.by = changes, by
			return nil, h.policy
		}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *host) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// person is an enrolled user's key and recovery codes.
type person struct {
	key      otp.Key
	recovery []string
}

// enroll sets a user up, and waits until the first code is past.
func (h *host) enroll(t testing.TB, name string) person {
	t.Helper()
	s, err := h.Verifier.Enroll(name, enroll.Options{}, verifier.Proof{By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	p := person{key: s.URI.Key}
	done, err := h.Verifier.Confirm(name, s.ID, p.code(t, h), "")
	if err != nil {
		t.Fatal(err)
	}
	p.recovery = done.Recovery
	h.wait(2 * time.Minute)
	return p
}

// code is the person's code of now.
func (p person) code(t testing.TB, h *host) string {
	t.Helper()
	code, err := p.key.Code(p.key.Step(h.clock()))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// dial connects as somebody, without a kernel that says who it is.
func (h *host) dial(t testing.TB, uid uint32) *varlink.Connection {
	t.Helper()
	theirs, ours := net.Pipe()
	conn := &messageConn{Conn: ours, most: MaxMessage, idle: time.Minute, arrival: time.Minute, write: time.Minute}
	ctx := context.WithValue(context.Background(), callerKey{}, &caller{peer: Peer{UID: uid, PID: 1}})
	done := make(chan struct{})
	go func() { h.varlink.ServeConn(ctx, conn); close(done) }()
	c, err := varlink.NewConnectionWithDialer(ctx, "unix:pipe", pipe{theirs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c
}

type pipe struct{ net.Conn }

func (p pipe) DialContext(context.Context, string, string) (net.Conn, error) { return p.Conn, nil }

// call makes one call as somebody. It returns the reply, or the name of the error without its interface.
func (h *host) call(t testing.TB, uid uint32, method string, parameters map[string]any) (reply map[string]any, failure string) {
	t.Helper()
	return callOn(t, h.dial(t, uid), method, parameters)
}

func callOn(t testing.TB, c *varlink.Connection, method string, parameters map[string]any) (reply map[string]any, failure string) {
	t.Helper()
	err := c.Call(context.Background(), method, parameters, &reply)
	if err == nil {
		return reply, ""
	}
	var e *varlink.Error
	if errors.As(err, &e) {
		return nil, e.Name[strings.LastIndexByte(e.Name, '.')+1:]
	}
	var invalid *varlink.InvalidParameter
	if errors.As(err, &invalid) {
		return nil, "InvalidParameter " + invalid.Parameter
	}
	return nil, err.Error()
}

// personOf is who has typed a key into an app.
func personOf(t testing.TB, base32 string) person {
	t.Helper()
	secret, err := otp.ParseSecret(base32)
	if err != nil {
		t.Fatal(err)
	}
	return person{key: otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: secret, Digits: 6, Period: 30 * time.Second}}
}
