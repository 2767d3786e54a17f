package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/api/iosallyportaccount"
	"sallyport/internal/client"
	"sallyport/internal/disk"
	"sallyport/internal/otp"
	"sallyport/test/burst"
	"sallyport/test/host"
)

var (
	processNumber = regexp.MustCompile(`process \d+`)
	tempName      = regexp.MustCompile(`\.tmp-[A-Z2-7]+`)
)

// What pam_authenticate(3) returns; see security/_pam_types.h.
const pamUnavailable = 9

// deadline is longer than the module may take for a login of one prompt: two answers, five seconds each. The rest is for a
// machine that has other things to do.
const deadline = 40 * time.Second

// scene is a tree of its own with three people: alice has a TOTP device, bob a HOTP device, and carol sets one up.
type scene struct {
	t                 *testing.T
	fault             fault
	root              disk.Root
	service           string
	program           string
	syslog            *host.Syslog
	daemon            *host.Process
	logs              string // of the daemons before
	alice, bob, carol *burst.Person
	app               *host.Authenticator // alice's
	faulty            *faultyDisk
	beforeLogin       []string // what runs the login: a limit
	used              map[*burst.Person][]string
	got               answers
	code              string // alice's, for one login
	acknowledged      string // carol's secret, once the set-up was acknowledged
	shown             string // carol's secret, once she has seen it in a login
	firstFork         string // testdata/first_fork.c, compiled
	quiet             [2]int // how long the logs were before the fault
	line              string // what the log says about it
}

