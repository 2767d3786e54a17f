package main

import (
	"fmt"
	"time"
)

// rightCodes measures one right code at a time.
func (b *bench) rightCodes() section {
	s := section{title: "One right code, one login at a time", unit: "µs", header: []string{"door", "way", "median (middle half)", "of ours", "refused"}}
	for _, way := range []string{forks, process} {
		took, odd := map[string][]time.Duration{}, map[string]int{}
		for round := range b.rounds {
			b.freshen(b.people)
			all := b.interleaved(round, 0)
			b.run(way, 1, all)
			if way == process {
				all = all[len(doors()):] // the first one at each door loads the module
			}
			times(all, true, took, odd)
		}
		b.compare(&s, way, took, odd)
		if way == forks {
			s.atMost("a fresh fork, of google-authenticator's time", ratio(took[ours], took[google]), 0.75, "")
			s.atMost("a fresh fork, of pam_oath's with 10 users", ratio(took[ours], took[oath]), 0.75, "")
		} else {
			s.atMost("a long-lived process, of google-authenticator's", ratio(took[ours], took[google]), 0.40, "")
			s.atMost("a long-lived process, of pam_permit's", ratio(took[ours], took[permit]), 2.5, "")
		}
	}
	return s
}

// interleaved is a login of everybody at each door, door by door in turns.
func (b *bench) interleaved(round int, steps int64) []attempt {
	var all []attempt
	for i, p := range b.people {
		code := b.code(p, steps)
		for _, door := range turns(round + i) {
			all = append(all, attempt{door: door, user: p.name, code: code})
		}
	}
	return all
}

// compare writes one row for each door.
func (b *bench) compare(s *section, way string, took map[string][]time.Duration, odd map[string]int) {
	for _, door := range doors() {
		theirs := sample(took[door])
		s.row(door, way, theirs.spread(), fmt.Sprintf("%.2f ×", ratio(theirs, took[ours])), fmt.Sprint(odd[door]))
		s.bars = append(s.bars, bar{door + ", " + way, float64(theirs.median()) / float64(time.Microsecond)})
	}
}

// together is how many log in at the same time.
const together = 8

// simultaneous measures how many right codes a second there are, eight at a time.
func (b *bench) simultaneous() section {
	const people = 48
	s := section{title: "Eight right codes at a time", unit: "logins a second", header: []string{"door", "way", "logins a second", "refused"}}
	crowd := b.addPeople("many", people)
	for _, way := range []string{forks, process} {
		rate, refused := map[string][]float64{}, map[string]int{}
		for round := range b.rounds {
			b.freshen(crowd)
			for _, door := range turns(round) {
				all := make([]attempt, len(crowd))
				for i, p := range crowd {
					all[i] = attempt{door: door, user: p.name, code: b.code(p, 0)}
				}
				total, _ := b.run(way, together, all)
				for _, a := range all {
					if a.status != 0 {
						refused[door]++
					}
				}
				rate[door] = append(rate[door], float64(len(all))/total.Seconds())
			}
		}
		for _, door := range doors() {
			s.row(door, way, fmt.Sprintf("%.0f", middle(rate[door])), fmt.Sprintf("%d of %d", refused[door], people*b.rounds))
			s.bars = append(s.bars, bar{door + ", " + way, middle(rate[door])})
		}
		goal := map[string]float64{forks: 1.4, process: 2}[way]
		s.atLeast(way+", of google-authenticator's rate", middle(rate[ours])/middle(rate[google]), goal, "")
		s.atMost(way+", right codes refused", float64(refused[ours]), 0, "")
	}
	return s
}

// refusals measures a wrong code and one that has been used.
func (b *bench) refusals() section {
	s := section{title: "A code that is refused", unit: "µs", header: []string{"door", "code", "median (middle half)", "of ours", "let in"}}
	wrong, replayed := map[string][]time.Duration{}, map[string][]time.Duration{}
	wrongIn, replayedIn := map[string]int{}, map[string]int{}
	for round := range b.rounds {
		b.freshen(b.people)
		right := b.interleaved(round, 0)
		used := append([]attempt{}, right...)
		b.run(forks, 1, right)
		b.run(forks, 1, used)
		times(used, false, replayed, replayedIn)
		bad := b.interleaved(round, 1000)
		b.run(forks, 1, bad)
		times(bad, false, wrong, wrongIn)
	}
	b.compare(&s, "wrong", wrong, wrongIn)
	b.compare(&s, "replayed", replayed, replayedIn)
	s.atMost("a wrong code, of google-authenticator's time", ratio(wrong[ours], wrong[google]), 0.5, "")
	s.atMost("a replayed code, of google-authenticator's time", ratio(replayed[ours], replayed[google]), 0.5, "")
	return s
}
