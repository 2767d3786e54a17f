// Bench measures Sallyport beside its peers, in one run and interleaved: google-authenticator and pam_oath, from Debian's
// packages, and pam_permit, which does nothing and is the floor. It runs in a private host (package host), needs root
// and what make build leaves, and prints what stands in docs/benchmarks.md.
//
// Times depend on the machine; what counts are the ratios within one run. Everybody's records are on the machine's disk.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"sallyport/test/host"
)

func main() {
	quick := flag.Bool("quick", false, "few logins and few users: shows that it works, and little more")
	plots := flag.String("plots", "", "write SVG plots into `DIR`")
	flag.Parse()
	os.Exit(host.Run(host.Options{}, func() int { return inside(*quick, *plots) }))
}

// inside measures in the private host.
func inside(quick bool, plots string) (status int) {
	b := &bench{rounds: 24, many: 100_000, traced: 10_000}
	if quick {
		b.rounds, b.many, b.traced = 1, 2000, 1
	}
	defer b.clear()
	defer func() {
		if problem, failed := recover().(failure); failed {
			fmt.Fprintf(os.Stderr, "bench: %s\n", string(problem))
			status = 1
		}
	}()
	b.prepare()
	for _, measure := range []func() section{b.rightCodes, b.simultaneous, b.refusals, b.crowd, b.verify, b.daemonFigures, b.moduleFigures, b.ssh} {
		s := measure()
		s.print(os.Stdout)
		b.sections = append(b.sections, s)
	}
	if plots != "" {
		if err := draw(plots, b.sections); err != nil {
			b.Fatalf("%v", err)
		}
	}
	return 0
}

// bench is the run. It is what the helpers of package host take for a test.
type bench struct {
	rounds   int // of each measurement; in each, everybody of people logs in once by each door
	many     int // enrolled users, against few
	traced   int // logins that strace looks at, at least
	program  string
	people   []*person
	daemon   *host.Daemon
	sections []section
	cleanups []func()
}

// failure is what Fatalf panics with.
type failure string

// Helper is for testing.T only.
func (b *bench) Helper() {}

// Logf keeps quiet: the tables say it.
func (b *bench) Logf(string, ...any) {}

// Fatalf ends the run.
func (b *bench) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// Cleanup is called at the end of the run.
func (b *bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

// TempDir is a directory that goes with the private host.
func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "bench-")
	b.check(err)
	return dir
}

func (b *bench) check(err error) {
	if err != nil {
		b.Fatalf("%v", err)
	}
}

func (b *bench) clear() {
	for _, cleanup := range slices.Backward(b.cleanups) {
		cleanup()
	}
}