func newScene(t *testing.T, f fault, service string, people []*burst.Person) *scene {
	t.Helper()
	s := &scene{
		t: t, fault: f, root: disk.Root(t.TempDir()), service: service,
		alice: people[0], bob: people[1], carol: people[2], used: map[*burst.Person][]string{},
	}
	for _, dir := range []string{s.root.Config(), s.root.State(), s.root.Runtime()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	host.WriteFile(t, filepath.Join(s.root.Config(), "sallyport.toml"), fmt.Sprintf(
		"admins_may_enroll = true\n[codes]\nattempts = 1\n[[rule]]\nservices = [%q]\nrequire = \"always\"\n", service), 0o644)
	host.PAM(t, service, host.Module(t, "auth", "required", "root="+string(s.root)))
	if f.disk != nil {
		f.disk(s)
	}
	s.bob.Kind = otp.HOTP
	burst.EnrolBelow(t, s.root, s.alice, s.bob)
	s.app = host.NewAuthenticator(t, s.alice.Key.Secret.Base32())
	burst.BeginLedger(t, s.root)
	s.start()
	return s
}

// start starts the daemon and waits until it answers.
func (s *scene) start() {
	s.t.Helper()
	args := append(append([]string{}, s.fault.env...), host.Build(s.t).Daemon, "--root", string(s.root))
	s.daemon = host.Start(s.t, "env", args...)
	host.Eventually(s.t, "sallyportd answers or ends", func() bool { return s.answers() || !s.daemon.Running() })
	if !s.daemon.Running() {
		s.t.Fatalf("sallyportd ended:\n%s", s.daemon.Log())
	}
}

func (s *scene) answers() bool {
	c, err := client.Dial(s.t.Context(), s.root)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// restart is what systemd does with a daemon that is gone.
func (s *scene) restart() {
	s.t.Helper()
	s.daemon.Kill()
	s.logs += s.daemon.Log()
	s.start()
}

func (s *scene) daemonLog() string { return s.logs + s.daemon.Log() }

// play has something fail while people log in, mends it, and looks at what is left.
func (s *scene) play() {
	s.t.Helper()
	spent := s.app.Code()
	if a := s.logIn(s.alice, spent); a != in {
		s.t.Fatalf("before the fault a right code is answered with %q:\n%s", a, s.daemonLog())
	}
	s.quiet = [2]int{len(s.daemonLog()), len(s.syslog.Text())}
	s.fault.begin(s)
	if a := s.logIn(s.alice, spent); a == in {
		s.t.Error("a used code lets somebody in")
	}
	s.got.totp = s.logIn(s.alice, s.app.Code())
	s.got.hotp = s.logIn(s.bob, s.bob.Code(time.Now()))
	s.got.recovery = s.logIn(s.alice, s.alice.Recovery)
	s.got.setup = s.setUp()
	if s.fault.want != (answers{}) && s.got != s.fault.want {
		s.t.Errorf("the answers are %v, want %v\n%s\n%s", s.got, s.fault.want, s.daemonLog(), s.syslog.Text()[s.quiet[1]:])
	}
	s.line = s.said()
	s.fault.end(s)
	if s.daemon.Running() == s.fault.restart {
		s.t.Errorf("the daemon runs: %v\n%s", s.daemon.Running(), s.daemonLog())
	}
	if !s.daemon.Running() {
		s.restart()
	}
	s.check()
}

// logIn is one login, and how it was answered. Who got in has used the code.
func (s *scene) logIn(p *burst.Person, code string) string {
	s.t.Helper()
	o := burst.One(s.t, s.program, s.beforeLogin, burst.Attempt{Service: s.service, User: p.Name, Code: code})
	if o.Took > deadline {
		s.t.Errorf("the login took %v", o.Took)
	}
	switch o.Status {
	case burst.Success:
		s.used[p] = append(s.used[p], code)
		return in
	case pamUnavailable:
		return unavailable
	default:
		return o.Result()
	}
}

// setUp has carol set up a second factor.
func (s *scene) setUp() string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // no longer than a person would wait
	defer cancel()
	c, err := client.Dial(ctx, s.root)
	if err != nil {
		return notDone
	}
	defer c.Close()
	id, _, secret, _, err := iosallyportaccount.Enroll().Call(ctx, c, &s.carol.Name, nil, nil, nil, nil, nil, nil)
	if err != nil {
		return notDone
	}
	code := host.NewAuthenticator(s.t, secret).Code()
	if _, _, err = iosallyportaccount.Confirm().Call(ctx, c, &s.carol.Name, id, code); err != nil {
		return notDone
	}
	s.acknowledged = secret
	s.used[s.carol] = append(s.used[s.carol], code)
	return done
}

// check is what must hold afterwards.
func (s *scene) check() {
	s.t.Helper()
	for p, codes := range s.used {
		for _, code := range codes {
			if a := s.logIn(p, code); a == in {
				s.t.Errorf("a code by which %s got in lets in again", p.Name)
			}
		}
	}
	if s.acknowledged == "" {
		// What was asked for meanwhile may still be in the queue, and one set-up replaces the other.
		host.Eventually(s.t, "somebody can set up a second factor", func() bool { return s.setUp() == done })
	}
	app := host.NewAuthenticator(s.t, s.acknowledged)
	app.Code() // which has confirmed it
	next, err := s.bob.Key.Code(1)
	if err != nil {
		s.t.Fatal(err)
	}
	for p, code := range map[*burst.Person]string{s.alice: s.app.Code(), s.bob: next, s.carol: app.Code()} {
		if a := s.logIn(p, code); a != in {
			s.t.Errorf("afterwards %s is answered with %q\n%s", p.Name, a, s.daemonLog())
		}
	}
	if found := s.problems(); found != "" {
		s.t.Errorf("afterwards: %s", found)
	}
}

// afterwards says for the table what check has found.
func (s *scene) afterwards() string {
	if s.fault.restart {
		return "systemd starts the daemon; all is well"
	}
	return "all is well"
}

// problems is what the daemon says is wrong with records, and what lies about that nobody needs.
func (s *scene) problems() string {
	var users []struct{ User, Problem string }
	out := host.Output(s.t, host.Build(s.t).Ctl, "--root", string(s.root), "users", "--json")
	if err := json.Unmarshal([]byte(out), &users); err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	var found []string
	for _, u := range users {
		if u.Problem != "" {
			found = append(found, fmt.Sprintf("%s: %s", u.User, u.Problem))
		}
	}
	if len(users) != 3 {
		found = append(found, fmt.Sprintf("%d users have a second factor, want 3", len(users)))
	}
	s.restart() // which removes what a write that failed has left
	for _, dir := range []string{s.root.State(), s.root.Users()} {
		left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
		if err != nil {
			s.t.Fatal(err)
		}
		found = append(found, left...)
	}
	return strings.Join(found, "; ")
}
