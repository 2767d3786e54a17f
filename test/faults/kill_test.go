package faults

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/otp"
	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// act is what somebody does while a process is killed.
type act struct {
	name     string
	kind     otp.Kind // of alice's device; empty: TOTP
	recovery bool     // she logs in by a recovery code
	setUp    bool     // carol sets up a second factor
}

var acts = []act{
	{name: "a login by TOTP"},
	{name: "a login by HOTP", kind: otp.HOTP},
	{name: "a login by recovery code", recovery: true},
	{name: "a set-up", setUp: true},
}

// do has the daemon judge it, and notes in s.got what came of it.
func (a act) do(s *scene) {
	s.t.Helper()
	if a.setUp {
		s.got.setup = s.setUp()
	} else {
		s.got.totp = s.logIn(s.alice, s.code)
	}
}

// well reports whether the person was told that it was done.
func (s *scene) well() bool { return s.got.totp == in || s.got.setup == done }

// few are the system calls at which a short run kills: those that change what is kept, or say so.
var few = regexp.MustCompile(`^(openat|pwrite64|write|sendto|sendmsg|fsync|fdatasync|renameat2?|linkat|unlinkat)$`)

// TestKilledAtEverySystemCall kills the daemon (SIGKILL, by strace) right before each system call that it makes for a
// login or a set-up, the first of its kind, the second, and so on. Whatever the person was told then is so afterwards, with
// the next daemon.
func TestKilledAtEverySystemCall(t *testing.T) {
	people := burst.AddPeople(t, "killed", 3)
	table := proof.NewTable("killed during", "system calls", "kills", "people were told", "records to mend", "codes that worked twice")
	for i, a := range acts {
		t.Run(a.name, func(t *testing.T) {
			s := newScene(t, fault{}, fmt.Sprintf("killed%d", i), people)
			s.program, s.syslog = burst.Compile(t), host.StartSyslog(t)
			calls := s.callsOf(a)
			kills, told := 0, 0
			for _, call := range calls {
				if !proof.Long() && !few.MatchString(call) {
					continue
				}
				for n := 1; n <= proof.Rounds(2, 40) && s.killAt(a, call, n); n++ {
					kills++
					if s.well() {
						told++
					}
				}
			}
			if kills < 3 {
				t.Errorf("the daemon was killed %d times, at some of %q", kills, calls)
			}
			table.Row(a.name, len(calls), kills, fmt.Sprintf("%d times that it was done", told), 0, 0)
		})
	}
	if !t.Failed() {
		proof.Keep(t, "kills", table)
	}
}

// prepare makes everything as it is before the act.
func (s *scene) prepare(a act) {
	s.t.Helper()
	s.used, s.acknowledged, s.shown, s.got = map[*burst.Person][]string{}, "", "", answers{}
	s.alice.Kind = a.kind
	burst.EnrolBelow(s.t, s.root, s.alice)
	s.code = s.alice.Code(time.Now())
	if a.recovery {
		s.code = s.alice.Recovery
	}
	if err := os.RemoveAll(filepath.Join(s.root.Users(), s.carol.Name+".toml")); err != nil {
		s.t.Fatal(err)
	}
}

var tracedCall = regexp.MustCompile(`(?m)^(\d+ +)?([a-z0-9_]+)\(`)

// callsIn is how often a call of each name is in what strace wrote: by the thread that made the most of them.
func callsIn(text string) map[string]int {
	each, most := map[string]int{}, map[string]int{}
	for _, m := range tracedCall.FindAllStringSubmatch(text, -1) {
		each[m[0]]++
		most[m[2]] = max(most[m[2]], each[m[0]])
	}
	delete(most, "exit") // of a thread
	return most
}

