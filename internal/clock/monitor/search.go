package monitor

import (
	"context"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/otp"
)

// reach is how far from now a refused code is looked for: a clock that is wrong by a day is a day of a calendar, or a
// zone and summer time on top.
const reach = 26 * time.Hour

// searchEvery is how often a user's refused codes are looked for. It takes 6,000 codes to be made, some milliseconds.
const searchEvery = 10 * time.Second

// miss is a code that was refused. It is in no log, and gone when it was looked for.
type miss struct {
	user   string
	keys   []otp.Key
	code   string
	sample clock.Sample
}

// Refused has the code looked for at other times, later and elsewhere: how long that takes tells nobody anything. Where
// there are too many, it is let go.
func (m *Monitor) Refused(user string, keys []otp.Key, code string, s clock.Sample) {
	select {
	case m.missed <- miss{user, keys, code, s}:
	default:
	}
}

// search looks for refused codes until ctx ends.
func (m *Monitor) search(ctx context.Context) {
	last := map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-m.missed:
			if now := time.Now(); now.Sub(last[c.user]) >= searchEvery {
				if len(last) >= maxPeople {
					clear(last)
				}
				last[c.user] = now
				m.find(c)
			}
		}
	}
}

// find counts the nearest time that the code belongs to. A code that is just wrong belongs to some with a chance of
// 1 in 160; it is one voice.
func (m *Monitor) find(c miss) {
	best, found := int64(0), false
	var period time.Duration
	for _, key := range c.keys {
		here, steps := key.Step(c.sample.At), int64(reach/key.Period)
		for _, step := range key.Matches(c.code, here-steps, here+steps) {
			if away := time.Duration(step-here) * key.Period; !found || away.Abs() < (time.Duration(best-key.Step(c.sample.At))*period).Abs() {
				best, period, found = step, key.Period, true
			}
		}
	}
	if found {
		c.sample.Step, c.sample.Period = best, period
		m.Accepted(c.user, c.sample)
	}
}
