package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/disk"
	"sallyport/test/host"
)

// programs is where the two programs are that are built from this tree.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" { // each of whose workers comes here, and needs no programs
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "sallyportctl")
	if err != nil {
		panic(err)
	}
	// For other users, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	out, err := exec.Command("go", "build", "-o", dir, "sallyport/cmd/sallyportctl", "sallyport/cmd/sallyportd").CombinedOutput()
	if err != nil {
		panic(fmt.Sprintf("building: %v\n%s", err, out))
	}
	programs = dir
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// TestScripts runs testdata/*.txt, each as root with a tree of its own, $ROOT. Besides testscript's commands there are
//
//	daemon start|stop|kill    the real daemon, on $ROOT
//	status N PROGRAM ARG...   runs a program that must end with exit status N
//	phone NAME                makes an app of the key that the last program printed
//	codes NAME [N]            writes N codes of it, one to a line, into the file typed (for "stdin typed")
//	wrong NAME                writes a code there that is wrong
//	keep                      keeps the recovery codes that the last program printed
//	recovery N                writes the Nth of them there
//	ntp NAME SECONDS          starts a time server that is ahead by so much; its address is in $NAME
//	until PATTERN PROGRAM...  runs a program again and again until it prints what the pattern matches
//	people NAME...            sets up the users of these names, and keeps the last one's recovery codes
//	lock NAME                 gives wrong codes for a user until it is locked
//	leader NAME USER          starts a process of the user's that leads a session
//	session USER NAME SOURCE  opens the session
//	running NAME, gone NAME   that process runs, or ends soon
func TestScripts(t *testing.T) { runScripts(t, testscript.Params{Dir: "testdata"}) }

// TestWHM does on this host whatever cPanel & WHM's two-factor interface does.
func TestWHM(t *testing.T) {
	runScripts(t, testscript.Params{Files: []string{"../../test/e2e/whm.txt"}})
}

func runScripts(t *testing.T, p testscript.Params) {
	t.Helper()
	work, err := os.MkdirTemp("", "sallyportctl-scripts")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	if err := os.Chmod(work, 0o755); err != nil {
		t.Fatal(err)
	}
	p.WorkdirRoot, p.Setup, p.RequireExplicitExec = work, setupScript, true
	p.Cmds = map[string]func(*testscript.TestScript, bool, []string){
		"daemon": cmdDaemon, "status": cmdStatus, "phone": cmdPhone, "codes": cmdCodes, "wrong": cmdWrong,
		"keep": cmdKeep, "recovery": cmdRecovery, "ntp": cmdNTP, "until": cmdUntil, "people": cmdPeople, "lock": cmdLock,
		"leader": cmdLeader, "session": cmdSession, "running": cmdRunning, "gone": cmdGone,
	}
	testscript.Run(t, p)
}

// state is what a script's commands remember.
type state struct {
	daemon   *exec.Cmd
	phones   map[string]*host.Authenticator
	recovery []string
	leaders  map[string]*exec.Cmd
}

type stateKey struct{}

