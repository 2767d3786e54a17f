package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"sallyport/internal/ledger"
	"sallyport/test/host"
)

// few is what b.many enrolled users are compared with.
const few = 100

// crowd measures what it costs that others are enrolled, too.
func (b *bench) crowd() section {
	s := section{title: "One right code, with others enrolled", unit: "µs", header: []string{"door", "enrolled", "median (middle half)", "refused"}}
	took := map[int]map[string][]time.Duration{}
	for _, enrolled := range []int{few, b.many} {
		lines := b.others(enrolled)
		took[enrolled] = map[string][]time.Duration{}
		odd := map[string]int{}
		for round := range max(2, b.rounds/2) {
			b.daemon.Kill()
			b.renew(lines)
			b.daemon.Start()
			all := b.interleaved(round, 0)
			b.run(forks, 1, all)
			times(all, true, took[enrolled], odd)
		}
		for _, door := range []string{ours, oath} {
			s.row(door, fmt.Sprint(enrolled), sample(took[enrolled][door]).spread(), fmt.Sprint(odd[door]))
			s.bars = append(s.bars, bar{fmt.Sprintf("%s, %d", door, enrolled), float64(sample(took[enrolled][door]).median()) / float64(time.Microsecond)})
		}
	}
	s.atMost(fmt.Sprintf("%d enrolled, of the time with %d", b.many, few), ratio(took[b.many][ours], took[few][ours]), 1.15, "")
	s.row(oath, fmt.Sprintf("of its time with %d", few), fmt.Sprintf("%.0f ×", ratio(took[b.many][oath], took[few][oath])), "")
	return s
}

// others enrols people who do not log in, with a code that each has used, and returns their lines for pam_oath.
func (b *bench) others(n int) string {
	b.daemon.Kill()
	l := b.newLedger()
	var lines strings.Builder
	people := make([]*person, n)
	for i := range people {
		p := &person{name: fmt.Sprintf("other%d", i), uid: uint32(50000 + i)}
		b.newKey(p)
		people[i] = p
		fmt.Fprintf(&lines, "HOTP/T30\t%s\t-\t%s\n", p.name, hex.EncodeToString(p.key.Secret.Bytes()))
		a := &ledger.Account{Tokens: map[string]*ledger.TokenUse{}}
		a.Use(fmt.Sprintf("%016x", i), p.key.Step(time.Now())-10)
		a.Accept(ours, "local", time.Now().Add(-5*time.Minute))
		b.check(l.Put(p.name, a))
	}
	b.check(l.Close())
	b.enrol(people)
	b.daemon.Start()
	return lines.String()
}

// renew gives those who log in new keys, and leaves the ledger and the others as they are.
func (b *bench) renew(others string) {
	var lines strings.Builder
	lines.WriteString(others)
	for _, p := range b.people {
		b.newKey(p)
		fmt.Fprintf(&lines, "HOTP/T30\t%s\t-\t%s\n", p.name, hex.EncodeToString(p.key.Secret.Bytes()))
		host.WriteFile(b, googleDir+"/"+p.name, p.googleFile(), 0o400)
	}
	host.WriteFile(b, oathFile, lines.String(), 0o600)
	b.enrol(b.people)
}

// resident is the daemon's resident memory in MiB (proc(5), status).
func (b *bench) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.daemon.PID()))
	b.check(err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			return float64(b.number(fields[1])) / 1024
		}
	}
	b.Fatalf("no VmRSS in the status of the daemon")
	return 0
}
