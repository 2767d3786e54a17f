package ctest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// PAM's codes, as host.c prints them.
const (
	success     = 0
	serviceErr  = 3
	permDenied  = 6
	authErr     = 7
	unavailable = 9
	maxTries    = 11
	sessionErr  = 14
	ignored     = 16 // PAM_CRED_EXPIRED, of the "end" module: the module before was ignored
	convErr     = 19
)

// tree is a root of Sallyport's and a directory of PAM services, both the test's own.
type tree struct {
	kit
	root, confdir string
	options       string // of the module
	before, after string // other modules of the auth stack, such as "show"
}

func newTree(t *testing.T, f func() (kit, error)) *tree {
	t.Helper()
	tr := &tree{kit: build(t, f)}
	dir, err := os.MkdirTemp(scratch, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // for hosts that are not root's
		t.Fatal(err)
	}
	if err := os.Chmod(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	tr.root, tr.confdir = filepath.Join(dir, "root"), filepath.Join(dir, "pam.d")
	for _, d := range []string{filepath.Join(tr.root, "run/sallyport"), tr.confdir} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// install writes the PAM service "test". The module's code is the call's code, and "ignored" where that is PAM_IGNORE.
func (tr *tree) install(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, kind := range []string{"auth", "account", "session", "password"} {
		if kind == "auth" && tr.before != "" {
			fmt.Fprintf(&b, "auth [default=ignore] %s %s\n", tr.other, tr.before)
		}
		control := "[success=done ignore=ignore default=die]"
		if kind == "auth" && tr.after != "" {
			control = "[success=ok ignore=ignore default=bad]"
		}
		fmt.Fprintf(&b, "%s %s %s root=%s %s\n", kind, control, tr.module, tr.root, tr.options)
		if kind == "auth" && tr.after != "" {
			fmt.Fprintf(&b, "auth [default=ignore] %s %s\n", tr.other, tr.after)
			continue
		}
		fmt.Fprintf(&b, "%s [default=die] %s end\n", kind, tr.other)
	}
	for name, text := range map[string]string{"test": b.String(), "other": "auth required pam_deny.so\n"} {
		if err := os.WriteFile(filepath.Join(tr.confdir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// outcome is what host.c printed.
type outcome struct {
	lines  []string      // what happened
	logs   []string      // what the module logged
	states []string      // what the process was like
	took   time.Duration // the longest call
}

// login runs the host with options and calls, as in `login("user=ann -- auth acct")`, and fails where it crashes, hangs
// or does not find its process as it was.
func (tr *tree) login(t *testing.T, args ...string) outcome {
	t.Helper()
	tr.install(t)
	return tr.run(t, exec.Command, args...)
}

func (tr *tree) run(t *testing.T, command func(string, ...string) *exec.Cmd, args ...string) outcome {
	t.Helper()
	var options []string
	for _, a := range args {
		options = append(options, strings.ReplaceAll(a, "~", " "))
	}
	cmd := command(tr.host, append([]string{"confdir=" + tr.confdir}, options...)...)
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=1", "GODEBUG=gctrace=1", "TZ=Moon/Far")
	var o outcome
	out := output(t, cmd)
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "log "):
			o.logs = append(o.logs, line)
		case strings.HasPrefix(line, "state "):
			o.states = append(o.states, line)
			if !strings.HasPrefix(line, "state threads=0 fds=+0 children=none signals=same ") {
				t.Errorf("%v: the module left %s", args, line)
			}
		case strings.HasPrefix(line, "took "):
			took, err := time.ParseDuration(line[len("took "):] + "ms")
			if err != nil {
				t.Errorf("%q: %v", line, err)
			}
			o.took = max(o.took, took)
		case line == "handled 0":
		default:
			o.lines = append(o.lines, line)
		}
	}
	return o
}

// output runs a program that must end well and write nothing on standard error.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	stop()
	if ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	if err != nil || stderr.Len() > 0 {
		t.Errorf("%s: %v\n%s%s", cmd, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// waited fails where the longest call took less than d. The module and the host cut their milliseconds off.
func (o outcome) waited(t *testing.T, d time.Duration) {
	t.Helper()
	if o.took < d-10*time.Millisecond {
		t.Errorf("it took %v only, want %v", o.took, d)
	}
}

// want compares what happened with a transcript.
func (o outcome) want(t *testing.T, lines ...string) {
	t.Helper()
	if got, want := strings.Join(o.lines, "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("what happened:\n%s\nwant:\n%s\nlogged:\n%s", got, want, strings.Join(o.logs, "\n"))
	}
}

// wantCalls compares the calls' codes only: what the verifier says is its own business.
func (o outcome) wantCalls(t *testing.T, lines ...string) {
	t.Helper()
	calls := slices.DeleteFunc(slices.Clone(o.lines), func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return slices.Contains([]string{"hidden", "shown", "info", "error"}, word)
	})
	if got, want := strings.Join(calls, "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("calls:\n%s\nwant:\n%s\nall of it:\n%s\nlogged:\n%s", got, want, strings.Join(o.lines, "\n"), strings.Join(o.logs, "\n"))
	}
}

// rss is the resident memory, in KiB, that the states tell of.
func (o outcome) rss(t *testing.T) []int {
	t.Helper()
	var all []int
	for _, s := range o.states {
		_, after, _ := strings.Cut(s, " rss=")
		n, err := strconv.Atoi(after)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		all = append(all, n)
	}
	return all
}

// logged fails unless a log line holds text.
func (o outcome) logged(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(o.logs, "\n"), text) {
		t.Errorf("no log line has %q:\n%s", text, strings.Join(o.logs, "\n"))
	}
}

func code(call string, code int) string { return fmt.Sprintf("%s %d", call, code) }
