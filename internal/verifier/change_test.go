package verifier

import (
	"errors"
	"testing"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/policy"
)

func TestAdmit(t *testing.T) {
	h := newHost(t, "[login]\ntrusted = [\"panel\"]\n")
	for _, c := range []struct {
		uid     uint32
		user    string
		allowed bool
		self    bool
	}{
		{0, "alice", true, false},
		{0, "nobody-here", true, false},
		{33, "alice", true, false},
		{1000, "alice", true, true},
		{1000, "bob", false, false},
		{1000, "root", false, false},
		{1000, "nobody-here", false, false},
		{4242, "alice", false, false},
	} {
		r, err := h.v.Admit(Caller{UID: c.uid}, login.Request{User: c.user, Service: "sshd"})
		if (err == nil) != c.allowed || r.Self != c.self {
			t.Errorf("uid %d for %q: %v, self %v", c.uid, c.user, err, r.Self)
		}
		if err != nil && !errors.Is(err, ErrNotAllowed) {
			t.Errorf("uid %d for %q: %v", c.uid, c.user, err)
		}
	}
}

// A host is one source, whichever socket it comes in by.
func TestAdmitWritesAddressesInOneForm(t *testing.T) {
	h := newHost(t, "")
	for rhost, want := range map[string]string{
		"::ffff:192.0.2.7": "192.0.2.7", "192.0.2.7": "192.0.2.7", "2001:db8::1": "2001:db8::1", "desk.example": "desk.example", "": "",
	} {
		r, err := h.v.Admit(Caller{}, login.Request{User: "alice", Service: "cockpit", RHost: rhost})
		if err != nil || r.RHost != want {
			t.Errorf("%q: %q, %v, want %q", rhost, r.RHost, err, want)
		}
	}
}

func TestSecondDeviceNeedsACode(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{}); !errors.Is(err, ErrCodeRequired) {
		t.Errorf("without a code: %v", err)
	}
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{Code: "000000"}); !errors.Is(err, enroll.ErrCode) {
		t.Errorf("with a wrong code: %v", err)
	}
	code := p.code(0)
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{Code: code}); err != nil {
		t.Errorf("with a code: %v", err)
	}
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{Code: code}); !errors.Is(err, enroll.ErrCode) {
		t.Errorf("with a used code: %v", err)
	}
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{By: "root"}); err != nil {
		t.Errorf("by an administrator: %v", err)
	}
}

// The methods that take a code must not be a way to guess one.
func TestChangesCountWrongCodes(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	for _, try := range []func() error{
		func() error { return h.v.Remove("alice", "", "000000") },
		func() error { _, err := h.v.RecoveryCodes("alice", "000000"); return err },
		func() error { return h.v.Resync("alice", "", "000000", "000001", "") },
		func() error { _, err := h.v.Enroll("alice", enroll.Options{}, Proof{Code: "000000"}); return err },
		func() error { return h.v.Remove("alice", "phone", "000000") },
	} {
		if err := try(); err == nil {
			t.Error("a wrong code was taken")
		}
	}
	var locked *LockedError
	if err := h.v.Remove("alice", "", p.code(0)); !errors.As(err, &locked) || !locked.Until.After(h.clock()) {
		t.Errorf("after five wrong codes: %v", err)
	}
	if err := h.v.Resync("alice", "", p.code(0), p.code(1), ""); !errors.As(err, &locked) {
		t.Errorf("resync while locked: %v", err)
	}
	if err := h.v.Unlock("alice", "root"); err != nil {
		t.Fatal(err)
	}
	if err := h.v.Remove("alice", "", p.code(0)); err != nil {
		t.Errorf("unlocked: %v", err)
	}
	if st, err := h.v.Status("alice"); err != nil || st.Enrolled || st.RecoveryCodes != 0 {
		t.Errorf("removed: %v, %+v", err, st)
	}
}

func TestRecoveryCodesAreReplaced(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	codes, err := h.v.RecoveryCodes("alice", p.recovery[0])
	if err != nil || len(codes) != len(p.recovery) {
		t.Fatalf("%v, %d codes", err, len(codes))
	}
	h.want("an old one", h.verify("alice", p.recovery[1]), login.Denied)
	h.want("a new one", h.verify("alice", codes[9]), login.Granted)
}

func TestSwitchedOff(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{})
	off, err := policy.Parse([]policy.File{{Name: "sallyport.toml", Data: []byte("enabled = false\n")}})
	if err != nil {
		t.Fatal(err)
	}
	on := h.v.Policy()
	if err := h.v.SetPolicy(off); err != nil {
		t.Fatal(err)
	}
	h.want("off", h.verify("alice", "000000"), login.NotRequired)
	if _, err := h.v.Enroll("bob", enroll.Options{}, Proof{}); !errors.Is(err, ErrSwitchedOff) {
		t.Errorf("set-up while off: %v", err)
	}
	if err := h.v.SetPolicy(on); err != nil {
		t.Fatal(err)
	}
	p.later()
	h.want("on again", h.verify("alice", p.code(0)), login.Granted)
}

