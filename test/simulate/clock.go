package simulate

import "time"

// clock is the true time and the host's clock.
type clock struct {
	truth  time.Time
	error  time.Duration // host less truth
	drift  int64         // of the host, in parts per million
	frozen time.Time     // where the host's clock has stopped; zero: it goes
	up     time.Duration // since the machine's start
	latest time.Time     // that the host's clock has ever shown
}

func (c *clock) host() time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return c.truth.Add(c.error)
}

func (c *clock) booted() time.Time { return c.host().Add(-c.up) }

func (c *clock) pass(d time.Duration) {
	c.truth = c.truth.Add(d)
	c.up += d
	c.error += d * time.Duration(c.drift) / 1_000_000
	c.saw()
}

func (c *clock) saw() { c.latest = later(c.latest, c.host()) }

// boot is some time without power, after which the host has the time of a battery's clock. That is not behind the time of the
// failure: a code that was used then, and is not in the last copy, could be used once more when the clock comes to it. That
// much is known (seed 487134055733, before this), and not looked for.
func (c *clock) boot(w *World) {
	before := c.host()
	c.truth = c.truth.Add(w.span(0, []time.Duration{10 * time.Second, 3 * time.Minute}[w.rng.IntN(2)]))
	c.frozen, c.up = time.Time{}, 0
	switch w.rng.IntN(10) {
	case 0:
		c.error += w.span(-time.Hour, time.Hour)
	case 1, 2, 3:
		c.error = w.span(-time.Minute, time.Minute)
	}
	c.error += max(0, before.Sub(c.host()))
	c.saw()
}

// misbehave jumps, drifts, stops, or is set right.
func (w *World) misbehave() {
	c := &w.clock
	switch w.rng.IntN(12) {
	case 0:
		c.error += w.span(-3*time.Hour, 3*time.Hour)
	case 1:
		c.error += w.span(-40*day, 40*day)
	case 2:
		c.error += w.span(-2*time.Minute, 2*time.Minute)
	case 3:
		c.drift = w.rng.Int64N(20001) - 10000
	case 4:
		c.frozen = c.host()
	default: // NTP
		c.frozen, c.error, c.drift = time.Time{}, w.span(-time.Second, time.Second), w.rng.Int64N(41)-20
	}
	c.saw()
	w.note("the clock is off by %v and drifts by %d ppm, stopped %t", c.error, c.drift, !c.frozen.IsZero())
}
