package verifier

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/vault"
	"sallyport/internal/wire"
)

// counted counts what is asked of vault and ledger. Feigned writes count as writes.
type counted struct {
	Records
	Ledger
	get, put, ledgerGet, ledgerPut int
}

type countedRecords struct{ *counted }

func (c countedRecords) Get(user string, uid uint32) (*vault.Record, error) {
	c.get++
	return c.Records.Get(user, uid)
}

func (c countedRecords) Put(r *vault.Record) error {
	c.put++
	return c.Records.Put(r)
}

func (c countedRecords) Delete(user string) error { return c.Records.Delete(user) }

func (c countedRecords) Feign() error {
	c.put++
	return c.Records.Feign()
}

type countedLedger struct{ *counted }

func (c countedLedger) Get(user string) (*ledger.Account, error) {
	c.ledgerGet++
	return c.Ledger.Get(user)
}

func (c countedLedger) Put(user string, a *ledger.Account) error {
	c.ledgerPut++
	return c.Ledger.Put(user, a)
}

func (c countedLedger) Quarantine() time.Time { return c.Ledger.Quarantine() }

func (c countedLedger) Remembering(mark string) (uint64, error) { return c.Ledger.Remembering(mark) }

func (c countedLedger) Borrow() (Ledger, func(), error) { return c, func() {}, nil }

// TestPacketsTellNoNames: on the module's socket every packet to an enrolled user, one who is not and one who does not
// exist has the same bytes, and vault and ledger are asked for as much, up to and under a lock.
func TestPacketsTellNoNames(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\n")
	p := h.enroll("alice", enroll.Options{}).later()
	c := &counted{Records: h.v.Records, Ledger: h.ledger}
	h.v.Records, h.v.Ledgers = countedRecords{c}, countedLedger{c}
	wrong := wrongCode(t, p)
	exchange := func(user, answer string) string {
		*c = counted{Records: c.Records, Ledger: c.Ledger}
		m := h.connect(Caller{})
		m.send(wire.Request{Kind: wire.Begin, User: user, Service: "sshd", RHost: "192.0.2.7", PID: 4711})
		var all bytes.Buffer
		for {
			reply, err := m.conn.Read(time.Now().Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			sent, err := reply.Encode()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&all, "%q\n", sent)
			r, err := wire.ParseReply(reply)
			if err != nil {
				t.Fatal(err)
			}
			if r.Ask == nil {
				break
			}
			m.send(wire.Request{Kind: wire.Answer, Answer: answer})
		}
		<-m.done // so that all has been counted
		fmt.Fprintf(&all, "vault: %d read, %d written; ledger: %d read, %d written", c.get, c.put, c.ledgerGet, c.ledgerPut)
		return all.String()
	}
	locked := false
	for i, answer := range []string{"correct horse", "", wrong, "ABCD-EFGH-IJKL-MNOP", wrong, wrong} {
		want := exchange("alice", answer)
		for _, user := range []string{"bob", "mallory"} {
			if got := exchange(user, answer); got != want {
				t.Errorf("login %d with %q: %s gets\n%s\nand alice\n%s", i, answer, user, got, want)
			}
		}
		locked = locked || c.put > 0
	}
	if !locked {
		t.Error("nobody was locked: this tests little")
	}
}

// TestStrangersCostNoRecord: what is written for who has no record is no record.
func TestStrangersCostNoRecord(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\n")
	for range 6 {
		h.verify("mallory", "123456")
		h.verify("bob", "123456")
	}
	h.want("mallory is locked", h.verify("mallory", "123456"), login.Locked)
	for user := range h.v.Records.(*vault.Vault).Users() {
		t.Errorf("%q has a record", user)
	}
}

// wrongCode is no code of the person's around now.
func wrongCode(t *testing.T, p *person) string {
	t.Helper()
	for n := range 100 {
		code, step := fmt.Sprintf("%06d", n), p.key.Step(p.h.clock())
		if len(p.key.Matches(code, step-20, step+20)) == 0 {
			return code
		}
	}
	t.Fatal("a hundred codes are all right")
	return ""
}
