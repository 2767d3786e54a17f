package crash

import (
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// users are a user database.
type users []*person

func (u users) Lookup(name string) (uint32, error) {
	for _, p := range u {
		if p.Name == name {
			return p.uid, nil
		}
	}
	return 0, verifier.ErrUnknownUser
}

func (u users) Groups(name string) ([]string, error) { return []string{name}, nil }

func (u users) Name(uid uint32) (string, error) {
	for _, p := range u {
		if p.uid == uid {
			return p.Name, nil
		}
	}
	return "", verifier.ErrUnknownUser
}

// check holds what people had been told by a flush against the disk as of that flush, and returns how much that was.
func (r *recording) check(t *testing.T, n int, cut string, random *mathrand.Rand) (required int) {
	t.Helper()
	root := r.extract(t, n, random)
	defer os.RemoveAll(string(root))
	files := new(disk.OS)
	records := vault.Open(files, root, vault.LoadKeys(files, root, ""))
	for name, err := range records.Users() {
		if err == nil {
			_, err = records.Read(name)
		}
		if err != nil {
			t.Errorf("%s: a record has to be mended: %v", cut, err)
		}
	}
	last, now := r.last(n)
	v := r.verifier(t, root, records, now)
	for p, told := range last {
		required += told.used
		for i, code := range p.used[:told.used] {
			if s := v.Verify(request(p, i), code); s.Verdict != login.Denied {
				t.Errorf("%s: code %d of %d that %s had used: %s", cut, i, told.used, p.Name, s.Verdict)
			}
		}
		unused := p.recovery[len(p.recovery)-1]
		if s := v.Verify(request(p, told.used), unused); s.Verdict != login.Granted {
			t.Errorf("%s: a recovery code that %s had not used: %s", cut, p.Name, s.Verdict)
		}
	}
	return required
}

// verifier is that of a daemon that starts on the tree when the power is back, at once: so a code that was used before
// is still shown by the phone.
func (r *recording) verifier(t *testing.T, root disk.Root, records *vault.Vault, now time.Time) *verifier.Verifier {
	t.Helper()
	p, err := policy.Load(root)
	if err != nil {
		t.Fatalf("%v", err)
	}
	l, err := ledger.Open(ledger.Options{Root: root, FS: new(disk.OS), Now: now, Warn: func(format string, args ...any) {
		t.Errorf("the ledger: "+format, args...)
	}})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return verifier.New(verifier.Config{
		Policy: p, Records: records, Ledgers: verifier.Held{Ledger: l}, Leaders: &sessiontest.Leaders{Processes: &sessiontest.Processes{}},
		Users: r.people, Audit: audit.Open(io.Discard), Now: func() time.Time { return now }, Rand: rand.Reader,
	})
}

// request is a login from an address of its own: a few refusals from one would lock it.
func request(p *person, i int) login.Request {
	return login.Request{User: p.Name, UID: p.uid, Known: true, Service: "sshd", RHost: fmt.Sprintf("192.0.2.%d", i+1)}
}
