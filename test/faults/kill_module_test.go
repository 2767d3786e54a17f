package faults

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// victim is one of the two processes of a login without the daemon.
type victim struct {
	test string // short: the paths of sockets are
	name string
	few  *regexp.Regexp // the system calls at which a short run kills it
	// begin has somebody log in, with the victim under strace, which writes to output. False: strace came too late.
	begin func(s *scene, user, output string, options []string) (x *host.Terminal, traced func() bool, ok bool)
}

var victims = []victim{
	{
		test:  "host",
		name:  "the process that logs in",
		few:   regexp.MustCompile(`^(socketpair|clone3?|sendto|recvfrom|shutdown|wait4)$`),
		begin: (*scene).tracedHost,
	},
	{test: "half", name: "the module's Go half", few: few, begin: (*scene).tracedHalf},
}

// TestKilledWithoutTheDaemon kills, as TestKilledAtEverySystemCall does the daemon, either process of a login that the
// module's Go half judges. Nobody gets in by a code that the verifier has not used up, no code works twice, the ledger opens,
// no record needs to be mended, and the Go half does not outlive the process that logs in.
func TestKilledWithoutTheDaemon(t *testing.T) {
	people := burst.AddPeople(t, "lonely", 3)
	table := proof.NewTable("without the daemon, killed during", "which process", "system calls", "kills", "got in", "unavailable", "refused", "nobody was left to tell",
		"records to mend", "codes that worked twice", "processes left")
	for i, a := range acts {
		for j, v := range victims {
			t.Run(a.name+"/"+v.test, func(t *testing.T) {
				s := newScene(t, fault{}, fmt.Sprintf("lonely%d%d", i, j), people)
				s.program, s.syslog = burst.Compile(t), host.StartSyslog(t)
				s.protectWithPamtester(a)
				s.daemon.Kill()
				calls := s.callsOfLogin(a, v)
				told, kills := map[string]int{}, 0
				for _, call := range calls {
					if !proof.Long() && !v.few.MatchString(call) {
						continue
					}
					for n := 1; n <= proof.Rounds(2, 40) && s.killLogin(a, v, call, n); n++ {
						kills++
						told[s.got.totp]++
					}
				}
				if kills < 3 {
					t.Errorf("%s was killed %d times, at some of %q", v.name, kills, calls)
				}
				table.Row(a.name, v.name, len(calls), kills, told[in], told[unavailable], told[refused], told[gone], 0, 0, 0)
			})
		}
	}
	if !t.Failed() {
		proof.Keep(t, "kills without the daemon", table)
	}
}

// What pamtester(1) can be seen to say.
const (
	refused = "refused"
	gone    = "gone" // nothing, for it is dead
)

// protectWithPamtester has the scene's service ask for what the act needs: a set-up in the login, or a code.
func (s *scene) protectWithPamtester(a act) {
	s.t.Helper()
	require := "always"
	if a.setUp {
		require = "enroll"
	}
	s.firstFork = filepath.Join(s.t.TempDir(), "first_fork.so")
	host.Output(s.t, "gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", s.firstFork, "testdata/first_fork.c")
	host.WriteFile(s.t, filepath.Join(s.root.Config(), "sallyport.toml"), fmt.Sprintf(
		"admins_may_enroll = true\n[codes]\nattempts = 1\n[[rule]]\nservices = [%q]\nrequire = %q\n", s.service, require), 0o644)
}

// callsOfLogin are the system calls that the victim makes in an undisturbed login.
func (s *scene) callsOfLogin(a act, v victim) []string {
	s.t.Helper()
	output := s.logInTraced(a, v)
	if s.got.totp != in {
		s.t.Fatalf("undisturbed, the answer is %q\n%s", s.got.totp, s.syslog.Text())
	}
	return slices.Sorted(maps.Keys(callsIn(read(s.t, output))))
}

// killLogin has the victim die at a system call, and looks at what is left. False: it did not come to that.
func (s *scene) killLogin(a act, v victim, call string, n int) (died bool) {
	s.t.Helper()
	output := s.logInTraced(a, v, killing(call, n)...)
	died = callsIn(read(s.t, output))[call] >= n
	told := s.got.totp
	where := fmt.Sprintf("%s killed at %s %d, answer %q", v.name, call, n, told)
	host.Eventually(s.t, where+": no process is left", func() bool {
		return host.Command("pgrep", "-x", "pamtester").Run() != nil // its Go half has the same name
	})
	s.start()
	s.checkAfter(a, where)
	s.daemon.Kill()
	s.logs += s.daemon.Log()
	s.got.totp = told
	return died
}

