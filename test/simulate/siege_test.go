package simulate

import (
	"fmt"
	"math"
	"testing"

	"sallyport/internal/policy"
	"sallyport/test/proof"
)

// What "sallyportctl policy check" prints is what a year of guessing comes to, from however many sources; and the owner
// gets in each morning from where it always logs in, unless the attacker comes from there, too: then from another address
// that it has logged in from.
//
// The short form counts the guesses of one year. The long one (make guessing) guesses for 1,000 years, and counts the hits.
func TestGuessing(t *testing.T) {
	p, err := policy.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	table := proof.NewTable("the attacker's sources", "guesses a year", "chance of a hit in a year", "policy check says", "years", "hits expected", "hits",
		"owner refused at its desk", "... and elsewhere, too")
	for _, sources := range []int{10, 1000, 100_000} {
		for _, near := range []bool{false, true} {
			besiege(t, p, sources, near, proof.Rounds(1, 1000), table)
		}
	}
	proof.Keep(t, "guessing", table)
}

func besiege(t *testing.T, p *policy.Policy, sources int, near bool, years int, table *proof.Table) {
	t.Helper()
	sum := tallies{}
	for i := range years {
		s, err := newSiege(uint64(i+1), p, sources, near)
		if err != nil {
			t.Fatal(err)
		}
		s.run()
		sum.add(s.tallies)
	}
	const one = 3e-6 // three codes of a million are right at any time
	aYear := float64(sum.guesses) / float64(years)
	measured, says, who := -math.Expm1(aYear*math.Log1p(-one)), p.GuessChance(6, 1), fmt.Sprint(sources)
	if near {
		says, who = p.GuessChanceNear(6, 1), who+", and the owner's address"
	}
	expected := float64(sum.guesses) * one
	table.Row(who, fmt.Sprintf("%.0f", aYear), fmt.Sprintf("%.4f", measured), fmt.Sprintf("%.4f", says), years, fmt.Sprintf("%.1f", expected), sum.hits,
		fmt.Sprintf("%d of %d", sum.refused, sum.logins), sum.stranded)
	// From the owner's address the attacker does not come quite as far as is said: its guesses there count against the others.
	if measured > 1.01*says || measured < 0.99*says && !near {
		t.Errorf("%s: the chance is %.5f, and policy check says %.5f", who, measured, says)
	}
	if math.Abs(float64(sum.hits)-expected) > 4*math.Sqrt(expected)+2 {
		t.Errorf("%s: %d hits, and %.1f are to be expected of %d guesses", who, sum.hits, expected, sum.guesses)
	}
	if sum.refused > 0 && !near { // near, the owner shares the lock of its address
		t.Errorf("%s: the owner is refused %d times of %d", who, sum.refused, sum.logins)
	}
	if sum.stranded > 0 {
		t.Errorf("%s: the owner is refused %d times from another address of its own, too", who, sum.stranded)
	}
}