// callsOf are the system calls that the daemon makes meanwhile.
func (s *scene) callsOf(a act) []string {
	s.t.Helper()
	s.prepare(a)
	output := filepath.Join(s.t.TempDir(), "calls")
	strace := s.traceDaemon("-o", output)
	a.do(s)
	if !s.well() {
		s.t.Fatalf("undisturbed, the answer is %v\n%s", s.got, s.daemonLog())
	}
	s.restart()
	host.Eventually(s.t, "strace ends", func() bool { return !strace.Running() })
	return slices.Sorted(maps.Keys(callsIn(read(s.t, output))))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// traceDaemon attaches strace to all threads of the daemon.
func (s *scene) traceDaemon(options ...string) *host.Process {
	s.t.Helper()
	p, attached := s.trace(s.daemon.PID(), options...)
	if !attached {
		s.t.Fatalf("strace: %s", p.Log())
	}
	return p
}

// trace attaches strace to all threads of a process. False: it could not.
func (s *scene) trace(pid int, options ...string) (p *host.Process, ok bool) {
	s.t.Helper()
	p = host.Start(s.t, "strace", append([]string{"-f", "-p", fmt.Sprint(pid)}, options...)...)
	attached := func() bool { return strings.Contains(p.Log(), "attached") }
	host.Eventually(s.t, "strace has attached", func() bool { return attached() || !p.Running() })
	return p, attached() // and where it has, the process may have been killed at once
}

// killing are strace's options that have a process die at the nth call of that name that one of its threads makes.
func killing(call string, n int) []string {
	return []string{"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}
}

// killAt has the daemon die at the nth call of that name that one of its threads makes, and looks at what is left. False: it
// did not come to that.
func (s *scene) killAt(a act, call string, n int) (died bool) {
	s.t.Helper()
	s.prepare(a)
	output := filepath.Join(s.t.TempDir(), "killed")
	strace := s.traceDaemon(append([]string{"-o", output}, killing(call, n)...)...)
	a.do(s)
	s.restart()
	host.Eventually(s.t, "strace ends", func() bool { return !strace.Running() })
	died = callsIn(read(s.t, output))[call] >= n
	s.checkAfter(a, fmt.Sprintf("the daemon killed at %s %d, answer %v", call, n, s.got))
	return died
}

// checkAfter looks at what is left when somebody was killed. where says where.
func (s *scene) checkAfter(a act, where string) {
	s.t.Helper()
	if a.setUp {
		s.checkSetUp(where)
	} else {
		s.checkCode(where)
	}
	if strings.Contains(s.daemonLog(), "file cannot be used") {
		s.t.Fatalf("%s: a record has to be mended:\n%s", where, s.daemonLog())
	}
}

// checkCode: the code is good for one login in all, and the device for the next one.
func (s *scene) checkCode(where string) {
	s.t.Helper()
	entered := len(s.used[s.alice])
	for range 2 {
		s.logIn(s.alice, s.code)
	}
	if n := len(s.used[s.alice]); n > 1 {
		s.t.Fatalf("%s: one code let in %d times, %d of them afterwards\n%s", where, n, n-entered, s.daemonLog())
	}
	next, err := s.alice.Key.Code(1)
	if s.alice.Key.Kind == otp.TOTP {
		next, err = s.alice.Key.Code(s.alice.Key.Step(time.Now()) + 1)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if got := s.logIn(s.alice, next); got != in {
		s.t.Fatalf("%s: afterwards the next code is answered with %q\n%s", where, got, s.daemonLog())
	}
}

// checkSetUp: what was acknowledged is there; what was not can be done.
func (s *scene) checkSetUp(where string) {
	s.t.Helper()
	key := s.acknowledged
	if key == "" && s.enrolled(s.carol) { // it was done before it could be said
		key = s.shown
		if key == "" {
			return
		}
	}
	if key == "" {
		if s.setUp() != done {
			s.t.Fatalf("%s: afterwards nobody can set up a second factor\n%s", where, s.daemonLog())
		}
		key = s.acknowledged
	}
	app := host.NewAuthenticator(s.t, key)
	for range s.used[s.carol] {
		app.Code()
	}
	if got := s.logIn(s.carol, app.Code()); got != in {
		s.t.Fatalf("%s: what was set up is answered with %q\n%s", where, got, s.daemonLog())
	}
}

// enrolled reports whether the daemon says that the person has a second factor.
func (s *scene) enrolled(p *burst.Person) bool {
	s.t.Helper()
	out := host.Output(s.t, host.Build(s.t).Ctl, "--root", string(s.root), "users", "--json")
	return strings.Contains(out, fmt.Sprintf("%q", p.Name))
}
