package verifier

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/wire"
)

// openSession opens a session by root, led by a new process with this PID.
func (h *host) openSession(user, source string, pid int) login.Step {
	h.t.Helper()
	h.Start(pid, 0)
	return h.v.OpenSession(Caller{UID: 0}, h.admitted(user, source, pid))
}

func (h *host) admitted(user, source string, pid int) login.Request {
	h.t.Helper()
	r, err := h.v.Admit(Caller{UID: 0}, login.Request{User: user, Service: "sshd", RHost: source, TTY: "ssh", PID: pid})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// sessions is who is logged in, "source:pid+pid ..." by age.
func (h *host) sessions(user string) string {
	h.t.Helper()
	all, err := h.v.Sessions(user)
	if err != nil {
		h.t.Fatal(err)
	}
	var texts []string
	for _, s := range all {
		var pids []string
		for _, w := range s {
			pids = append(pids, fmt.Sprint(w.PID))
		}
		texts = append(texts, s[0].Source+":"+strings.Join(pids, "+"))
	}
	return strings.Join(texts, " ")
}

func (h *host) wantSessions(what, want string) {
	h.t.Helper()
	if got := h.sessions("alice"); got != want {
		h.t.Errorf("%s: sessions %q, want %q", what, got, want)
	}
}

// wantEnding checks which processes were to be ended since it was asked last.
func (h *host) wantEnding(what string, want ...int) []ledger.Window {
	h.t.Helper()
	ending := h.Ending()
	var got []int
	for _, w := range ending {
		got = append(got, w.PID)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("%s: ends %v, want %v", what, got, want)
	}
	return ending
}

func TestWindowsOfOneHostAreOneSession(t *testing.T) {
	h := newHost(t, "")
	for i, source := range []string{"192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7"} {
		h.want(source, h.openSession("alice", source, 100+i), login.Granted)
	}
	h.wantSessions("two shells and an scp", "192.0.2.7:100+101+102")
	h.wantEnding("two shells and an scp")
	h.leaves(101)
	h.wantSessions("one has ended", "192.0.2.7:100+102")
	if !strings.Contains(h.events.all(), "session closed: user \"alice\"") {
		t.Errorf("the end of a process is not in the journal:\n%s", h.events.all())
	}
}

// leaves ends a process.
func (h *host) leaves(pid int) { h.Processes.End(pid) }

func TestDisplace(t *testing.T) {
	h := newHost(t, "[sessions]\nlimit = 2\n")
	h.openSession("alice", "192.0.2.1", 101)
	h.at(noon.Add(time.Minute))
	h.openSession("alice", "192.0.2.2", 102)
	h.openSession("bob", "192.0.2.9", 109)
	h.at(noon.Add(2 * time.Minute))
	h.openSession("alice", "192.0.2.1", 103)
	h.wantEnding("up to the limit")
	h.want("one from elsewhere", h.openSession("alice", "192.0.2.3", 104), login.Granted)
	for _, w := range h.wantEnding("one too many", 101, 103) {
		if w.Notice != "This session was taken over at 12:02 by a login from 192.0.2.3 (sshd)." {
			t.Errorf("its terminal is told %q", w.Notice)
		}
	}
	h.wantSessions("the newest stay", "192.0.2.2:102 192.0.2.3:104")
	if !strings.Contains(h.events.all(), `session displaced: user "alice", service sshd, from 192.0.2.1, on ssh, process 101 (by a login of service sshd from 192.0.2.3)`) {
		t.Errorf("not in the journal:\n%s", h.events.all())
	}
	// While it is being ended it counts no more, and is ended again by whoever comes by.
	h.openSession("alice", "192.0.2.3", 105)
	h.wantEnding("later", 101, 103)
	h.want("closing", h.v.CloseSession(Caller{}, h.admitted("alice", "192.0.2.1", 101)), login.Granted)
	h.leaves(103)
	if windows, _ := h.ledger.Windows("alice"); len(windows) != 3 {
		t.Errorf("%d windows are left, want 3", len(windows))
	}
}

func TestDeny(t *testing.T) {
	h := newHost(t, "[sessions]\nexcess = \"deny\"\n")
	h.Start(101, 0, "pts/1")
	h.v.OpenSession(Caller{}, h.admitted("alice", "192.0.2.1", 101))
	h.want("the same host", h.openSession("alice", "192.0.2.1", 102), login.Granted)
	s := h.openSession("alice", "192.0.2.2", 103)
	h.want("another one", s, login.SessionRefused)
	if got := s.Tell[0].Text; got != "Already logged in from 192.0.2.1 since 12:00 on pts/1. You may have 1 session at a time." {
		t.Errorf("told %q", got)
	}
	h.wantEnding("nobody")
	h.leaves(101)
	h.want("still one", h.openSession("alice", "192.0.2.2", 103), login.SessionRefused)
	h.leaves(102)
	h.want("none", h.openSession("alice", "192.0.2.2", 103), login.Granted)
}

// TestUnclearCounts: where the kernel does not say whether a leader lives, it counts.
func TestUnclearCounts(t *testing.T) {
	h := newHost(t, "[sessions]\nexcess = \"deny\"\n")
	h.openSession("alice", "192.0.2.1", 101)
	r := h.admitted("alice", "192.0.2.2", 102)
	leader := h.Start(102, 0)
	h.Unclear = errors.New("no /proc")
	d, err := h.v.decide(r, noon)
	if err != nil {
		t.Fatal(err)
	}
	if s, _, err := h.v.admitSession(r, d, leader, noon); err != nil || s.Verdict != login.SessionRefused {
		t.Errorf("%v, %v", s.Verdict, err)
	}
	h.want("and who cannot be identified", h.v.OpenSession(Caller{}, r), login.SessionRefused)
}

func TestJoinNever(t *testing.T) {
	h := newHost(t, "[sessions]\njoin = \"never\"\nlimit = 2\n")
	for pid := 101; pid <= 103; pid++ {
		h.openSession("alice", "192.0.2.1", pid)
		h.at(h.clock().Add(time.Second))
	}
	h.wantEnding("each counts", 101)
	h.wantSessions("each counts", "192.0.2.1:102 192.0.2.1:103")
}

func TestLimitZero(t *testing.T) {
	h := newHost(t, "[sessions]\nlimit = 0\nexcess = \"deny\"\n")
	for i := range 5 {
		h.want("no limit", h.openSession("alice", fmt.Sprintf("192.0.2.%d", i), 101+i), login.Granted)
	}
	if n := len(strings.Fields(h.sessions("alice"))); n != 5 {
		t.Errorf("%d are tracked, want 5", n)
	}
}

// TestNoSessions are services and hosts whose logins are none.
func TestNoSessions(t *testing.T) {
	h := newHost(t, "")
	for _, service := range []string{"sudo", "su-l", "cron"} {
		r := h.admitted("alice", "", 0) // not even a process is looked at
		r.Service = service
		h.want(service, h.v.OpenSession(Caller{}, r), login.Granted)
	}
	h.wantSessions("sudo, su and cron", "")
	if got := h.events.all(); got != "" {
		t.Errorf("the journal has %q", got)
	}
	h = newHost(t, "enabled = false\n[sessions]\nexcess = \"deny\"\n")
	h.openSession("alice", "192.0.2.1", 101)
	h.want("switched off", h.openSession("alice", "192.0.2.2", 102), login.Granted)
	h.wantSessions("switched off", "")
}

// TestRuleOfSessions: a rule's values count for the logins that it matches.
func TestRuleOfSessions(t *testing.T) {
	h := newHost(t, "[[rule]]\nfrom = [\"10.0.0.0/8\"]\nlimit = 3\nexcess = \"deny\"\njoin = \"never\"\n")
	for i := range 3 {
		h.want("by rule", h.openSession("alice", "10.0.0.1", 101+i), login.Granted)
	}
	h.want("by rule", h.openSession("alice", "10.0.0.1", 104), login.SessionRefused)
	h.want("by the table", h.openSession("alice", "192.0.2.1", 105), login.Granted)
	h.wantEnding("the table's limit is 1", 101, 102, 103)
}

func TestCloseSession(t *testing.T) {
	h := newHost(t, "")
	h.openSession("alice", "192.0.2.1", 101)
	h.openSession("alice", "192.0.2.1", 102)
	h.openSession("bob", "192.0.2.1", 103)
	h.want("of nobody", h.v.CloseSession(Caller{}, h.admitted("alice", "192.0.2.1", 999)), login.Granted)
	h.want("of bob's process", h.v.CloseSession(Caller{}, h.admitted("alice", "192.0.2.1", 103)), login.Granted)
	h.wantSessions("nothing of it", "192.0.2.1:101+102")
	h.want("of the first", h.v.CloseSession(Caller{}, h.admitted("alice", "192.0.2.1", 101)), login.Granted)
	h.wantSessions("one", "192.0.2.1:102")
	h.wantEnding("logout = one")
	h.leaves(101) // which has no more to say
	if n := strings.Count(h.events.all(), "session closed"); n != 1 {
		t.Errorf("%d windows were closed, want 1:\n%s", n, h.events.all())
	}
}

// TestLogoutAll ends what the policy says it for, and not a shell from the same desk.
func TestLogoutAll(t *testing.T) {
	h := newHost(t, "[[rule]]\nservices = [\"cockpit\"]\nlogout = \"all\"\n")
	cockpit := func(pid int) login.Request {
		h.Start(pid, 0)
		r := h.admitted("alice", "192.0.2.1", pid)
		r.Service, r.TTY = "cockpit", ""
		return r
	}
	for pid := 101; pid <= 103; pid++ {
		h.v.OpenSession(Caller{}, cockpit(pid))
	}
	h.openSession("alice", "192.0.2.1", 104)
	r := h.admitted("alice", "192.0.2.1", 101)
	r.Service, r.TTY = "cockpit", ""
	h.v.CloseSession(Caller{}, r)
	h.wantEnding("a logout", 102, 103)
	h.wantSessions("a logout", "192.0.2.1:104")
	if !strings.Contains(h.events.all(), "session ended: user \"alice\", service cockpit, from 192.0.2.1, process 102 (a logout in another window)") {
		t.Errorf("not in the journal:\n%s", h.events.all())
	}
	h.v.OpenSession(Caller{}, cockpit(105))
	h.v.OpenSession(Caller{}, cockpit(106))
	h.Ending()
	h.leaves(105)
	h.wantEnding("a crash is no logout")
}

// TestPIDReuse: another process with a leader's PID is not that leader.
func TestPIDReuse(t *testing.T) {
	h := newHost(t, "[sessions]\nexcess = \"deny\"\n")
	h.openSession("alice", "192.0.2.1", 101)
	w, err := h.ledger.Windows("alice")
	if err != nil {
		t.Fatal(err)
	}
	w[0].Start += 1000 // as if the kernel had given the PID out again while no daemon looked
	if err := h.ledger.PutWindows(w...); err != nil {
		t.Fatal(err)
	}
	h.wantSessions("of a process that is no more", "")
	h.v.CloseSession(Caller{}, h.admitted("alice", "192.0.2.1", 101))
	h.want("does not count", h.openSession("alice", "192.0.2.2", 102), login.Granted)
	h.wantEnding("the new process is left alone")
}

func TestAdopt(t *testing.T) {
	h := newHost(t, "")
	h.openSession("alice", "192.0.2.1", 101)
	h.openSession("bob", "192.0.2.1", 102)
	h.openSession("alice", "192.0.2.2", 103)
	h.Ending()
	if err := h.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	h.leaves(102) // while no daemon runs, and nobody is told
	h.open()
	before := h.events.all()
	if err := h.v.Adopt(); err != nil {
		t.Fatal(err)
	}
	h.wantEnding("what the daemon before did not finish", 101)
	if got := strings.TrimPrefix(h.events.all(), before); !strings.Contains(got, `session closed: user "bob"`) {
		t.Errorf("what ended meanwhile is not said: %q", got)
	}
	h.leaves(103)
	h.wantSessions("an adopted one ends", "")
}

// TestOpenIsIdempotent: a module begins again after a daemon that stored the session and did not say so.
func TestOpenIsIdempotent(t *testing.T) {
	h := newHost(t, "[sessions]\njoin = \"never\"\nexcess = \"deny\"\n")
	h.Start(101, 0)
	for range 2 {
		h.want("again", h.v.OpenSession(Caller{}, h.admitted("alice", "192.0.2.1", 101)), login.Granted)
	}
	h.wantSessions("once", "192.0.2.1:101")
}

// TestLeaders: who is not root names only processes of its own, and nobody names process 1.
func TestLeaders(t *testing.T) {
	h := newHost(t, "[login]\ntrusted = [\"panel\"]\n")
	h.Start(1, 0)
	h.Start(101, 0)
	h.Start(102, 33)
	h.Start(103, 1000)
	for _, test := range []struct {
		uid  uint32
		pid  int
		want login.Verdict
	}{
		{0, 1, login.SessionRefused}, {0, 0, login.SessionRefused}, {0, 999, login.SessionRefused},
		{33, 101, login.SessionRefused}, {33, 103, login.SessionRefused}, {33, 102, login.Granted},
		{1000, 101, login.SessionRefused}, {1000, 102, login.SessionRefused}, {1000, 103, login.Granted}, {0, 101, login.Granted},
	} {
		c := Caller{UID: test.uid}
		r, err := h.v.Admit(c, login.Request{User: "alice", Service: "sshd", PID: test.pid})
		if err != nil {
			t.Fatal(err)
		}
		h.want(fmt.Sprintf("uid %d names process %d", test.uid, test.pid), h.v.OpenSession(c, r), test.want)
	}
	// Nor does it close what root opened.
	r, _ := h.v.Admit(Caller{UID: 1000}, login.Request{User: "alice", Service: "sshd", PID: 101})
	h.v.CloseSession(Caller{UID: 1000}, r)
	if !strings.Contains(h.sessions("alice"), "101") {
		t.Errorf("alice closed what root leads: %q", h.sessions("alice"))
	}
}

// TestSessionPackets: the process at the other end leads the session, whatever it says of itself.
func TestSessionPackets(t *testing.T) {
	h := newHost(t, "")
	h.Start(101, 0)
	for _, test := range []struct {
		kind wire.Kind
		want string
	}{{wire.OpenSession, "192.0.2.7:101"}, {wire.CloseSession, ""}} {
		m := h.connect(Caller{UID: 0, PID: 101})
		r := begin("alice")
		r.Kind = test.kind
		m.send(r)
		if got := m.receive(); got.Verdict != wire.Granted {
			t.Errorf("%v: %+v", test.kind, got)
		}
		h.wantSessions(test.kind.String(), test.want)
	}
}

// TestOneAtATime opens sessions from everywhere at the same instant.
func TestOneAtATime(t *testing.T) {
	for _, excess := range []string{"deny", "displace"} {
		h := newHost(t, "[sessions]\nlimit = 2\nexcess = \""+excess+"\"\n")
		for round := range 20 {
			var all sync.WaitGroup
			for i := range 8 {
				pid := 100*(round+1) + i
				h.Start(pid, 0)
				r := h.admitted("alice", fmt.Sprintf("192.0.2.%d", i), pid)
				all.Add(1)
				go func() {
					defer all.Done()
					h.v.OpenSession(Caller{}, r)
				}()
			}
			all.Wait()
			if n := len(strings.Fields(h.sessions("alice"))); n != 2 {
				t.Fatalf("%s, round %d: %d sessions, want 2", excess, round, n)
			}
			for i := range 8 {
				h.leaves(100*(round+1) + i)
			}
		}
	}
}

func TestEndSessions(t *testing.T) {
	h := newHost(t, "[sessions]\nlimit = 3\n")
	h.openSession("alice", "192.0.2.1", 101)
	h.openSession("alice", "192.0.2.1", 102)
	h.openSession("alice", "192.0.2.2", 103)
	h.openSession("bob", "192.0.2.2", 104)
	all, err := h.v.Sessions("alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ user, id string }{{"alice", "no such"}, {"bob", all[0][0].Session}} {
		if n, err := h.v.EndSessions(test.user, test.id, "root"); !errors.Is(err, ErrNoSession) || n != 0 {
			t.Errorf("%s's %q: %d, %v", test.user, test.id, n, err)
		}
	}
	h.wantEnding("no such session")
	if n, err := h.v.EndSessions("alice", all[0][0].Session, "root"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if w := h.wantEnding("one session", 101, 102); len(w) > 0 && w[0].Notice != "This session was ended at 12:00 by root." {
		t.Errorf("told %q", w[0].Notice)
	}
	if n, err := h.v.EndSessions("alice", "", "help"); n != 1 || err != nil {
		t.Errorf("all: %d, %v", n, err)
	}
	h.wantEnding("all of alice's", 103)
	if n, err := h.v.EndSessions("alice", "", "help"); n != 0 || err != nil {
		t.Errorf("none: %d, %v", n, err)
	}
	if !strings.Contains(h.events.all(), `session ended: user "alice", service sshd, from 192.0.2.2, on ssh, process 103, by "help"`) {
		t.Errorf("not in the journal:\n%s", h.events.all())
	}
	h.want("afterwards", h.openSession("alice", "192.0.2.3", 105), login.Granted)
}

const askPolicy = "[sessions]\nexcess = \"ask\"\n[[rule]]\nrequire = \"always\"\n"

// takeOver is a login as far as the question, and the answer to it.
func (p *person) takeOver(source, answer string) login.Step {
	p.h.t.Helper()
	r := p.h.admitted(p.name, source, 200)
	l, s := p.h.v.Begin(r)
	if s.Ask == nil {
		p.h.t.Fatalf("no question but %v", s.Verdict)
	}
	s = l.Answer(p.code(0))
	if s.Ask == nil || !strings.HasSuffix(s.Ask.Text, "Take over? [y/N] ") || !s.Ask.Echo {
		p.h.t.Fatalf("nobody is asked: %v, told %v", s.Verdict, s.Tell)
	}
	return l.Answer(answer)
}

func TestAsk(t *testing.T) {
	h := newHost(t, askPolicy)
	p := h.enroll("alice", enroll.Options{}).later()
	h.openSession("alice", "192.0.2.1", 101)
	for _, no := range []string{"", "n", "no", "yep", "123456"} {
		h.want(no, p.takeOver("192.0.2.2", no), login.Denied)
		h.want("without a yes", h.openSession("alice", "192.0.2.2", 102), login.SessionRefused)
		p.later()
	}
	h.want("yes", p.takeOver("192.0.2.2", " Yes "), login.Granted)
	h.want("from elsewhere", h.openSession("alice", "192.0.2.3", 103), login.SessionRefused)
	h.wantEnding("nobody yet")
	h.want("after a yes", h.openSession("alice", "192.0.2.2", 102), login.Granted)
	h.wantEnding("after a yes", 101)
	h.want("a window of it", h.openSession("alice", "192.0.2.2", 104), login.Granted)
	h.want("the other way round", h.openSession("alice", "192.0.2.1", 105), login.SessionRefused)
	h.leaves(102)
	h.leaves(104)
	h.want("nobody is in", h.openSession("alice", "192.0.2.1", 105), login.Granted)
	h.want("one yes is for one session", h.openSession("alice", "192.0.2.2", 102), login.SessionRefused)
	h.leaves(105)
	h.openSession("alice", "192.0.2.2", 102)
	p.later()
	p.takeOver("192.0.2.1", "y")
	h.at(h.clock().Add(3 * time.Minute))
	h.want("too late", h.openSession("alice", "192.0.2.1", 105), login.SessionRefused)
}

// TestNobodyToAsk are logins that cannot be asked: the answer is no.
func TestNobodyToAsk(t *testing.T) {
	h := newHost(t, askPolicy)
	p := h.enroll("alice", enroll.Options{}).later()
	h.openSession("alice", "192.0.2.1", 101)
	r := h.admitted("alice", "192.0.2.2", 102)
	h.want("Verify", h.v.Verify(r, p.code(0)), login.Granted)
	h.want("its session", h.openSession("alice", "192.0.2.2", 102), login.SessionRefused)
	p.later()
	r.Silent = true
	l, _ := h.v.Begin(r)
	h.want("silent", l.Answer(p.code(0)), login.Granted)
	h.want("its session", h.openSession("alice", "192.0.2.2", 102), login.SessionRefused)
}

// TestQuestionComesAfterTheCode: a question comes only after the code was right, and no verdict before the answer.
func TestQuestionComesAfterTheCode(t *testing.T) {
	h := newHost(t, askPolicy)
	h.enroll("alice", enroll.Options{}).later()
	h.openSession("alice", "192.0.2.1", 101)
	l, s := h.v.Begin(h.admitted("alice", "192.0.2.2", 102))
	for range 3 {
		if s.Ask == nil || s.Ask.Text != login.PromptCode {
			t.Fatalf("asked %+v", s.Ask)
		}
		s = l.Answer("password")
	}
	h.want("no code", s, login.Denied)
}

func TestLastLogin(t *testing.T) {
	h := newHost(t, "[[rule]]\nrequire = \"always\"\n")
	p := h.enroll("alice", enroll.Options{}).later()
	enter := func(change func(*login.Request)) string {
		t.Helper()
		r := h.admitted("alice", "192.0.2.7", 200)
		if change != nil {
			change(&r)
		}
		l, _ := h.v.Begin(r)
		s := l.Answer(p.code(0))
		h.want("login", s, login.Granted)
		p.later()
		var texts []string
		for _, m := range s.Tell {
			texts = append(texts, m.Text)
		}
		return strings.Join(texts, "|")
	}
	for _, test := range []struct {
		name, want string
		change     func(*login.Request)
	}{
		{"the first", "", nil},
		{"the second", "Last login Mon 23 Nov 12:02 from 192.0.2.7.", nil},
		{"with a session", "Last login Mon 23 Nov 12:04 from 192.0.2.7; 1 session open.", nil},
		{"silent", "", func(r *login.Request) { r.Silent = true }},
		{"sudo", "", func(r *login.Request) { r.Service = "sudo" }},
		{"local", "Last login Mon 23 Nov 12:10 from 192.0.2.7; 1 session open.", func(r *login.Request) { r.RHost = "" }},
		{"after a local one", "Last login Mon 23 Nov 12:12 on this host; 1 session open.", nil},
	} {
		if test.name == "with a session" {
			h.openSession("alice", "192.0.2.7", 101)
		}
		if got := enter(test.change); got != test.want {
			t.Errorf("%s: told %q, want %q", test.name, got, test.want)
		}
	}
}

// TestNobodyHears: a session whose verdict does not reach the module is none.
func TestNobodyHears(t *testing.T) {
	h := newHost(t, "")
	h.Start(101, 0)
	m := h.connect(Caller{UID: 0, PID: 101})
	r := begin("alice")
	r.Kind = wire.OpenSession
	unlock := h.v.locks.lock("alice") // it decides only when nobody listens any more
	m.send(r)
	if err := m.conn.Close(); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-m.done; err == nil {
		t.Error("the verdict was heard")
	}
	h.wantSessions("nobody heard", "")
}
