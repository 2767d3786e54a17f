package verifier

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/vault"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// host is a verifier on a simulated disk and a real ledger, with a clock and a user database of its own.
type host struct {
	t      *testing.T
	v      *Verifier
	disk   *disktest.FS
	root   disk.Root
	ledger *ledger.Ledger
	events *journal
	*sessiontest.Leaders

	mu    sync.Mutex
	now   time.Time
	users map[string]uint32
	down  bool // the user database does not answer
}

// journal keeps the events, as text.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) Record(e audit.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(e.Kind)+": "+e.Message())
}

func (j *journal) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

func (h *host) Lookup(user string) (uint32, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return 0, errors.New("the user database does not answer")
	}
	uid, ok := h.users[user]
	if !ok {
		return 0, fmt.Errorf("%q: %w", user, ErrUnknownUser)
	}
	return uid, nil
}

func (h *host) Name(uid uint32) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, id := range h.users {
		if id == uid {
			return name, nil
		}
	}
	return "", ErrUnknownUser
}

func (h *host) Groups(user string) ([]string, error) {
	if _, err := h.Lookup(user); err != nil {
		return nil, err
	}
	return []string{user}, nil
}

func (h *host) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *host) at(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = t
}

// newHost is a host with the users alice (1000), bob (1001) and panel (33), and the given policy.
func newHost(t *testing.T, policyText string) *host {
	t.Helper()
	h := &host{
		t: t, disk: &disktest.FS{}, root: disk.Root(t.TempDir()), events: &journal{}, now: noon,
		Leaders: &sessiontest.Leaders{Processes: &sessiontest.Processes{}},
		users:   map[string]uint32{"root": 0, "alice": 1000, "bob": 1001, "panel": 33},
	}
	p, err := policy.Parse([]policy.File{{Name: "sallyport.toml", Data: []byte(policyText)}})
	if err != nil {
		t.Fatal(err)
	}
	h.open()
	h.v = New(Config{
		Policy: p, Records: vault.Open(h.disk, h.root, vault.LoadKeys(h.disk, h.root, "")), Ledgers: h, Leaders: h,
		Users: h, Audit: h.events, Now: h.clock, Rand: rand.Reader,
	})
	t.Cleanup(func() { h.ledger.Close() })
	return h
}

// open opens the ledger, as a daemon that starts does.
func (h *host) open() {
	h.t.Helper()
	l, err := ledger.Open(ledger.Options{Root: h.root, FS: h.disk, Now: h.clock(), Wait: time.Second})
	if err != nil {
		h.t.Fatal(err)
	}
	h.ledger = l
}

// Borrow lends the ledger that is open at the moment.
func (h *host) Borrow() (Ledger, func(), error) { return h.ledger, func() {}, nil }

func sshLogin(user string) login.Request {
	return login.Request{User: user, Service: "sshd", RHost: "192.0.2.7", PID: 4711}
}

// verify is a login with one answer, by root.
func (h *host) verify(user, code string) login.Step { return h.verifyBy(sshLogin(user), code) }

func (h *host) verifyBy(r login.Request, code string) login.Step {
	r, err := h.v.Admit(Caller{UID: 0}, r)
	if err != nil {
		h.t.Errorf("admitting root for %q: %v", r.User, err)
	}
	return h.v.Verify(r, code)
}

// person is an enrolled user's key and recovery codes.
type person struct {
	h        *host
	name     string
	key      otp.Key
	recovery []string
}

// enroll sets a user up by the verifier's own ways.
func (h *host) enroll(name string, o enroll.Options) *person {
	h.t.Helper()
	s, err := h.v.Enroll(name, o, Proof{})
	if err != nil {
		h.t.Fatal(err)
	}
	p := &person{h: h, name: name, key: s.URI.Key}
	done, err := h.v.Confirm(name, s.ID, p.code(0), "")
	if err != nil {
		h.t.Fatal(err)
	}
	p.recovery = done.Recovery
	return p
}

// code is the person's code, steps away from now; for HOTP, at that counter.
func (p *person) code(steps int64) string {
	p.h.t.Helper()
	if p.key.Kind == otp.TOTP {
		steps += p.key.Step(p.h.clock())
	}
	c, err := p.key.Code(steps)
	if err != nil {
		p.h.t.Fatal(err)
	}
	return c
}

// later sets the clock so that the code that confirmed is out of the window.
func (p *person) later() *person {
	p.h.at(p.h.clock().Add(2 * time.Minute))
	return p
}

func (h *host) want(what string, s login.Step, want login.Verdict) {
	h.t.Helper()
	if s.Verdict != want || s.Ask != nil {
		h.t.Errorf("%s: %v, want %v; told %v", what, s.Verdict, want, s.Tell)
	}
}
