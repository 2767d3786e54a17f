package race

import (
	"testing"
	"time"

	"sallyport/test/burst"
)

// Of 64 logins with one code, at one instant and through four services, one gets in. In every fourth round the daemon is
// killed in the middle. If that was between using the code up and saying so, nobody gets in: closed, never open.
func TestOneCodeOneLogin(t *testing.T) {
	const rounds = 200
	d, strikes := newDoor(t), newStrikes(2)
	up, killed := burst.Tally{}, burst.Tally{}
	kills, nobody := 0, 0
	people := burst.AddPeople(t, "one", rounds)
	burst.Enrol(t, people...)
	for i, p := range people {
		d.beginRound()
		code := p.OathCode(time.Now())
		if i%4 != 3 {
			up.Add(oneGetsIn(d, p, code, i))
			continue
		}
		all := d.struck(burst.ModeOf(i), burst.Everywhere(p.Name, code, services, parallel), strikes.next())
		kills++
		killed.Add(all)
		if n := burst.Granted(all); n == 0 {
			nobody++
		} else if n > 1 {
			t.Fatalf("round %d, %s, daemon killed: %d of %d were let in with one code:%s\n%s", i, burst.ModeOf(i), n, len(all), burst.Report(all), d.logs())
		}
		isSpent(d, p, code, i, all)
	}
	t.Logf("with the daemon up:%v", up)
	t.Logf("with the daemon killed:%v", killed)
	t.Logf("in %d of %d rounds with the daemon killed nobody was let in, and the code was spent", nobody, kills)
}

// The module's Go halves, who have the ledger for one step each, let in no more than the daemon does.
func TestOneCodeOneLoginWithoutADaemon(t *testing.T) {
	const rounds = 16
	d := newDoor(t)
	d.Kill()
	people := burst.AddPeople(t, "one", rounds)
	burst.Enrol(t, people...)
	for i, p := range people {
		d.beginRound()
		oneGetsIn(d, p, p.OathCode(time.Now()), i)
	}
}

// oneGetsIn is a round without mishaps: one is let in, and the others are told why they are not.
func oneGetsIn(d *door, p *burst.Person, code string, round int) []burst.Outcome {
	d.t.Helper()
	all := d.burst(burst.ModeOf(round), burst.Everywhere(p.Name, code, services, parallel))
	told := 0
	for _, o := range all {
		if o.RefusedAs(usedAlready) {
			told++
		}
	}
	if n := burst.Granted(all); n != 1 || told != len(all)-1 {
		d.t.Fatalf("round %d, %s: %d of %d were let in with one code, and %d told that it is used:%s\n%s",
			round, burst.ModeOf(round), n, len(all), told, burst.Report(all), d.logs())
	}
	isSpent(d, p, code, round, all)
	return all
}

// isSpent brings the code once more, after a burst.
func isSpent(d *door, p *burst.Person, code string, round int, all []burst.Outcome) {
	d.t.Helper()
	if again := d.logIn(services[0], p, code); !again.RefusedAs(usedAlready) {
		d.t.Fatalf("round %d, %s: the code is not spent: %s; before that, %d were let in:%s\n%s",
			round, burst.ModeOf(round), again.Result(), burst.Granted(all), burst.Report(all), d.logs())
	}
}
