// Package faults has the tests of what becomes of logins, set-ups and records when something that Sallyport stands on fails
// (DESIGN §2.2, §2.5, §2.7): the disk, memory, descriptors, the user database, the bus, and the daemon itself at every
// system call. The failures are the kernel's own where it can be made to show them.
package faults

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of them wait for what does not come.
	if err := flag.Set("test.parallel", "20"); err != nil {
		panic(err)
	}
	host.Main(m)
}

// fault is one thing that fails.
type fault struct {
	name string
	disk func(*scene) // mounts what is at /var/lib/sallyport and /run/sallyport; nil: plain directories
	env  []string     // of the daemon
	// begin has it fail, end mends it.
	begin, end func(*scene)
	want       answers // all of them empty: it depends on what was there before
	restart    bool    // the daemon is gone after it, and systemd would start it again
}

// answers is what people are told while something fails.
type answers struct{ totp, hotp, recovery, setup string }

// What an answer can be.
const (
	in          = "in"
	unavailable = "unavailable" // the login is denied, for want of somebody who can judge it
	done        = "done"
	notDone     = "not done"
)

// allUnavailable: nobody can judge.
var allUnavailable = answers{unavailable, unavailable, unavailable, notDone}

// memoryOnly: what needs no write to the disk works.
var memoryOnly = answers{in, unavailable, unavailable, notDone}

// allWell: nobody notices.
var allWell = answers{in, in, in, done}

// TestFaults: whatever fails, an answer comes, nobody gets in by a used code, what was acknowledged is there afterwards, and
// afterwards everybody gets in.
func TestFaults(t *testing.T) {
	all := faults()
	people := burst.AddPeople(t, "fault", 3*len(all))
	syslog := host.StartSyslog(t)
	program := burst.Compile(t)
	table := proof.NewTable("what fails", "TOTP", "HOTP", "recovery code", "set-up", "afterwards", "in the log")
	rows := make([][]any, len(all))
	t.Run("all", func(t *testing.T) {
		for i, f := range all {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t, f, fmt.Sprintf("fault%d", i), people[3*i:3*i+3])
				s.program, s.syslog = program, syslog
				s.play()
				rows[i] = []any{f.name, s.got.totp, s.got.hotp, s.got.recovery, s.got.setup, s.afterwards(), s.line}
			})
		}
	})
	if t.Failed() {
		return
	}
	for _, row := range rows {
		if row == nil {
			return // only a part was run
		}
		table.Row(row...)
	}
	proof.Keep(t, "faults", table)
}

// ordinary are the beginnings of what the daemon writes about what works.
var ordinary = regexp.MustCompile(`^(login accepted|used code refused|recovery code used|set-up begun|second factor set up|daemon started|login denied)`)

// said is the first line of the daemon or, where that says nothing, of the module about the fault.
func (s *scene) said() string {
	for line := range strings.Lines(s.daemonLog()[s.quiet[0]:]) {
		_, text, found := strings.Cut(strings.TrimSpace(line), "Z ")
		if found && !ordinary.MatchString(text) {
			return "`" + s.anonymous(text) + "`"
		}
	}
	for line := range strings.Lines(s.syslog.Text()[s.quiet[1]:]) {
		_, text, found := strings.Cut(strings.TrimSpace(line), "("+s.service+":auth): ")
		if found {
			return "`" + text + "` (the module)"
		}
	}
	return ""
}

// anonymous takes out what is the test's own.
func (s *scene) anonymous(text string) string {
	text = strings.NewReplacer(string(s.root), "", s.service, "SERVICE", s.alice.Name, "alice", s.bob.Name, "bob", s.carol.Name, "carol").Replace(text)
	return processNumber.ReplaceAllString(tempName.ReplaceAllString(text, ".tmp-…"), "process …")
}
