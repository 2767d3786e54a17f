package simulate

import (
	"fmt"
	"math"
	"testing"

	"sallyport/internal/policy"
)

// What "sallyportctl policy check" prints is what a year of guessing comes to, from however many sources; and the owner
// gets in each morning from where it always logs in, unless the attacker comes from there, too.
//
// The short form counts the guesses of some years. The long one (make simulate) guesses for 2,000 years, and counts the
// hits.
func TestGuessing(t *testing.T) {
	p, err := policy.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	years := 1
	if *total > 0 {
		years = 2000
		fmt.Println("| sources | of them the owner's own | guesses a year | chance by these | policy check says | years | years with a hit | hits expected | hits | owner refused |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	}
	for _, sources := range []int{10, 1000, 100_000} {
		for _, near := range []bool{false, true} {
			besiege(t, p, sources, near, years)
		}
	}
}

func besiege(t *testing.T, p *policy.Policy, sources int, near bool, years int) {
	t.Helper()
	guesses, hits, hitYears, logins, refused := 0, 0, 0, 0, 0
	for i := range years {
		s, err := newSiege(uint64(i+1), p, sources, near)
		if err != nil {
			t.Fatal(err)
		}
		s.run()
		guesses, hits, logins, refused = guesses+s.guesses, hits+s.hits, logins+s.logins, refused+s.refused
		if s.hits > 0 {
			hitYears++
		}
	}
	const one = 3e-6 // three codes of a million are right at any time
	aYear := float64(guesses) / float64(years)
	measured, says, owners := -math.Expm1(aYear*math.Log1p(-one)), p.GuessChance(6, 1), 0
	if near {
		says, owners = p.GuessChanceNear(6, 1), 1
	}
	expected := float64(guesses) * one
	if years > 10 {
		fmt.Printf("| %d | %d | %.0f | %.4f | %.4f | %d | %d | %.1f | %d | %d of %d |\n", sources, owners, aYear, measured, says, years, hitYears, expected, hits, refused, logins)
	}
	// From the owner's address the attacker does not come quite as far as is said: its guesses there count against the others.
	if measured > 1.01*says || measured < 0.99*says && !near {
		t.Errorf("%d sources, near %t: the chance is %.5f, and policy check says %.5f", sources, near, measured, says)
	}
	if math.Abs(float64(hits)-expected) > 4*math.Sqrt(expected)+2 {
		t.Errorf("%d sources, near %t: %d hits, and %.1f are to be expected of %d guesses", sources, near, hits, expected, guesses)
	}
	if refused > 0 && !near { // near, the owner shares the lock of its address
		t.Errorf("%d sources, near %t: the owner is refused %d times of %d", sources, near, refused, logins)
	}
}
