package verifier

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/vault"
)

func parsed(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]policy.File{{Name: "sallyport.toml", Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *host) setPolicy(p *policy.Policy) {
	h.t.Helper()
	if err := h.v.SetPolicy(p); err != nil {
		h.t.Fatal(err)
	}
}

// TestRememberedNeverSurvivesADrop: a policy that stops remembering forgets, whether or not anybody logs in under it, and
// whatever becomes of the daemon in between.
func TestRememberedNeverSurvivesADrop(t *testing.T) {
	const remembering = "[[rule]]\nservices = [\"sshd\"]\nremember = \"12h\"\n"
	for name, between := range map[string]func(*host){
		"nothing": func(*host) {},
		"a login": func(h *host) { h.want("while it is dropped", h.verify("alice", "000000"), login.Denied) },
		"restarts": func(h *host) {
			if err := h.ledger.Close(); err != nil {
				h.t.Fatal(err)
			}
			h.open()
		},
		"logins without the daemon": func(h *host) {
			v := New(Config{Policy: h.v.Policy(), Records: h.v.Records, Ledgers: h, Users: h, Audit: h.events, Now: h.clock, Rand: h.v.Rand})
			v.Verify(login.Request{User: "bob", UID: 1001, Known: true, Service: "sshd"}, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, remembering)
			h.setPolicy(h.v.Policy())
			p := h.enroll("alice", enroll.Options{}).later()
			h.want("with a code", h.verify("alice", p.code(0)), login.Granted)
			h.want("remembered", h.verify("alice", ""), login.Granted)
			h.at(h.clock().Add(time.Minute))
			h.setPolicy(parsed(t, remembering+"window = 2\n"))
			h.want("a change of something else", h.verify("alice", ""), login.Granted)
			h.setPolicy(parsed(t, ""))
			between(h)
			h.at(h.clock().Add(time.Minute))
			h.setPolicy(parsed(t, remembering))
			h.want("back", h.verify("alice", ""), login.Denied)
			h.want("with a code again", h.verify("alice", p.code(0)), login.Granted)
			h.want("remembered again", h.verify("alice", ""), login.Granted)
		})
	}
}

// TestRememberedBeforeAClockThatIsSetBack: a login from before a change of the rules does not count after it, though the
// clock comes once more to when it was.
func TestRememberedBeforeAClockThatIsSetBack(t *testing.T) {
	const remembering = "[[rule]]\nservices = [\"sshd\"]\nremember = \"12h\"\n"
	h := newHost(t, remembering)
	h.setPolicy(h.v.Policy())
	p := h.enroll("alice", enroll.Options{}).later()
	at := h.clock()
	h.want("with a code", h.verify("alice", p.code(0)), login.Granted)
	h.at(at.Add(10 * time.Minute))
	h.setPolicy(parsed(t, ""))
	h.setPolicy(parsed(t, remembering))
	h.at(at.Add(-time.Hour))
	h.want("the clock set back", h.verify("alice", ""), login.Denied)
	h.at(at.Add(5 * time.Minute))
	h.want("later than the login, earlier than the change", h.verify("alice", ""), login.Denied)
	h.want("with a code again", h.verify("alice", p.code(0)), login.Granted)
	h.want("remembered again, at once", h.verify("alice", ""), login.Granted)
}

// TestDroppedWhileNobodyVerifies: the first verifier under a policy notes it, be it the module's Go half.
func TestDroppedWhileNobodyVerifies(t *testing.T) {
	const remembering = "[[rule]]\nremember = \"12h\"\n"
	h := newHost(t, remembering)
	h.setPolicy(h.v.Policy())
	p := h.enroll("alice", enroll.Options{}).later()
	h.want("with a code", h.verify("alice", p.code(0)), login.Granted)
	h.at(h.clock().Add(time.Minute))
	goHalf := New(Config{Policy: parsed(t, ""), Records: h.v.Records, Ledgers: h, Users: h, Audit: h.events, Now: h.clock, Rand: h.v.Rand})
	goHalf.Verify(login.Request{User: "alice", UID: 1000, Known: true, Service: "sshd", RHost: "192.0.2.7"}, "")
	h.at(h.clock().Add(time.Minute))
	h.want("after it", h.verify("alice", ""), login.Denied)
}

