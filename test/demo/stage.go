package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sallyport/test/host"
)

// stage runs scenes. It is what the helpers of package host take for a test.
type stage struct {
	cleanups []func()
	daemon   *host.Daemon
	sshd     *host.SSHD
	alice    *host.Authenticator // her phone
	bob      *host.Authenticator // his
	used     string              // the newest code of hers that was let in
	recovery []string            // her recovery codes
}

// scene is one line of the table: what happens, and how.
type scene struct {
	text string
	play func(*stage)
}

// failure is what Fatalf panics with.
type failure string

// play plays a scene, prints its line and reports whether it went well.
func (s *stage) play(c scene) bool {
	problem := problemOf(func() { c.play(s) })
	printLine(c.text, problem)
	return problem == ""
}

// problemOf is why f failed; empty if it did not.
func problemOf(f func()) (problem string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			problem = string(r)
		default:
			panic(r)
		}
	}()
	f()
	return ""
}

// printLine prints a line of the table and, indented, what went wrong.
func printLine(text, problem string) {
	if problem == "" {
		fmt.Printf("  ok      %s\n", text)
		return
	}
	fmt.Printf("  FAILED  %s\n          %s\n", text, strings.ReplaceAll(strings.TrimSpace(problem), "\n", "\n          "))
}

// clear ends what the scenes have started, the newest first.
func (s *stage) clear() {
	for _, cleanup := range slices.Backward(s.cleanups) {
		if problem := problemOf(cleanup); problem != "" {
			printLine("Clearing up", problem)
		}
	}
}

// Helper is for testing.T only.
func (s *stage) Helper() {}

// Logf keeps quiet: the table says it.
func (s *stage) Logf(string, ...any) {}

// Fatalf ends the scene.
func (s *stage) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// Cleanup is called at the end of the demo.
func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// TempDir is a directory that goes with the private host.
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "demo-")
	if err != nil {
		s.Fatalf("%v", err)
	}
	return dir
}
