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
	w.set(func(c *clock) {
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
		default:
			c.ntp(w)
		}
	})
}

// ntp sets the clock right.
func (c *clock) ntp(w *World) {
	c.frozen, c.error, c.drift = time.Time{}, w.span(-time.Second, time.Second), w.rng.Int64N(41)-20
}

// set changes the clock. Where it is set back the daemon makes a copy of the ledger at once, as cmd/sallyportd does: of codes
// that were used under a clock that was ahead no later copy could be too late for a power failure.
func (w *World) set(how func(*clock)) {
	c, before := &w.clock, w.clock.host()
	how(c)
	c.saw()
	w.rememberAt = earlier(w.rememberAt, c.host())
	w.note("the clock is off by %v and drifts by %d ppm, stopped %t", c.error, c.drift, !c.frozen.IsZero())
	if c.host().Before(before) && w.daemon != nil {
		w.save(false)
		w.op = operation{}
	}
}

// travel has the clock set back to when a code was right that was used, mostly long ago, and somebody who saw it tries.
func (w *World) travel() {
	u := w.somebody()
	for _, t := range u.has().tokens {
		n := len(t.order)
		if n == 0 {
			continue
		}
		step := t.order[w.rng.IntN(n)]
		then := time.Unix((step-t.offset)*t.period, 0).Add(w.span(0, time.Duration(t.period)*time.Second))
		w.set(func(c *clock) { c.frozen, c.error = time.Time{}, then.Sub(c.truth) })
		w.tally["used before"]++
		w.verify(u, w.request(u, others[w.rng.IntN(len(others))], w.from(u)), t.code(step))
		break
	}
	if w.chance(80) {
		w.set(func(c *clock) { c.ntp(w) })
	}
}

// from is where an attacker comes from who is mostly elsewhere.
func (w *World) from(u *user) string {
	if w.chance(30) {
		return w.home(u)
	}
	return w.abroad()
}
