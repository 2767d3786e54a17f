package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sallyport/test/host"
)

// daemonFigures measures the daemon: its start, its memory, and what it writes to the disk.
func (b *bench) daemonFigures() section {
	s := section{title: "The daemon", header: []string{"figure", "value"}}
	starts := sample{}
	for range b.rounds {
		b.daemon.Stop()
		began := time.Now()
		b.daemon.Start()
		starts = append(starts, time.Since(began))
	}
	people := b.addPeople("writer", 4*clients)
	b.beginVerify(people)
	idle := b.resident()
	writes, logins := b.diskWrites(people)
	b.others(b.many)
	b.beginCrowded(people)
	b.verifyAll(b.callsFor(people))
	crowded := b.resident()
	s.row(fmt.Sprintf("start to ready, with %d enrolled", b.many), fmt.Sprintf("%.0f ms", float64(starts.median())/float64(time.Millisecond)))
	s.row("resident, idle", fmt.Sprintf("%.1f MiB", idle))
	s.row(fmt.Sprintf("resident, with %d enrolled, after logins", b.many), fmt.Sprintf("%.1f MiB", crowded))
	s.row(fmt.Sprintf("writes and syncs below /var/lib in %d logins", logins), fmt.Sprint(writes))
	s.atMost("start to ready", float64(starts.median())/float64(time.Millisecond), 50, " ms")
	s.atMost("resident, idle", idle, 20, " MiB")
	s.atMost(fmt.Sprintf("resident, with %d enrolled", b.many), crowded, 40, " MiB")
	s.atMost("writes and syncs below /var/lib", float64(writes), 0, "")
	return s
}

// beginCrowded gives people new keys among the others that are enrolled.
func (b *bench) beginCrowded(people []*person) {
	b.daemon.Kill()
	for _, p := range people {
		b.newKey(p)
	}
	b.enrol(people)
	b.daemon.Start()
}

// diskWrites has strace(1) look on while people log in, and counts what reaches for the disk.
func (b *bench) diskWrites(people []*person) (writes, logins int) {
	trace := filepath.Join(b.TempDir(), "trace")
	const calls = "write,pwrite64,writev,fsync,fdatasync,sync_file_range,msync,rename,renameat,renameat2,unlink,unlinkat"
	look := host.Start(b, "strace", "-f", "-y", "-q", "-e", "trace="+calls, "-o", trace, "-p", fmt.Sprint(b.daemon.PID()))
	host.Eventually(b, "strace looks on", func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.daemon.PID()))
		return err == nil && strings.Contains(string(text), fmt.Sprintf("TracerPid:\t%d\n", look.PID()))
	})
	for logins < b.traced {
		all := b.callsFor(people)
		b.verifyAll(all)
		logins += len(all)
	}
	look.Signal(syscall.SIGINT)
	host.Eventually(b, "strace ends", func() bool { return !look.Running() })
	text, err := os.ReadFile(trace)
	b.check(err)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "/var/lib/") {
			writes++
		}
	}
	return writes, logins
}

// moduleFigures measures what the module takes of the memory of a process that it logs people in for.
func (b *bench) moduleFigures() section {
	s := section{title: "The module in the process that logs people in", header: []string{"module", "mapped of its file", "copied for this process"}}
	host.Policy(b, policyText)
	b.freshen(b.people)
	_, modules := b.run(process, 1, b.interleaved(0, 0))
	for _, name := range []string{"pam_sallyport.so", "pam_google_authenticator.so", "pam_oath.so", "pam_permit.so"} {
		m, there := modules[name]
		if !there {
			s.row(name, "unloaded at the end of each login", "")
			continue
		}
		s.row(name, fmt.Sprintf("%d kB", m.mapped), fmt.Sprintf("%d kB", m.own))
	}
	return s
}