func setupScript(env *testscript.Env) error {
	root := filepath.Join(env.WorkDir, "root")
	for _, dir := range []string{"etc/sallyport", "run/sallyport"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	env.Setenv("ROOT", root)
	env.Setenv("PATH", programs+":"+env.Getenv("PATH"))
	env.Setenv("NO_COLOR", "1")
	env.Setenv("TZ", "UTC")
	s := &state{phones: map[string]*host.Authenticator{}, leaders: map[string]*exec.Cmd{}}
	env.Values[stateKey{}] = s
	env.Defer(func() {
		if s.daemon != nil {
			_ = s.daemon.Process.Kill()
			_ = s.daemon.Wait()
		}
		for _, leader := range s.leaders {
			_ = leader.Process.Kill()
			_ = leader.Wait()
		}
	})
	return nil
}

func stateOf(ts *testscript.TestScript) *state { return ts.Value(stateKey{}).(*state) }

func cmdDaemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: daemon start|stop|kill")
	}
	s := stateOf(ts)
	switch args[0] {
	case "start":
		log, err := os.OpenFile(ts.MkAbs("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		ts.Check(err)
		defer log.Close()
		s.daemon = exec.Command(filepath.Join(programs, "sallyportd"), "--root", ts.Getenv("ROOT"))
		s.daemon.Stderr = log
		ts.Check(s.daemon.Start())
		host.Eventually(script{ts}, "the daemon answers", func() bool {
			c, err := net.Dial("unix", disk.Root(ts.Getenv("ROOT")).VarlinkSocket())
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	case "stop", "kill":
		signal := syscall.SIGTERM
		if args[0] == "kill" {
			signal = syscall.SIGKILL
		}
		ts.Check(s.daemon.Process.Signal(signal))
		if err := s.daemon.Wait(); args[0] == "stop" {
			ts.Check(err)
		}
		s.daemon = nil
	default:
		ts.Fatalf("daemon %q", args[0])
	}
}

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func cmdPhone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: phone NAME")
	}
	key := regexp.MustCompile(`(?m)^  Key: +([A-Z2-7 ]+)$`).FindStringSubmatch(ts.ReadFile("stdout"))
	if key == nil {
		ts.Fatalf("the last program printed no key")
	}
	stateOf(ts).phones[args[0]] = host.NewAuthenticator(script{ts}, key[1])
}

// typed writes the file that a script has to be a program's standard input.
func typed(ts *testscript.TestScript, lines ...string) {
	ts.Check(os.WriteFile(ts.MkAbs("typed"), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func phone(ts *testscript.TestScript, name string) *host.Authenticator {
	p := stateOf(ts).phones[name]
	if p == nil {
		ts.Fatalf("there is no phone %q", name)
	}
	return p
}

func cmdCodes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: codes NAME [N]")
	}
	n := 1
	if len(args) == 2 {
		var err error
		n, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	p := phone(ts, args[0])
	var codes []string
	for range n {
		codes = append(codes, p.Code())
	}
	typed(ts, codes...)
}

func cmdWrong(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: wrong NAME")
	}
	typed(ts, phone(ts, args[0]).Wrong())
}

var recoveryCode = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`)

func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: keep")
	}
	codes := recoveryCode.FindAllString(ts.ReadFile("stdout"), -1)
	if len(codes) != 10 {
		ts.Fatalf("the last program printed %d recovery codes, want 10", len(codes))
	}
	stateOf(ts).recovery = codes
}

func cmdRecovery(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: recovery N")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	typed(ts, stateOf(ts).recovery[n-1])
}

func cmdPeople(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: people NAME...")
	}
	for _, name := range args {
		out := ctlAs(ts, name, "", "enroll", "--no-confirm")
		setup := regexp.MustCompile(`(?s)  Key: +([A-Z2-7 ]+)\n.*sallyportctl confirm ([0-9a-f]+)`).FindStringSubmatch(out)
		if setup == nil {
			ts.Fatalf("setting up %s: %s", name, out)
		}
		p := host.NewAuthenticator(script{ts}, setup[1])
		out = ctlAs(ts, name, p.Code(), "confirm", setup[2])
		codes := recoveryCode.FindAllString(out, -1)
		if len(codes) != 10 {
			ts.Fatalf("setting up %s: %s", name, out)
		}
		s := stateOf(ts)
		s.phones[name], s.recovery = p, codes
	}
}

// ctlAs runs sallyportctl as a user, and returns what it prints.
func ctlAs(ts *testscript.TestScript, name, input string, args ...string) string {
	line := append([]string{"--reuid", name, "--regid", name, "--clear-groups", filepath.Join(programs, "sallyportctl"), "--root", ts.Getenv("ROOT")}, args...)
	cmd := exec.Command("setpriv", line...)
	cmd.Stdin = strings.NewReader(input + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("%s as %s: %v\n%s", strings.Join(args, " "), name, err, out)
	}
	return string(out)
}

func cmdLock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock NAME")
	}
	for range 10 {
		cmd := exec.Command(filepath.Join(programs, "sallyportctl"), "--root", ts.Getenv("ROOT"), "verify", args[0], "--from", "192.0.2.66")
		cmd.Stdin = strings.NewReader("000000\n")
		if out, err := cmd.Output(); err != nil && strings.HasPrefix(string(out), "Locked.") {
			return
		}
	}
	ts.Fatalf("%s is not locked after ten wrong codes", args[0])
}

func cmdNTP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ntp NAME SECONDS")
	}
	seconds, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv(args[0], host.StartNTP(script{ts}, time.Duration(seconds)*time.Second).Addr)
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN PROGRAM...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	host.Eventually(script{ts}, "it prints "+args[0], func() bool {
		_ = ts.Exec(args[1], args[2:]...) // its status is for the script's next line
		return pattern.MatchString(ts.ReadFile("stdout"))
	})
}

// script lets host's helpers fail a script.
type script struct{ *testscript.TestScript }

func (s script) Helper()          {}
func (s script) Cleanup(f func()) { s.Defer(f) }
func (s script) TempDir() string  { return s.MkAbs(".") }
