package policy

import "math"

const year = 365 * day

// GuessChance is the chance, from 0 to 1, that somebody who knows a user's
// password guesses a code within a year, trying as often as the lockout allows
// from as many sources as there are: user_failures wrong codes in any 24 hours.
// Each try is right with the chance of tokens * (2*window + 1) in 10^digits,
// where window is the widest that the tables or any rule give. With the
// defaults, one token and 6 digits that is 0.022, about 2 in 100.
//
// It leaves out sources that a right code has come from: see GuessChanceNear.
func (p *Policy) GuessChance(digits, tokens int) float64 {
	return p.chance(digits, tokens, float64(p.Lockout.UserFailures)*float64(year)/float64(day))
}

// GuessChanceNear is GuessChance for somebody who tries from a source that the
// user's right codes come from too: another user of the same machine, or behind
// the same address. The user-wide limit does not hold there until as many wrong
// codes came from that source in a day as begin a lock, so that nobody can lock
// a user out from elsewhere. That is failures wrong codes a day more.
//
// With the defaults, one token and 6 digits that is 0.027.
func (p *Policy) GuessChanceNear(digits, tokens int) float64 {
	return p.chance(digits, tokens, float64(p.Lockout.UserFailures+p.Lockout.Failures)*float64(year)/float64(day))
}

// chance is that of at least one right guess among so many.
func (p *Policy) chance(digits, tokens int, guesses float64) float64 {
	window := p.Codes.Window
	for i := range p.Rules {
		if p.Rules[i].sets&setWindow != 0 {
			window = max(window, p.Rules[i].Window)
		}
	}
	one := float64(tokens) * float64(2*window+1) / math.Pow10(digits)
	return -math.Expm1(guesses * math.Log1p(-min(one, 1)))
}
