package race

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/test/host"
)

// mode is how a burst is made.
type mode struct {
	who string // each login is a process, as with sshd, or a thread of one process: "forks", "threads"
	at  string // all logins wait for one another, right before the call of pam_authenticate(3) or the answer to its first prompt: "call", "answer"
}

// modeOf goes through the modes from round to round, each four times.
func modeOf(round int) mode {
	m := mode{"forks", "call"}
	if round/4%2 == 1 {
		m.who = "threads"
	}
	if round/8%2 == 1 {
		m.at = "answer"
	}
	return m
}

// patience is longer than testdata/burst.c lets any burst last.
const patience = time.Minute

// What pam_authenticate(3) returns; see security/_pam_types.h.
const (
	pamSuccess = 0
	pamAuthErr = 7
	noStatus   = -1 // the process died
)

// attempt is one login.
type attempt struct{ service, user, code string }

// outcome is what came of an attempt.
type outcome struct {
	attempt
	status int
	took   time.Duration
	told   string // the messages of the dialogue
}

func (o outcome) granted() bool { return o.status == pamSuccess }

// refusedAs reports whether the code was refused, and with these words.
func (o outcome) refusedAs(words string) bool {
	return o.status == pamAuthErr && strings.Contains(o.told, words)
}

// result is the outcome without who and when.
func (o outcome) result() string { return fmt.Sprintf("PAM status %d, told %q", o.status, o.told) }

// short is the result with the last message only.
func (o outcome) short() string {
	told := strings.Split(o.told, " | ")
	return fmt.Sprintf("PAM status %d after %d messages, last %q", o.status, len(told), told[len(told)-1])
}

// compile makes the burst program of testdata/burst.c.
func compile(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "burst")
	host.Output(t, "gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program, "testdata/burst.c", "-lpam", "-pthread")
	return program
}

// burst is a program whose logins wait for their release.
type burst struct {
	t        *testing.T
	attempts []attempt
	cmd      *exec.Cmd
	gate     io.Closer
	lines    *bufio.Scanner
	errors   strings.Builder
}

// prepare returns once all logins wait for their release.
func prepare(t *testing.T, program string, m mode, attempts []attempt) *burst {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	b := &burst{t: t, attempts: attempts, cmd: exec.CommandContext(ctx, program, m.who, m.at)}
	b.cmd.Stderr = &b.errors
	stdin, err := b.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	b.gate, b.lines = stdin, bufio.NewScanner(stdout)
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, a := range attempts {
		fmt.Fprintln(stdin, a.service, a.user, a.code) // an error shows as an answer that does not come
	}
	fmt.Fprintln(stdin)
	for range attempts {
		if n, rest := b.line(); rest[0] != "ready" {
			t.Fatalf("burst: login %d says %q before its release", n, rest)
		}
	}
	return b
}

// release lets all logins go at the same instant.
func (b *burst) release() {
	b.t.Helper()
	if err := b.gate.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// outcomes waits for all logins. They are in the order of the attempts.
func (b *burst) outcomes() []outcome {
	b.t.Helper()
	all := make([]outcome, len(b.attempts))
	for range all {
		n, rest := b.line()
		all[n] = parse(b.attempts[n], rest)
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Fatalf("burst: %v\n%s", err, &b.errors)
	}
	return all
}

// line is the next line: the number of its login, and at least one field more.
func (b *burst) line() (n int, rest []string) {
	b.t.Helper()
	if !b.lines.Scan() {
		b.t.Fatalf("burst ended early: %v, %v\n%s", b.lines.Err(), b.cmd.Wait(), &b.errors)
	}
	fields := strings.SplitN(b.lines.Text(), " ", 4)
	n, err := strconv.Atoi(fields[0])
	if err != nil || n < 0 || n >= len(b.attempts) || len(fields) < 2 {
		b.t.Fatalf("burst: not a line of ours: %q", b.lines.Text())
	}
	return n, fields[1:]
}

// parse reads "STATUS MILLISECONDS TEXT". Anything else stands for itself, as the end of who did not get so far.
func parse(a attempt, fields []string) outcome {
	o := outcome{attempt: a, status: noStatus, told: strings.Join(fields, " ")}
	if len(fields) != 3 {
		return o
	}
	status, err1 := strconv.Atoi(fields[0])
	took, err2 := strconv.Atoi(fields[1])
	if err1 == nil && err2 == nil {
		o.status, o.took, o.told = status, time.Duration(took)*time.Millisecond, fields[2]
	}
	return o
}

// tally counts results over many bursts, for the test's log.
type tally map[string]int

func (c tally) add(all []outcome) {
	for _, o := range all {
		c[o.short()]++
	}
}

func (c tally) String() string {
	var b strings.Builder
	for _, result := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "\n%6d × %s", c[result], result)
	}
	return b.String()
}

// granted counts who was let in.
func granted(all []outcome) int {
	n := 0
	for _, o := range all {
		if o.granted() {
			n++
		}
	}
	return n
}

// report lists every login of a burst, for a failure.
func report(all []outcome) string {
	var b strings.Builder
	for i, o := range all {
		fmt.Fprintf(&b, "\n%3d %s %s after %v: %s", i, o.service, o.user, o.took, o.result())
	}
	return b.String()
}
