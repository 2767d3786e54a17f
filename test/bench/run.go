package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/test/host"
)

// attempt is one login to be made, and what came of it.
type attempt struct {
	door   string
	user   string
	code   string
	status int // of pam_authenticate(3); 0 is success
	took   time.Duration
}

// The ways in which testdata/login.c logs in.
const (
	forks   = "forks"   // each login is a process of its own, which loads the module
	process = "process" // all are made by one process
)

// module is what one PAM module takes of the memory of the process that it is in (proc(5), smaps).
type module struct{ mapped, own int64 } // kB

// run makes logins, so many at a time. It returns the time that all of them took together and, for the way "process",
// what the modules take of it, by their file's name.
func (b *bench) run(way string, simultaneous int, attempts []attempt) (total time.Duration, modules map[string]module) {
	var in bytes.Buffer
	for _, a := range attempts {
		fmt.Fprintln(&in, a.door, a.user, a.code)
	}
	cmd := host.Command(b.program, confdir, way, strconv.Itoa(simultaneous))
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	done := 0
	modules = map[string]module{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "total":
			total = b.duration(fields[1])
		case "module":
			modules[fields[1]] = module{b.number(fields[2]), b.number(fields[3])}
		default:
			a := &attempts[b.number(fields[0])]
			a.status, a.took = int(b.number(fields[1])), b.duration(fields[2])
			done++
		}
	}
	if done != len(attempts) || total == 0 {
		b.Fatalf("%s: %d of %d logins came to an end", cmd, done, len(attempts))
	}
	return total, modules
}

func (b *bench) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	b.check(err)
	return n
}

func (b *bench) duration(nanoseconds string) time.Duration {
	return time.Duration(b.number(nanoseconds))
}

// times are the times of the attempts at each door that ended with status; the others are counted in odd.
func times(attempts []attempt, granted bool, into map[string][]time.Duration, odd map[string]int) {
	for _, a := range attempts {
		if a.door != permit && (a.status == 0) != granted {
			odd[a.door]++
			continue
		}
		into[a.door] = append(into[a.door], a.took)
	}
}

// turns are the doors in another order each time, so that none is always the first.
func turns(n int) []string { return turned(doors(), n) }

func turned(all []string, n int) []string {
	n %= len(all)
	return append(all[n:len(all):len(all)], all[:n]...)
}
