package enroll

import (
	"cmp"
	"io"
	"slices"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// Done is a confirmed set-up. Recovery holds new recovery codes, and is empty where the user has some already.
type Done struct {
	Token    string // its label
	Recovery []string
}

// Confirm ends the set-up id with the first code of its token: from then on it counts. The code is used up by it.
func Confirm(rec *vault.Record, acct *ledger.Account, id, code string, window int, now time.Time, rnd io.Reader) (Done, error) {
	if rec == nil || rec.Pending == nil || rec.Pending.ID != id || !now.Before(rec.Pending.Expires) {
		return Done{}, ErrNoSetup
	}
	t := rec.Pending.Token
	shape, text := otp.Classify(code)
	if shape != otp.ShapeCode || len(text) != t.Key.Digits {
		return Done{}, ErrCode
	}
	first, last := Span(&t, now, window)
	steps := t.Key.Matches(text, first, last)
	if len(steps) == 0 {
		return Done{}, ErrCode
	}
	step := steps[0]
	t.Confirmed = now
	if t.Key.Kind == otp.HOTP {
		t.Counter = step + 1
	} else {
		if acct.Tokens == nil {
			acct.Tokens = map[string]*ledger.TokenUse{}
		}
		acct.Tokens[t.ID] = &ledger.TokenUse{Steps: []int64{step}, Fresh: true}
	}
	if rec.Pending.Replaces != "" {
		drop(rec, acct, rec.Pending.Replaces)
	}
	rec.Tokens = append(rec.Tokens, t)
	rec.Pending = nil
	done := Done{Token: t.Label}
	if len(rec.Recovery) == 0 {
		var err error
		if done.Recovery, err = NewRecoveryCodes(rec, rnd); err != nil {
			return Done{}, err
		}
	}
	return done, nil
}

// Misdated finds the step of another time, up to twelve hours from now, that a set-up's refused code belongs to; of
// several, the nearest. It accepts nothing.
func Misdated(rec *vault.Record, id, code string, now time.Time) (clock.Sample, bool) {
	if rec == nil || rec.Pending == nil || rec.Pending.ID != id || rec.Pending.Token.Key.Kind != otp.TOTP {
		return clock.Sample{}, false
	}
	key := rec.Pending.Token.Key
	shape, text := otp.Classify(code)
	if shape != otp.ShapeCode || len(text) != key.Digits {
		return clock.Sample{}, false
	}
	here, reach := key.Step(now), int64(resyncReach/key.Period)
	steps := key.Matches(text, here-reach, here+reach)
	if len(steps) == 0 {
		return clock.Sample{}, false
	}
	nearest := slices.MinFunc(steps, func(a, b int64) int { return cmp.Compare(max(a-here, here-a), max(b-here, here-b)) })
	return clock.Sample{At: now, Step: nearest, Period: key.Period}, true
}

// Span is the range of steps that a token's code may have: window steps to each side of now for TOTP, the next
// 2·window+1 counters for HOTP (RFC 4226 §7.2), so that for both kinds as many codes are right at any time.
func Span(t *vault.Token, now time.Time, window int) (first, last int64) {
	w := int64(window)
	if t.Key.Kind == otp.HOTP {
		return t.Counter, t.Counter + 2*w
	}
	centre := t.Key.Step(now) + t.Offset
	return max(0, centre-w), centre + w
}