// TestRememberedEndsWithItsDevice: what was remembered of logins by a device that is gone, which a thief may have made,
// does not let the thief in.
func TestRememberedEndsWithItsDevice(t *testing.T) {
	for name, lose := range map[string]func(*host, *person) error{
		"disabled":   func(h *host, _ *person) error { return h.v.Disable("alice", "root") },
		"removed":    func(h *host, p *person) error { return h.v.Remove("alice", "", p.recovery[1]) },
		"one device": func(h *host, p *person) error { return h.v.Remove("alice", "phone", p.recovery[1]) },
		"replaced by an import": func(h *host, _ *person) error {
			key, err := otp.Generate(rand.Reader, otp.TOTP, otp.SHA1, 6, 30*time.Second)
			if err != nil {
				return err
			}
			_, _, err = h.v.Import("alice", enroll.Import{Devices: []enroll.Device{{Token: vault.Token{Label: "new", Key: key}}}, Replace: true}, true, "root")
			return err
		},
		"reconfigured": func(h *host, p *person) error {
			s, err := h.v.Enroll("alice", enroll.Options{Replaces: "phone"}, Proof{Code: p.recovery[1]})
			if err != nil {
				return err
			}
			code, err := s.URI.Key.Code(s.URI.Key.Step(h.clock()))
			if err != nil {
				return err
			}
			_, err = h.v.Confirm("alice", s.ID, code, "")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "[[rule]]\nrequire = \"always\"\nremember = \"12h\"\n")
			p := h.enroll("alice", enroll.Options{}).later()
			h.want("with a code", h.verify("alice", p.code(0)), login.Granted)
			h.want("remembered", h.verify("alice", ""), login.Granted)
			if err := lose(h, p); err != nil {
				t.Fatal(err)
			}
			if st, err := h.v.Status("alice"); err == nil && !st.Enrolled {
				h.enroll("alice", enroll.Options{})
			}
			h.want("from where the lost phone was", h.verify("alice", ""), login.Denied)
		})
	}
}

// TestPolicyThatCannotBeNoted is not taken: what the ledger does not know of would not be forgotten.
func TestPolicyThatCannotBeNoted(t *testing.T) {
	h := newHost(t, "")
	before := h.v.Policy()
	h.v.Ledgers = nowhere{}
	if err := h.v.SetPolicy(parsed(t, "[[rule]]\nremember = \"12h\"\n")); err == nil || h.v.Policy() != before {
		t.Errorf("it is taken: %v, %v", err, h.v.Policy() != before)
	}
}

type nowhere struct{}

func (nowhere) Borrow() (Ledger, func(), error) { return nil, nil, ledger.ErrHeld }

// TestPublicKey: sshd's word counts, and nobody's own.
func TestPublicKey(t *testing.T) {
	h := newHost(t, "[login]\ntrusted = [\"panel\"]\n[[rule]]\npublickey = true\nrequire = \"never\"\n[[rule]]\nrequire = \"always\"\n")
	for _, test := range []struct {
		what    string
		by      uint32
		methods []string
		want    bool // that a code is asked for
	}{
		{"a key", 0, []string{"publickey"}, false},
		{"a key and a password", 0, []string{"publickey", "password"}, false},
		{"a password", 0, []string{"password"}, true},
		{"nothing", 0, nil, true},
		{"a key, says the user", 1000, []string{"publickey"}, true},
		{"no auth phase", 0, []string{"auth-skipped"}, false},
		{"no auth phase, says the user", 1000, []string{"auth-skipped"}, true},
		{"something like a key", 0, []string{"publickey-hostbound", "PublicKey"}, true},
	} {
		r := sshLogin("alice")
		r.Methods = test.methods
		r, err := h.v.Admit(Caller{UID: test.by}, r)
		if err != nil {
			t.Fatal(err)
		}
		_, s := h.v.Begin(r)
		if got := s.Ask != nil; got != test.want {
			t.Errorf("%s: a code is asked for: %v, want %v (%v)", test.what, got, test.want, s.Verdict)
		}
		r.Service = "sudo"
		if slices.Contains(r.Methods, login.AuthSkipped) {
			h.want(test.what+", not sshd", h.v.Account(r), login.AccountRefused)
		}
		r.Service = "sshd"
		if account := h.v.Account(r); (account.Verdict == login.AccountRefused) != test.want {
			t.Errorf("%s: the account phase says %v", test.what, account.Verdict)
		}
	}
}

// TestGroupsThatCannotBeLookedUp deny where a rule hangs on them, be it one that would have exempted.
func TestGroupsThatCannotBeLookedUp(t *testing.T) {
	h := newHost(t, "[[rule]]\nusers = [\"@alice\"]\nrequire = \"never\"\n[[rule]]\nservices = [\"sudo\"]\nrequire = \"never\"\n")
	r, err := h.v.Admit(Caller{}, sshLogin("alice"))
	if err != nil {
		t.Fatal(err)
	}
	_, s := h.v.Begin(r)
	h.want("who is in the group", s, login.NotRequired)
	h.down = true
	_, s = h.v.Begin(r)
	h.want("without the groups", s, login.Unavailable)
	h.want("without the groups, the account phase", h.v.Account(r), login.Unavailable)
}