// logInTraced is one login under strace, from the preparation to the end of both; s.got.totp is how it was answered. Where
// strace came too late to take hold of the victim, it begins anew.
func (s *scene) logInTraced(a act, v victim, options ...string) (output string) {
	s.t.Helper()
	for range 10 {
		s.prepare(a)
		output = filepath.Join(s.t.TempDir(), "calls")
		user := s.alice
		if a.setUp {
			user = s.carol
		}
		x, traced, ok := v.begin(s, user.Name, output, options)
		key, given := s.converse(x)
		if !ok {
			continue
		}
		host.Eventually(s.t, "strace ends", traced)
		s.note(a, x, key, given)
		return output
	}
	s.t.Fatalf("strace never got hold of %s", v.name)
	return ""
}

var (
	anyPrompt = regexp.MustCompile(`Verification code: |Code from your app: |written them down: `)
	typedKey  = regexp.MustCompile(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n`)
)

// converse answers whatever is asked, until the login has ended. key is that of a device that was set up, given are its
// codes.
func (s *scene) converse(x *host.Terminal) (key string, given []string) {
	s.t.Helper()
	var app *host.Authenticator
	for prompt := x.Meet(anyPrompt.String()); prompt != nil; prompt = x.Meet(anyPrompt.String()) {
		if found := typedKey.FindStringSubmatch(x.Text()); found != nil && strings.Join(strings.Fields(found[1]), "") != key {
			key = strings.Join(strings.Fields(found[1]), "")
			app = host.NewAuthenticator(s.t, key)
		}
		answer := s.code
		switch {
		case strings.HasPrefix(prompt[0], "written"):
			answer = ""
		case app != nil:
			answer = app.Code()
			given = append(given, answer)
		}
		x.Offer(answer + "\n")
	}
	x.Wait()
	return key, given
}

// note keeps what the person was told, and what the check has to know.
func (s *scene) note(a act, x *host.Terminal, key string, given []string) {
	s.t.Helper()
	said := x.Text()
	switch {
	case strings.Contains(said, "successfully authenticated"):
		s.got.totp = in
	case strings.Contains(said, "cannot retrieve authentication info"):
		s.got.totp = unavailable
	case strings.Contains(said, "Authentication failure"):
		s.got.totp = refused
	case x.Wait() == 128+int(unix.SIGKILL):
		s.got.totp = gone
	default:
		s.t.Fatalf("pamtester ends with status %d:\n%s", x.Wait(), said)
	}
	if a.setUp {
		s.shown, s.used[s.carol] = key, given
	} else if s.got.totp == in {
		s.used[s.alice] = append(s.used[s.alice], s.code)
	}
	if a.setUp && s.got.totp == in {
		s.acknowledged = key
	}
}

// tracedHost runs pamtester under strace, and leaves its Go half alone.
func (s *scene) tracedHost(user, output string, options []string) (x *host.Terminal, traced func() bool, ok bool) {
	s.t.Helper()
	line := append(append([]string{"-o", output}, options...), "pamtester", s.service, user, "authenticate")
	x = host.Open(s.t, host.Command("strace", line...))
	return x, x.Ended, true
}

// tracedHalf runs pamtester, and attaches strace to the first Go half that it wakes, before that does anything.
func (s *scene) tracedHalf(user, output string, options []string) (x *host.Terminal, traced func() bool, ok bool) {
	s.t.Helper()
	cmd := host.Command("env", "LD_PRELOAD="+s.firstFork, "pamtester", s.service, user, "authenticate")
	x = host.Open(s.t, cmd)
	half := 0
	host.Eventually(s.t, "the Go half is stopped", func() bool {
		out, err := host.Command("pgrep", "--parent", fmt.Sprint(cmd.Process.Pid), "--runstates", "T").Output()
		if err == nil {
			half, err = strconv.Atoi(strings.TrimSpace(string(out)))
		}
		return err == nil || x.Ended()
	})
	if half == 0 {
		return x, nil, false
	}
	strace, ok := s.trace(half, append([]string{"-o", output}, options...)...)
	_ = unix.Kill(half, unix.SIGCONT) // or the module has given it up
	return x, func() bool { return !strace.Running() }, ok
}
