package race

import (
	"fmt"
	"os"
	"testing"

	"sallyport/internal/disk"
	"sallyport/test/burst"
	"sallyport/test/host"
)

// parallel is how many logins there are at one instant.
const parallel = 64

// What people read when their code is refused; see internal/login.
const (
	usedAlready = "This code has been used already."
	hasStarted  = "The server has just started"
)

// services are PAM services with nothing but Sallyport in them.
var services = []string{"race1", "race2", "race3", "race4"}

// door is a host whose services want a code of everybody.
type door struct {
	*host.Daemon
	t       *testing.T
	program string // the burst
	syslog  *host.Syslog
	seen    [2]int // how long the daemon's log and syslog were when the round began
}

// newDoor starts the daemon on a ledger that began an hour ago, so that nothing is in quarantine.
func newDoor(t *testing.T) *door {
	t.Helper()
	policy := ""
	for _, s := range services {
		host.PAM(t, s, host.Module(t, "auth", "required"))
		policy += fmt.Sprintf("[[rule]]\nservices = [%q]\nrequire = \"always\"\n", s)
	}
	d := &door{t: t, program: burst.Compile(t), syslog: host.StartSyslog(t), Daemon: host.StartDaemon(t, policy)}
	d.Kill()
	if err := os.Remove(disk.Root("").LedgerFile()); err != nil {
		t.Fatal(err)
	}
	burst.BeginLedger(t, "")
	d.Start()
	return d
}

// logIn makes one login.
func (d *door) logIn(service string, p *burst.Person, code string) burst.Outcome {
	d.t.Helper()
	return d.burst(burst.ModeOf(0), []burst.Attempt{{Service: service, User: p.Name, Code: code}})[0]
}

// burst makes logins at one instant.
func (d *door) burst(m burst.Mode, attempts []burst.Attempt) []burst.Outcome {
	d.t.Helper()
	b := burst.Prepare(d.t, d.program, m, attempts)
	b.Release()
	return b.Outcomes()
}

// struck is a burst in which the daemon is killed, and started again at once.
func (d *door) struck(m burst.Mode, attempts []burst.Attempt, kill strike) []burst.Outcome {
	d.t.Helper()
	b := burst.Prepare(d.t, d.program, m, attempts)
	kill(d, b)
	d.Start()
	return b.Outcomes()
}

// beginRound forgets the logs so far.
func (d *door) beginRound() { d.seen = [2]int{len(d.Log()), len(d.syslog.Text())} }

// logs is what the daemon and the modules have said since the round began.
func (d *door) logs() string {
	return fmt.Sprintf("the daemon's log:\n%s\nsyslog:\n%s", d.Log()[d.seen[0]:], d.syslog.Text()[d.seen[1]:])
}
