package race

import (
	"testing"
	"time"
)

// Every right code of a distinct user is accepted, however many come at one instant.
func TestDistinctUsersAllGetIn(t *testing.T) {
	d := newDoor(t)
	allGetIn(d, addPeople(t, "distinct", parallel), 50)
}

// Without the daemon the module's Go halves take turns at the ledger.
func TestDistinctUsersWithoutADaemon(t *testing.T) {
	d := newDoor(t)
	d.Kill()
	allGetIn(d, addPeople(t, "alone", parallel), 8)
}

func allGetIn(d *door, people []*person, rounds int) {
	d.t.Helper()
	for i := range rounds {
		d.beginRound()
		all := d.burst(modeOf(i), eachWithACode(d.t, people))
		if n := granted(all); n != len(all) {
			d.t.Fatalf("round %d, %s: %d of %d distinct users were let in:%s\n%s", i, modeOf(i), n, len(all), report(all), d.logs())
		}
	}
}

// The death of the daemon costs nobody the login but those whose code it had used up and not said so yet.
func TestDistinctUsersWhileTheDaemonIsKilled(t *testing.T) {
	d, strikes := newDoor(t), newStrikes(2*parallel)
	people := addPeople(t, "struck", parallel)
	results, spent := tally{}, 0
	for i := range 32 {
		d.beginRound()
		all := d.struck(modeOf(i), eachWithACode(t, people), strikes.next())
		results.add(all)
		for _, o := range all {
			if o.granted() {
				continue
			}
			if again := d.burst(modeOf(0), []attempt{o.attempt})[0]; !again.refusedAs(usedAlready) {
				t.Fatalf("round %d, %s: %s was refused with a right code that is not used up: %s; and after that: %s; all of them:%s\n%s",
					i, modeOf(i), o.user, o.result(), again.result(), report(all), d.logs())
			}
			spent++
		}
	}
	t.Logf("%d codes were spent in vain:%v", spent, results)
}

// eachWithACode gives everybody a new authenticator, and a login with it.
func eachWithACode(t *testing.T, people []*person) []attempt {
	t.Helper()
	enrol(t, people...)
	all := make([]attempt, len(people))
	for i, p := range people {
		all[i] = attempt{services[i%len(services)], p.name, p.code(time.Now())}
	}
	return all
}
