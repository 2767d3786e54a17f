package login

import (
	"errors"

	"sallyport/internal/clock"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// Finding is what came of looking at one answer.
type Finding int

// The findings; where a code has several, the last of them counts. Only Wrong is a guess and counts as one: with 80 random bits nobody guesses
// a recovery code, and many a password that a panel replays has the shape of one.
const (
	NotACode      Finding = iota // it cannot be a code: a replayed password, an empty line
	WrongRecovery                // the shape of a recovery code, but none of this user's
	Wrong                        // a code, but none of this user's
	Right
	Quarantined // a right code that may have been used before the ledger began (DESIGN §3)
	Replayed    // a right code that has been used
)

// Match is a finding and, for a right code, what it belongs to.
type Match struct {
	Finding  Finding
	Token    *vault.Token // in Facts.Record; nil for a recovery code
	Step     int64        // TOTP step or HOTP counter
	Recovery int          // index in Record.Recovery; -1: not a recovery code
}

// find looks at an answer without using it up. Where there is no second factor it does the work of one all the same, so
// that how long it takes does not tell.
func (f *Facts) find(answer string) Match {
	if !f.Enrolled() {
		other := *f
		other.Record, other.Account = decoy(), &ledger.Account{}
		found := other.find(answer)
		return Match{Finding: min(found.Finding, Wrong), Recovery: -1}
	}
	shape, text := otp.Classify(answer)
	switch shape {
	case otp.ShapeCode:
		return f.findCode(text)
	case otp.ShapeRecovery:
		return f.findRecovery(text)
	default:
		return Match{Finding: NotACode, Recovery: -1}
	}
}

// findCode takes a code as used where any of its steps was: two steps of a token may share a code by chance, and whoever
// saw it used must not get in by the other one. What is no device's code may be a scratch code, which came with the
// user from google-authenticator; a wrong one is a guess like any other.
func (f *Facts) findCode(code string) Match {
	best := f.findToken(code)
	if best.Finding == Wrong {
		if m := f.findRecovery(code); m.Finding == Right {
			return m
		}
	}
	return best
}

func (f *Facts) findToken(code string) Match {
	best := Match{Finding: Wrong, Recovery: -1}
	for i := range f.Record.Tokens {
		t := &f.Record.Tokens[i]
		if t.Key.Digits != len(code) {
			continue
		}
		first, last := enroll.Span(t, f.Now, f.Decision.Window)
		if t.Key.Kind == otp.HOTP {
			first -= last - first + 1 // so that a code that was just used is told from a guess
		}
		for _, step := range t.Key.Matches(code, first, last) {
			if m := (Match{f.usable(t, step), t, step, -1}); m.Finding > best.Finding {
				best = m
			}
		}
	}
	return best
}

func (f *Facts) usable(t *vault.Token, step int64) Finding {
	if t.Key.Kind == otp.HOTP {
		if step < t.Counter { // durable, and past every used one
			return Replayed
		}
		return Right
	}
	if f.Past().Quarantined(t, step) {
		return Quarantined
	}
	if err := f.Account.Usable(t.ID, step, f.reach()); errors.Is(err, ledger.ErrReplayed) {
		return Replayed
	} else if err != nil {
		return Wrong
	}
	return Right
}

func (f *Facts) findRecovery(code string) Match {
	found := Match{Finding: WrongRecovery, Recovery: -1}
	for i, h := range f.Record.Recovery { // all of them, whichever matches
		if h.Matches(code) {
			found = Match{Finding: Right, Recovery: i}
		}
	}
	return found
}

// use makes a right code worthless for the next one who brings it. It reports whether the record changed.
func (f *Facts) use(m Match) (recordChanged bool) {
	if m.Recovery >= 0 {
		f.Record.Recovery = append(f.Record.Recovery[:m.Recovery], f.Record.Recovery[m.Recovery+1:]...)
		return true
	}
	if m.Token.Key.Kind == otp.HOTP {
		m.Token.Counter = m.Step + 1
		return true
	}
	f.Account.Use(m.Token.ID, m.Step)
	f.Account.Phone = &clock.Sample{Device: m.Token.ID, At: f.Now, Step: m.Step, Period: m.Token.Key.Period, Learned: m.Token.Offset, Booted: f.Booted}
	return false
}
