package monitor

import (
	"sync"
	"time"

	"sallyport/internal/clock"
)

// maxPeople bounds the samples in memory: as many say no more than the first few hundred do.
const maxPeople = 10000

// maxTries is how many codes of a user count: those of a login whose first ones were refused.
const maxTries = 4

// people is what the last codes of each user said, the newest last.
type people struct {
	mu      sync.Mutex
	samples map[string][]clock.Sample
}

// fill begins with what the ledger knows.
func (p *people) fill(samples map[string]clock.Sample) {
	for user, s := range samples {
		p.add(user, s)
	}
}

func (p *people) add(user string, s clock.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.samples == nil {
		p.samples = map[string][]clock.Sample{}
	}
	if _, known := p.samples[user]; !known && len(p.samples) >= maxPeople {
		for other := range p.samples { // any
			delete(p.samples, other)
			break
		}
	}
	tries := append(p.samples[user], s)
	p.samples[user] = tries[max(0, len(tries)-maxTries):]
}

// estimate is what they say together, and how many they are.
func (p *people) estimate(now, booted time.Time) (clock.Estimate, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([][]clock.Sample, 0, len(p.samples))
	for user, s := range p.samples {
		if !s[len(s)-1].Recent(now, booted) {
			delete(p.samples, user)
			continue
		}
		all = append(all, s)
	}
	return clock.Crowd(all, now, booted), len(all)
}

// Accepted counts what a right code said.
func (m *Monitor) Accepted(user string, s clock.Sample) {
	m.people.add(user, s)
	m.kick()
}