func TestResync(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{})
	h.at(noon.Add(time.Hour))
	h.want("a phone that is ten minutes ahead", h.verify("alice", p.code(20)), login.Denied)
	if err := h.v.Resync("alice", "", p.code(20), p.code(21), ""); err != nil {
		t.Fatal(err)
	}
	h.want("the used code", h.verify("alice", p.code(21)), login.Denied)
	h.want("the next one", h.verify("alice", p.code(22)), login.Granted)
}

// A name that was given to somebody else since does not carry the second factor over.
func TestReusedNameIsNotEnrolled(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\n")
	p := h.enroll("alice", enroll.Options{}).later()
	h.users["alice"] = 1500
	h.want("the old one's code", h.verify("alice", p.code(0)), login.Denied)
	if st, err := h.v.Status("alice"); err != nil || st.Enrolled {
		t.Errorf("%v, enrolled %v", err, st.Enrolled)
	}
}

// A name that was given to somebody else carries over nothing that its old user has left behind: no lock, no address that is
// exempt from one, no last login, no session. The old uid's devices keep their used codes.
func TestReusedNameBeginsAnew(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	h.want("the old user's login", h.verify("alice", p.code(0)), login.Granted)
	h.openSession("alice", "192.0.2.7", 101)
	for range 5 {
		h.verifyBy(login.Request{User: "alice", Service: "sshd", RHost: "198.51.100.1"}, "000000")
	}
	h.users["alice"] = 1500
	if st, err := h.v.Status("alice"); err != nil || !st.LockedUntil.IsZero() || !st.LastAccepted.IsZero() {
		t.Errorf("%v, the new user is locked until %v, and logged in last at %v", err, st.LockedUntil, st.LastAccepted)
	}
	if l, s := h.v.Begin(h.admitted("alice", "198.51.100.1", 102)); s.Verdict != login.NotRequired || l == nil {
		t.Errorf("the new user's login: %v", s)
	}
	q := h.enroll("alice", enroll.Options{})
	if account, err := h.ledger.Get("alice"); err != nil || account.Knows("192.0.2.7", h.clock()) {
		t.Errorf("%v, the old user's address is known", err)
	}
	q.later()
	h.want("the new user's code", h.verify("alice", q.code(0)), login.Granted)
	h.openSession("alice", "203.0.113.9", 103)
	h.wantEnding("the old user's session counts for the new one")
	if got := h.sessions("alice"); got != "192.0.2.7:101 203.0.113.9:103" {
		t.Errorf("sessions %q", got)
	}
}

// A uid that is given back, with the device that it had: what was used stays used.
func TestUIDThatComesBack(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\n")
	p := h.enroll("alice", enroll.Options{}).later()
	h.want("a code", h.verify("alice", p.code(0)), login.Granted)
	h.users["alice"] = 1500
	h.want("for another uid", h.verify("alice", "000000"), login.Denied)
	h.users["alice"] = 1000
	h.want("the same code again", h.verify("alice", p.code(0)), login.Denied)
	h.want("the next one", h.verify("alice", p.code(1)), login.Granted)
}

func TestDisableOfNobody(t *testing.T) {
	h := newHost(t, "")
	if err := h.v.Disable("alice", "root"); !errors.Is(err, enroll.ErrNotEnrolled) {
		t.Errorf("%v", err)
	}
}

// Who is disabled can set up again at once, whatever was typed before.
func TestDisableEndsLocks(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	for range 5 {
		h.verify("alice", "000000")
	}
	if err := h.v.Disable("alice", "root"); err != nil {
		t.Fatal(err)
	}
	if st, err := h.v.Status("alice"); err != nil || st.Enrolled || !st.LockedUntil.IsZero() {
		t.Errorf("%v, enrolled %v, locked until %v", err, st.Enrolled, st.LockedUntil)
	}
}

// An admin who is told "I cannot log in" sees the lock, whichever source it is of.
func TestStatusShowsALock(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	for range 5 {
		h.verify("alice", "000000")
	}
	if st, err := h.v.Status("alice"); err != nil || !st.LockedUntil.Equal(h.clock().Add(5*time.Minute)) {
		t.Errorf("%v, locked until %v", err, st.LockedUntil)
	}
	if err := h.v.Unlock("alice", "root"); err != nil {
		t.Fatal(err)
	}
	if st, err := h.v.Status("alice"); err != nil || !st.LockedUntil.IsZero() {
		t.Errorf("%v, locked until %v", err, st.LockedUntil)
	}
}
