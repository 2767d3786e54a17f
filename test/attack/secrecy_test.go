package attack

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/wire"
	"sallyport/test/burst"
	"sallyport/test/host"
)

// subjects has whom to ask about; with it a copy of this binary asks, and plays no role.
const subjects = "SALLYPORT_SUBJECTS"

// questions are all calls that name a user, with what else they need.
var questions = []string{
	`Login.Begin {"user":%q,"service":"sshd"}`,
	`Login.Verify {"user":%q,"service":"sshd","code":"000000"}`,
	`Login.OpenSession {"user":%q,"service":"sshd","pid":1}`,
	`Login.CloseSession {"user":%q,"service":"sshd","pid":1}`,
	`Account.Status {"user":%q}`,
	`Account.Enroll {"user":%q}`,
	`Account.Confirm {"user":%q,"id":"00","code":"000000"}`,
	`Account.Rename {"user":%q,"token":"phone","label":"other"}`,
	`Account.Forget {"user":%q}`,
	`Account.Remove {"user":%q,"code":"000000"}`,
	`Account.RecoveryCodes {"user":%q,"code":"000000"}`,
	`Account.Resync {"user":%q,"code1":"000000","code2":"111111"}`,
	`Admin.Disable {"user":%q}`,
	`Admin.Unlock {"user":%q}`,
	`Admin.Sessions {"user":%q}`,
	`Admin.EndSession {"user":%q}`,
	`Admin.Explain {"user":%q,"service":"sshd"}`,
}

// ask prints what comes of every question about every subject, a line each, the name left out.
func ask(names []string) int {
	for _, name := range names {
		for _, q := range questions {
			method, parameters, _ := strings.Cut(q, " ")
			said := strings.ReplaceAll(answer(method, fmt.Sprintf(parameters, name)), fmt.Sprintf("%q", name), "NAME")
			fmt.Println(method, strings.TrimRight(said, "\x00"))
		}
		for _, kind := range []wire.Kind{wire.Begin, wire.Account, wire.OpenSession} {
			fmt.Println("packet", kind, packet(wire.Request{Kind: kind, User: name, Service: "sshd", PID: 1}))
		}
	}
	return 0
}

func answer(method, parameters string) string {
	c, err := net.Dial("unix", disk.Root("").VarlinkSocket())
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	reply, err := call(c, "io.sallyport."+method, parameters)
	if err != nil {
		return err.Error()
	}
	return string(reply)
}

func packet(r wire.Request) string {
	unix, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: disk.Root("").PamSocket(), Net: "unixpacket"})
	if err != nil {
		return err.Error()
	}
	c := wire.NewConn(unix)
	defer c.Close()
	soon := time.Now().Add(time.Minute)
	if err := c.Write(r.Packet(), soon); err != nil {
		return err.Error()
	}
	p, err := c.Read(soon)
	if err != nil {
		return err.Error()
	}
	reply, err := wire.ParseReply(p)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v %v", reply.Verdict, reply.Tell)
}

// TestNothingIsLearned: a user gets the same answers about everybody else, whoever that is, and no answer but a refusal.
func TestNothingIsLearned(t *testing.T) {
	s := newSiege(t)
	locked := burst.AddPeople(t, "locked", 1)[0]
	burst.Enrol(t, s.owner, locked)
	for range 10 {
		burst.One(t, s.program, nil, burst.Attempt{Service: service, User: locked.Name, Code: "000000"})
	}
	names := []string{"nobody-of-this-name", "root", "daemon", owner, locked.Name}
	line := host.As(s.attacker, "env", subjects+"="+strings.Join(names, " "), s.binary)
	answers := slices.Collect(strings.Lines(host.Output(t, line[0], line[1:]...)))
	each := len(questions) + 3
	if len(answers) != each*len(names) {
		t.Fatalf("%d answers, want %d to each of %d names:\n%s", len(answers), each, len(names), answers)
	}
	for i, got := range answers {
		if !strings.Contains(got, "NotAllowed") && !strings.Contains(got, "denied") {
			t.Errorf("%s is answered with %s", names[i/each], got)
		}
		if want := answers[i%each]; got != want {
			t.Errorf("about %s the answer is %s, and about %s %s", names[i/each], got, names[0], want)
		}
	}
}

// A name that is given to somebody else brings no second factor along, and nobody gets in by the old device: neither the new
// owner of the name nor, by that name, the old one.
func TestNameIsReused(t *testing.T) {
	s := newSiege(t)
	burst.Enrol(t, s.owner)
	before := vault(t)
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	was, is := fmt.Sprintf("%s:x:%d:", owner, s.owner.UID), fmt.Sprintf("%s:x:%d:", owner, s.owner.UID+1)
	host.WriteFile(t, "/etc/passwd", strings.Replace(string(passwd), was, is, 1), 0o644)
	for _, code := range []string{s.owner.Code(time.Now()), s.owner.Recovery} {
		if o := burst.One(t, s.program, nil, burst.Attempt{Service: service, User: owner, Code: code}); o.Granted() {
			t.Errorf("the device of who had the name before lets in: %s", o.Result())
		}
	}
	host.WriteFile(t, "/etc/passwd", string(passwd), 0o644)
	if after := vault(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the record was changed: %v, then %v", before, after)
	}
	if o := burst.One(t, s.program, nil, burst.Attempt{Service: service, User: owner, Code: s.owner.Recovery}); !o.Granted() {
		t.Errorf("who has the number back is answered with %s", o.Result())
	}
}
