package policy

import (
	"math"
	"testing"
)

// near reports whether two chances agree to three digits.
func near(a, b float64) bool { return math.Abs(a-b) <= 0.0005*math.Max(a, b) }

func TestGuessChance(t *testing.T) {
	for _, test := range []struct {
		name, policy   string
		digits, tokens int
		want           float64
	}{
		{"defaults: about 2 in 100", "", 6, 1, 0.02166},
		{"two tokens", "", 6, 2, 0.04286},
		{"eight digits", "", 8, 1, 0.000219},
		{"no window", "codes.window = 0", 6, 1, 0.007273},
		{"the widest window of a rule", "[[rule]]\nservices = [\"su\"]\nwindow = 2\n[[rule]]\nwindow = 0", 6, 1, 0.03584},
		{"a narrower rule", "[[rule]]\nservices = [\"su\"]\nwindow = 0", 6, 1, 0.02166},
		{"half as many", "lockout.user_failures = 10", 6, 1, 0.01089},
		{"sure", "lockout.user_failures = 1000\ncodes.window = 10", 6, 1000, 1},
		{"nothing to guess", "", 6, 0, 0},
	} {
		if got := parsed(t, "f", test.policy).GuessChance(test.digits, test.tokens); !near(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestGuessChanceNear(t *testing.T) {
	for policy, guesses := range map[string]float64{ // in a year
		"":                           25 * 365,
		"lockout.failures = 1":       21 * 365,
		"lockout.user_failures = 50": 55 * 365,
	} {
		want := 1 - math.Pow(1-3e-6, guesses)
		if got := parsed(t, "f", policy).GuessChanceNear(6, 1); !near(got, want) {
			t.Errorf("%q: got %v, want %v", policy, got, want)
		}
	}
}
