package verifier

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/enroll"
	"sallyport/internal/login"
)

// TestForgetAsksAgain has a login remembered, and that ended in each way that there is.
func TestForgetAsksAgain(t *testing.T) {
	for name, end := range map[string]func(h *host, p *person) error{
		"forget": func(h *host, p *person) error { return h.v.Forget("alice", "root") },
		"disable": func(h *host, p *person) error {
			if err := h.v.Disable("alice", "root"); err != nil {
				return err
			}
			h.enroll("alice", enroll.Options{})
			return nil
		},
		"remove": func(h *host, p *person) error {
			if err := h.v.Remove("alice", "", p.later().code(0)); err != nil {
				return err
			}
			h.enroll("alice", enroll.Options{})
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "[[rule]]\nremember = \"12h\"\n[lockout]\nuser_failures = 5\n")
			p := h.enroll("alice", enroll.Options{}).later()
			h.want("with a code", h.verify("alice", p.code(0)), login.Granted)
			h.want("remembered", h.verify("alice", "000000"), login.Granted)
			if err := end(h, p); err != nil {
				t.Fatal(err)
			}
			h.want("not remembered", h.verify("alice", "000000"), login.Denied)
			if name != "forget" {
				return
			}
			if got := h.events.all(); !strings.Contains(got, string(audit.Forgotten)+`: remembered logins forgotten: user "alice", by "root"`) {
				t.Errorf("the journal has no such event:\n%s", got)
			}
			// Others fill the user's quota of wrong codes; the source is known still, so they do not lock alice out there.
			elsewhere := sshLogin("alice")
			elsewhere.RHost = "203.0.113.9"
			for range 5 {
				h.verifyBy(elsewhere, "000000")
			}
			h.at(h.clock().Add(time.Minute))
			h.want("from a known source", h.verify("alice", p.later().code(0)), login.Granted)
		})
	}
}

func TestListedWithoutALedger(t *testing.T) {
	h := newHost(t, "")
	h.enroll("alice", enroll.Options{})
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if st, problem, err := h.v.Listed("alice", h.Lookup); err == nil {
		t.Errorf("%+v, problem %v, and no error", st, problem)
	}
}
