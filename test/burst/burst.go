// Package burst makes many logins at one instant, through libpam and whatever modules a service has.
package burst

import (
	"bufio"
	"context"
	_ "embed"
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

// Mode is how a burst is made.
type Mode struct {
	Who string // each login is a process, as with sshd, or a thread of one process: "forks", "threads"
	At  string // all logins wait for one another, right before the call of pam_authenticate(3) or the answer to its first prompt: "call", "answer"
}

// ModeOf goes through the modes from round to round, each four times.
func ModeOf(round int) Mode {
	m := Mode{"forks", "call"}
	if round/4%2 == 1 {
		m.Who = "threads"
	}
	if round/8%2 == 1 {
		m.At = "answer"
	}
	return m
}

// patience is longer than testdata/burst.c lets any burst last.
const patience = time.Minute

// What pam_authenticate(3) returns; see security/_pam_types.h.
const (
	Success  = 0
	AuthErr  = 7
	NoStatus = -1 // the process died
)

// Attempt is one login.
type Attempt struct{ Service, User, Code string }

// Outcome is what came of an attempt.
type Outcome struct {
	Attempt
	Status int
	Took   time.Duration
	Told   string // the messages of the dialogue
}

func (o Outcome) Granted() bool { return o.Status == Success }

// RefusedAs reports whether the code was refused, and with these words.
func (o Outcome) RefusedAs(words string) bool {
	return o.Status == AuthErr && strings.Contains(o.Told, words)
}

// Result is the outcome without who and when.
func (o Outcome) Result() string { return fmt.Sprintf("PAM status %d, told %q", o.Status, o.Told) }

// short is the result with the last message only.
func (o Outcome) short() string {
	told := strings.Split(o.Told, " | ")
	return fmt.Sprintf("PAM status %d after %d messages, last %q", o.Status, len(told), told[len(told)-1])
}

//go:embed testdata/burst.c
var source string

// Compile makes the burst program of testdata/burst.c.
func Compile(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "burst")
	gcc := host.Command("gcc", "-x", "c", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program, "-", "-lpam", "-pthread")
	gcc.Stdin = strings.NewReader(source)
	if out, err := gcc.CombinedOutput(); err != nil {
		t.Fatalf("compiling the burst: %v\n%s", err, out)
	}
	return program
}

// Burst is a program whose logins wait for their release.
type Burst struct {
	t        *testing.T
	attempts []Attempt
	cmd      *exec.Cmd
	gate     io.Closer
	lines    *bufio.Scanner
	errors   strings.Builder
}

// One is a single login. The words of before, if any, are a command line that runs the program: under a limit, say.
func One(t *testing.T, program string, before []string, a Attempt) Outcome {
	t.Helper()
	line := append(append([]string{}, before...), program)
	b := prepare(t, line, ModeOf(0), []Attempt{a})
	b.Release()
	return b.Outcomes()[0]
}

// Prepare returns once all logins wait for their release.
func Prepare(t *testing.T, program string, m Mode, attempts []Attempt) *Burst {
	t.Helper()
	return prepare(t, []string{program}, m, attempts)
}

func prepare(t *testing.T, line []string, m Mode, attempts []Attempt) *Burst {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	line = append(line, m.Who, m.At)
	b := &Burst{t: t, attempts: attempts, cmd: exec.CommandContext(ctx, line[0], line[1:]...)}
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
		fmt.Fprintln(stdin, a.Service, a.User, a.Code) // an error shows as an answer that does not come
	}
	fmt.Fprintln(stdin)
	for range attempts {
		if n, rest := b.line(); rest[0] != "ready" {
			t.Fatalf("burst: login %d says %q before its release", n, rest)
		}
	}
	return b
}

// Release lets all logins go at the same instant.
func (b *Burst) Release() {
	b.t.Helper()
	if err := b.gate.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// Outcomes waits for all logins. They are in the order of the attempts.
func (b *Burst) Outcomes() []Outcome {
	b.t.Helper()
	all := make([]Outcome, len(b.attempts))
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
func (b *Burst) line() (n int, rest []string) {
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
func parse(a Attempt, fields []string) Outcome {
	o := Outcome{Attempt: a, Status: NoStatus, Told: strings.Join(fields, " ")}
	if len(fields) != 3 {
		return o
	}
	status, err1 := strconv.Atoi(fields[0])
	took, err2 := strconv.Atoi(fields[1])
	if err1 == nil && err2 == nil {
		o.Status, o.Took, o.Told = status, time.Duration(took)*time.Millisecond, fields[2]
	}
	return o
}

// Tally counts results over many bursts, for the test's log.
type Tally map[string]int

func (c Tally) Add(all []Outcome) {
	for _, o := range all {
		c[o.short()]++
	}
}

func (c Tally) String() string {
	var b strings.Builder
	for _, result := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, "\n%6d × %s", c[result], result)
	}
	return b.String()
}

// Granted counts who was let in.
func Granted(all []Outcome) int {
	n := 0
	for _, o := range all {
		if o.Granted() {
			n++
		}
	}
	return n
}

// Report lists every login of a burst, for a failure.
func Report(all []Outcome) string {
	var b strings.Builder
	for i, o := range all {
		fmt.Fprintf(&b, "\n%3d %s %s after %v: %s", i, o.Service, o.User, o.Took, o.Result())
	}
	return b.String()
}
