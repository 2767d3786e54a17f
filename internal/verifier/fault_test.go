package verifier

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"sallyport/internal/disk/disktest"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/otp"
)

// On a full or read-only disk what must be durable is refused, and TOTP logins go on.
func TestFullDisk(t *testing.T) {
	for _, fault := range []struct {
		op  disktest.Op
		err error
	}{{disktest.Create, syscall.EROFS}, {disktest.Write, syscall.ENOSPC}, {disktest.SyncFile, syscall.EIO}, {disktest.Rename, syscall.EIO}, {disktest.SyncDir, syscall.EIO}} {
		h := newHost(t, "")
		alice := h.enroll("alice", enroll.Options{})
		bob := h.enroll("bob", enroll.Options{Kind: otp.HOTP})
		alice.later()
		h.disk.Fail(fault.op, fault.err)
		h.want("recovery code", h.verify("alice", alice.recovery[0]), login.Unavailable)
		h.want("HOTP", h.verify("bob", bob.code(1)), login.Unavailable)
		h.want("TOTP", h.verify("alice", alice.code(0)), login.Granted)
		if _, err := h.v.Enroll("panel", enroll.Options{}, Proof{}); err == nil {
			t.Errorf("%s: a set-up began", fault.op)
		}
		if st, err := h.v.Status("bob"); err != nil || !st.LastAccepted.IsZero() {
			t.Errorf("%s: a refused login left a trace: %v, %v", fault.op, err, st.LastAccepted)
		}
		h.disk.Fail(fault.op, nil)
		h.want("HOTP, the disk mended", h.verify("bob", bob.code(2)), login.Granted)
	}
}

// On such a disk a lock cannot be made durable. It holds all the same, or whoever fills the disk could guess without an end.
func TestFullDiskGivesNoGuesses(t *testing.T) {
	for _, op := range []disktest.Op{disktest.Create, disktest.Write, disktest.SyncFile, disktest.Rename, disktest.SyncDir} {
		h := newHost(t, "")
		alice := h.enroll("alice", enroll.Options{}).later()
		h.disk.Fail(op, syscall.ENOSPC)
		for range 4 {
			h.want("a wrong code", h.verify("alice", "000000"), login.Denied)
		}
		h.want("the one that begins a lock", h.verify("alice", "000000"), login.Unavailable)
		h.want("the next", h.verify("alice", alice.code(0)), login.Locked)
	}
}

func TestDamagedRecordDeniesItsUserOnly(t *testing.T) {
	h := newHost(t, "")
	alice, bob := h.enroll("alice", enroll.Options{}), h.enroll("bob", enroll.Options{})
	alice.later()
	path := h.root.Users() + "/alice.toml"
	h.disk.Put(path, []byte("version = 1\nuser = \"alice\"\nuid = "))
	h.want("alice", h.verify("alice", alice.code(0)), login.Unavailable)
	h.want("bob", h.verify("bob", bob.code(0)), login.Granted)
	if got := h.events.all(); !strings.Contains(got, "record-unreadable") || !strings.Contains(got, path) {
		t.Errorf("the journal does not name the file: %s", got)
	}
	if data, err := h.disk.ReadFile(path, 1000); err != nil || len(data) != 33 {
		t.Errorf("the damaged file was changed: %v, %d bytes", err, len(data))
	}
	if err := h.v.Disable("alice", "root"); err != nil {
		t.Errorf("disable is the way out: %v", err)
	}
	if _, err := h.v.Enroll("alice", enroll.Options{}, Proof{}); err != nil {
		t.Errorf("set up again: %v", err)
	}
}

func TestUserDatabaseAway(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	h.down = true
	if _, err := h.v.Admit(Caller{UID: 0}, sshLogin("alice")); err == nil || errors.Is(err, ErrNotAllowed) {
		t.Errorf("admitted without an answer: %v", err)
	}
}

func TestRuleByGroupWithoutGroups(t *testing.T) {
	h := newHost(t, "[[rule]]\nusers = [\"@automation\"]\nrequire = \"never\"\n")
	h.enroll("alice", enroll.Options{})
	r, err := h.v.Admit(Caller{UID: 0}, sshLogin("alice"))
	if err != nil {
		t.Fatal(err)
	}
	h.down = true
	_, s := h.v.Begin(r)
	h.want("exempt by a group that nobody can tell", s, login.Unavailable)
}

// errLedger fails where it is told to.
type errLedger struct {
	*ledger.Ledger
	get, put error
}

func (l errLedger) Get(user string) (*ledger.Account, error) {
	if l.get != nil {
		return nil, l.get
	}
	return l.Ledger.Get(user)
}

func (l errLedger) Put(user string, a *ledger.Account) error {
	if l.put != nil {
		return l.put
	}
	return l.Ledger.Put(user, a)
}

type lend struct {
	Ledger
	err error
}

func (l lend) Borrow() (Ledger, func(), error) { return l.Ledger, func() {}, l.err }

func TestLedgerFaultsDeny(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	broken := errors.New("no space left on device")
	for name, l := range map[string]lend{
		"get":    {Ledger: errLedger{h.ledger, broken, nil}},
		"put":    {Ledger: errLedger{h.ledger, nil, broken}},
		"borrow": {err: broken},
	} {
		h.v.Ledgers = l
		h.want(name, h.verify("alice", p.code(0)), login.Unavailable)
	}
	h.v.Ledgers = lend{err: ledger.ErrHeld}
	if s := h.verify("alice", p.code(0)); s.Verdict != login.Unavailable || !s.Busy {
		t.Errorf("held elsewhere: %v, busy %v", s.Verdict, s.Busy)
	}
	h.v.Ledgers = h
	h.want("none of them used the code up", h.verify("alice", p.code(0)), login.Granted)
}

func TestNoSecretInTheJournal(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	code := p.code(0)
	h.verify("alice", "hunter2secret")
	h.verify("alice", code)
	h.verify("alice", code)
	h.verify("alice", p.recovery[0])
	h.disk.Fail(disktest.Write, syscall.ENOSPC)
	h.verify("alice", p.recovery[1])
	journal := h.events.all()
	for _, secret := range []string{"hunter2secret", code, p.recovery[0], p.recovery[1], p.key.Secret.Base32()} {
		if strings.Contains(journal, secret) {
			t.Errorf("the journal has %q", secret)
		}
	}
	if !strings.Contains(journal, "code-replayed") || !strings.Contains(journal, "login-accepted") {
		t.Errorf("the journal: %s", journal)
	}
}

func TestLedgerFileGone(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	if _, err := os.Stat(h.root.LedgerFile()); err != nil {
		t.Errorf("the ledger is not where DESIGN says: %v", err)
	}
}

// The switch is the way out when all else is broken: nothing that a code would need may stand in its way.
func TestSwitchedOffNeedsNothing(t *testing.T) {
	h := newHost(t, "enabled = false\n")
	h.disk.Put(h.root.Users()+"/alice.toml", []byte("garbage"))
	h.v.Ledgers = lend{err: errors.New("the ledger is damaged")}
	h.want("a login", h.verify("alice", "000000"), login.NotRequired)
	r, err := h.v.Admit(Caller{UID: 0}, sshLogin("alice"))
	if err != nil {
		t.Fatal(err)
	}
	h.want("a key login", h.v.Account(r), login.NotRequired)
}
