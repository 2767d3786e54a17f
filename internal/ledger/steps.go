package ledger

import (
	"errors"
	"slices"
)

// ErrReplayed says that a code has been used, or that one after it has.
var ErrReplayed = errors.New("the code has been used already")

// TokenUse is which time steps of a token were accepted. A code is worthless once it was used, whatever the clock does
// afterwards; so no accepted step is ever forgotten, though not all can be listed:
//
//   - The last 16 are.
//   - An older one lies in one of 16 ranges, and all steps of a range are refused. When a range is too many, the two
//     that are closest to each other are made one.
//
// A list of 16 alone would do while the clock runs on: a code is right for 2·window+1 steps, and in that time at most
// 2·window others are accepted after it, each newer than the one before (see Usable). But with a clock that is set
// back, or jumps ahead for 16 logins and returns, a code can be right once more that has left the list.
//
// Nor is anybody locked out by a clock that was ahead for a while: between the steps used before and those used then
// lies a gap as wide as the jump, and gaps between the logins of one time are closed first. What is refused needlessly
// are unused steps between used ones.
type TokenUse struct {
	Steps []int64 `json:"steps"`          // accepted, newest last; at most maxSteps
	Past  []Range `json:"past,omitempty"` // ascending, apart from each other; at most maxRanges
	// Fresh is set for a token that was confirmed under this ledger: no code of it was used before, so the quarantine
	// does not apply to it.
	Fresh bool `json:"fresh,omitempty"`
}

// Range is the steps from the first to the last, both included.
type Range [2]int64

const (
	maxSteps  = 16
	maxRanges = 16
)

// Usable returns ErrReplayed for a step of the token that was accepted, and for one that is older than the newest
// accepted one by at most reach. Whoever reads a code over somebody's shoulder cannot use it after its owner has used a
// later one: reach is how far apart two codes can be that are right at the same time, 2·window.
func (a *Account) Usable(token string, step, reach int64) error {
	u := a.Tokens[token]
	if u == nil {
		return nil
	}
	if n := len(u.Steps); n > 0 && step <= u.Steps[n-1] && step >= u.Steps[n-1]-reach {
		return ErrReplayed
	}
	if slices.Contains(u.Steps, step) {
		return ErrReplayed
	}
	for _, r := range u.Past {
		if r[0] <= step && step <= r[1] {
			return ErrReplayed
		}
	}
	return nil
}

// Use records that a step of the token was accepted.
func (a *Account) Use(token string, step int64) {
	if a.Tokens == nil {
		a.Tokens = map[string]*TokenUse{}
	}
	u := a.Tokens[token]
	if u == nil {
		u = &TokenUse{}
		a.Tokens[token] = u
	}
	u.Steps = append(u.Steps, step)
	for len(u.Steps) > maxSteps {
		u.archive(u.Steps[0])
		u.Steps = slices.Delete(u.Steps, 0, 1)
	}
}

// archive puts a step that leaves the list into a range.
func (u *TokenUse) archive(step int64) {
	i, inside := slices.BinarySearchFunc(u.Past, step, func(r Range, step int64) int {
		switch {
		case r[1] < step:
			return -1
		case r[0] > step:
			return 1
		}
		return 0
	})
	if inside {
		return
	}
	u.Past = slices.Insert(u.Past, i, Range{step, step})
	if i+1 < len(u.Past) && u.Past[i+1][0] == step+1 {
		u.join(i)
	}
	if i > 0 && u.Past[i-1][1] == step-1 {
		u.join(i - 1)
	}
	if len(u.Past) > maxRanges {
		u.join(u.closest())
	}
}

// join makes one range of number i and the next.
func (u *TokenUse) join(i int) {
	u.Past[i][1] = u.Past[i+1][1]
	u.Past = slices.Delete(u.Past, i+1, i+2)
}

// closest is the number of the range with the smallest gap to the next. The gap that the newest step lies in stays open,
// for there the clock is going.
func (u *TokenUse) closest() int {
	newest := u.Steps[len(u.Steps)-1]
	best := -1
	for i := range len(u.Past) - 1 {
		if u.Past[i][1] < newest && newest < u.Past[i+1][0] {
			continue
		}
		if best < 0 || u.gap(i) < u.gap(best) {
			best = i
		}
	}
	return best
}

func (u *TokenUse) gap(i int) int64 { return u.Past[i+1][0] - u.Past[i][1] }
