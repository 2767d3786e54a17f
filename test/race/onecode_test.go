package race

import (
	"testing"
	"time"
)

// Of 64 logins with one code, at one instant and through four services, one gets in. In every fourth round the daemon is
// killed in the middle. If that was between using the code up and saying so, nobody gets in: closed, never open.
func TestOneCodeOneLogin(t *testing.T) {
	const rounds = 200
	d, strikes := newDoor(t), newStrikes(2)
	up, killed := tally{}, tally{}
	kills, nobody := 0, 0
	people := addPeople(t, "one", rounds)
	enrol(t, people...)
	for i, p := range people {
		d.beginRound()
		code := p.oathCode(time.Now())
		if i%4 != 3 {
			up.add(oneGetsIn(d, p, code, i))
			continue
		}
		all := d.struck(modeOf(i), everywhere(p.name, code, services, parallel), strikes.next())
		kills++
		killed.add(all)
		if n := granted(all); n == 0 {
			nobody++
		} else if n > 1 {
			t.Fatalf("round %d, %s, daemon killed: %d of %d were let in with one code:%s\n%s", i, modeOf(i), n, len(all), report(all), d.logs())
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
	people := addPeople(t, "one", rounds)
	enrol(t, people...)
	for i, p := range people {
		d.beginRound()
		oneGetsIn(d, p, p.oathCode(time.Now()), i)
	}
}

// oneGetsIn is a round without mishaps: one is let in, and the others are told why they are not.
func oneGetsIn(d *door, p *person, code string, round int) []outcome {
	d.t.Helper()
	all := d.burst(modeOf(round), everywhere(p.name, code, services, parallel))
	told := 0
	for _, o := range all {
		if o.refusedAs(usedAlready) {
			told++
		}
	}
	if n := granted(all); n != 1 || told != len(all)-1 {
		d.t.Fatalf("round %d, %s: %d of %d were let in with one code, and %d told that it is used:%s\n%s",
			round, modeOf(round), n, len(all), told, report(all), d.logs())
	}
	isSpent(d, p, code, round, all)
	return all
}

// isSpent brings the code once more, after a burst.
func isSpent(d *door, p *person, code string, round int, burst []outcome) {
	d.t.Helper()
	if again := d.logIn(services[0], p, code); !again.refusedAs(usedAlready) {
		d.t.Fatalf("round %d, %s: the code is not spent: %s; before that, %d were let in:%s\n%s",
			round, modeOf(round), again.result(), granted(burst), report(burst), d.logs())
	}
}
