package host

import (
	"os"
	"os/exec"
	"strings"
	"time"
)

// T is what the helpers need of a test. *testing.T is one, and so is the demo.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}

// Patience is how long the helpers wait for a program to do what it is about to. It ends tests that have failed and
// slows no other.
const Patience = time.Minute

// Eventually calls done until it is true, and fails the test when it is not in time. what says what was waited for.
func Eventually(t T, what string, done func() bool) {
	t.Helper()
	if !poll(done) {
		t.Fatalf("not within %v: %s", Patience, what)
	}
}

// poll calls done until it is true or Patience is over, and reports whether it was.
func poll(done func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(Patience); time.Now().Before(end); <-tick.C {
		if done() {
			return true
		}
	}
	return done()
}

// Output runs a program to its end and returns what it printed. A status that is not 0 fails the test.
func Output(t T, program string, args ...string) string {
	t.Helper()
	out, err := Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Command is a program with an environment that does not depend on who runs the test.
func Command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=xterm"}
	return cmd
}

// WriteFile writes a file of the private host.
func WriteFile(t T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatalf("%v", err)
	}
}
