package machine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/test/host"
	"sallyport/test/proof"
	"sallyport/test/system"
)

// TestClock has 20 people log in to a machine whose clock is wrong: that is noticed, by which way, and by how much within
// 5 seconds; when it is set right, that is noticed, too, and everybody gets in. No code works twice, however the clock is set.
func TestClock(t *testing.T) {
	const day = 24 * time.Hour
	table := proof.NewTable("the clock jumps by", "on the wrong clock get in", "in the log", "set right again", "used codes sent again, and accepted")
	for _, by := range []time.Duration{40 * time.Second, -40 * time.Second, 10 * time.Minute, -10 * time.Minute, day, -day} {
		t.Run(clock.Words(by), func(t *testing.T) {
			g := system.BootMachine(t, system.MachineOptions{})
			g.Install()
			c := newCrowd(t, g, 20, uint64(by))
			in, then := c.logInWrong(by)
			c.logInRight()
			c.set(by - time.Since(then)) // to the time that it was when the last code was accepted on the wrong clock
			if sent, known := c.replay("192.0.2.4"); known == 0 {
				t.Errorf("of %d used codes none is right at this time: nothing was tested", sent)
			}
			table.Row(by, fmt.Sprintf("%d of 20", in), "`"+c.warning()+"`", "all 20 get in", fmt.Sprintf("%d, 0", c.resent))
		})
	}
	if !t.Failed() {
		proof.Keep(t, "clock", table)
	}
}

// logInWrong has everybody log in while the clock is wrong, and looks at what the daemon makes of it. It returns how
// many of them got in, and when the last code was accepted.
func (c *crowd) logInWrong(by time.Duration) (in int, last time.Time) {
	c.Helper()
	before := c.set(by)
	in, slowest := c.logInAll("192.0.2.1")
	host.Eventually(c, "everybody's code counts", func() bool {
		codes := c.clock().Sources
		return strings.Contains(codes[len(codes)-1].Text, "of 20 people")
	})
	state, wrong := c.clock(), c.wrong()
	if (wrong-before).Abs() > time.Second || (wrong-by).Abs() > time.Minute {
		c.Errorf("the machine's clock was to be wrong by %v, and was by %v and then by %v", by, before, wrong)
	}
	if !state.Wrong || state.Offset == nil || *state.Source != "codes" {
		c.Fatalf("wrong by %v, and the daemon says: %s", wrong, c.g.Run("sallyportctl clock --json || true"))
	}
	found, margin := seconds(*state.Offset), seconds(*state.Error)
	c.Logf("wrong by %v: found %v ± %v; %d of 20 got in, a code took %v at most", wrong, found, margin, in, slowest)
	if miss := (found - wrong).Abs(); miss > 5*time.Second || miss > margin {
		c.Errorf("wrong by %v: found %v ± %v", wrong, found, margin)
	}
	direction := " fast, since "
	if by < 0 {
		direction = " slow, since "
	}
	for where, text := range map[string]string{
		"clock":   state.Text,
		"journal": c.warning(),
		"command": c.g.Run("sallyportctl clock || true"),
	} {
		if !strings.Contains(text, direction) {
			c.Errorf("%s does not warn of a clock that is wrong by %v:\n%s", where, wrong, text)
		}
	}
	last = time.Now()
	if !c.verify(c.stray, c.stray.phone.At(last.Add(wrong).Unix()/30), "192.0.2.1") {
		c.Errorf("a code that is right by the machine's clock is refused:\n%s", c.g.Log())
	}
	return in, last
}

// logInRight sets the clock right, and has everybody log in.
func (c *crowd) logInRight() {
	c.Helper()
	wrong, copied := c.wrong(), c.copied()
	c.set(0)
	host.Eventually(c, "the clock is known to be right", func() bool { return !c.clock().Wrong })
	if wrong > 0 {
		host.Eventually(c, "the codes that were used on the clock that was ahead are on the disk", func() bool { return c.copied() != copied })
	}
	c.Logf("set right: %s", c.clock().Text)
	c.replay("192.0.2.2")
	newest := c.people[0].newest
	for _, p := range c.people {
		newest = max(newest, p.newest)
	}
	const slow = 15 * time.Second
	host.Eventually(c, "a code that nobody has typed", func() bool { return time.Now().Add(-slow).Unix()/30 > newest })
	for _, p := range c.people {
		if !c.logIn(p, "192.0.2.3", c.typing()) {
			c.Errorf("%s does not get in on a clock that is right:\n%s", p.name, c.g.Log())
		}
	}
	if again := c.g.Journal("SALLYPORT_KIND=clock-right"); len(again) != 1 {
		c.Errorf("that the clock is right again is in the journal %d times", len(again))
	}
	if state := c.clock(); state.Wrong {
		c.Errorf("the clock is right, and everybody has logged in: %s", state.Text)
	}
}

// copied tells one copy of the ledger from the next.
func (c *crowd) copied() string { return c.g.Run("stat -c %i /var/lib/sallyport/ledger.saved || true") }

// warning is the journal's first one.
func (c *crowd) warning() string {
	c.Helper()
	all := c.g.Journal("SALLYPORT_KIND=clock-wrong")
	if len(all) == 0 {
		return ""
	}
	return all[0]["MESSAGE"]
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
