package race

import (
	"testing"
	"time"

	"sallyport/test/burst"
)

// Every right code of a distinct user is accepted, however many come at one instant.
func TestDistinctUsersAllGetIn(t *testing.T) {
	d := newDoor(t)
	allGetIn(d, burst.AddPeople(t, "distinct", parallel), 50)
}

// Without the daemon the module's Go halves take turns at the ledger.
func TestDistinctUsersWithoutADaemon(t *testing.T) {
	d := newDoor(t)
	d.Kill()
	allGetIn(d, burst.AddPeople(t, "alone", parallel), 8)
}

func allGetIn(d *door, people []*burst.Person, rounds int) {
	d.t.Helper()
	for i := range rounds {
		d.beginRound()
		all := d.burst(burst.ModeOf(i), eachWithACode(d.t, people))
		if n := burst.Granted(all); n != len(all) {
			d.t.Fatalf("round %d, %s: %d of %d distinct users were let in:%s\n%s", i, burst.ModeOf(i), n, len(all), burst.Report(all), d.logs())
		}
	}
}

// The death of the daemon costs nobody the login but those whose code it had used up and not said so yet.
func TestDistinctUsersWhileTheDaemonIsKilled(t *testing.T) {
	d, strikes := newDoor(t), newStrikes(2*parallel)
	people := burst.AddPeople(t, "struck", parallel)
	results, spent := burst.Tally{}, 0
	for i := range 32 {
		d.beginRound()
		all := d.struck(burst.ModeOf(i), eachWithACode(t, people), strikes.next())
		results.Add(all)
		for _, o := range all {
			if o.Granted() {
				continue
			}
			if again := d.burst(burst.ModeOf(0), []burst.Attempt{o.Attempt})[0]; !again.RefusedAs(usedAlready) {
				t.Fatalf("round %d, %s: %s was refused with a right code that is not used up: %s; and after that: %s; all of them:%s\n%s",
					i, burst.ModeOf(i), o.User, o.Result(), again.Result(), burst.Report(all), d.logs())
			}
			spent++
		}
	}
	t.Logf("%d codes were spent in vain:%v", spent, results)
}

// eachWithACode gives everybody a new authenticator, and a login with it.
func eachWithACode(t *testing.T, people []*burst.Person) []burst.Attempt {
	t.Helper()
	burst.Enrol(t, people...)
	all := make([]burst.Attempt, len(people))
	for i, p := range people {
		all[i] = burst.Attempt{Service: services[i%len(services)], User: p.Name, Code: p.Code(time.Now())}
	}
	return all
}
