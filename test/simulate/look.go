package simulate

import (
	"slices"

	"sallyport/internal/login"
)

// finding is what an answer must be found to be.
type finding int

const (
	noGuess finding = iota // refused, and not counted
	wrong                  // refused, and counted
	right                  // accepted
	unclear                // accepted, or refused and not counted
)

// view is what the oracle makes of one answer.
type view struct {
	finding  finding
	device   *device // with right and unclear: whose code it is
	step     int64
	recovery int // index; -1: none
	length   int // of the code, where a password may stand before it
}

// look says what an answer is worth now.
func (w *World) look(has record, r login.Request, answer string) view {
	if !r.Split {
		return w.lookAt(has, answer)
	}
	best := view{finding: noGuess, recovery: -1}
	for _, n := range has.codeLengths() {
		cut := len(answer) - n
		if cut < 0 || !isDigits(answer[cut:]) {
			continue
		}
		v := w.lookAt(has, answer[cut:])
		if v.finding == noGuess {
			return v // it has been used, whatever else it is
		}
		best = better(best, v)
	}
	const recovery = len("ABCD-EFGH-IJKL-MNOP")
	if cut := len(answer) - recovery; cut >= 0 && best.finding <= wrong {
		best = better(best, w.lookAt(has, answer[cut:]))
	}
	return best
}

// better is the view by which more is known.
func better(a, b view) view {
	if b.finding > a.finding {
		return b
	}
	return a
}

// lookAt is look for an answer that is a code and nothing else, if it is one.
func (w *World) lookAt(has record, answer string) view {
	v := view{finding: noGuess, recovery: -1, length: len(answer)}
	if !isDigits(answer) {
		if i := slices.Index(has.recovery, answer); i >= 0 && answer != lost {
			v.finding, v.recovery = right, i
		}
		return v
	}
	v.finding = wrong
	for _, t := range has.tokens {
		if t.digits != len(answer) {
			continue
		}
		first, last := w.reach(t)
		for step := first; step <= last; step++ {
			if t.code(step) != answer {
				continue
			}
			switch f := w.judge(t, step); {
			case f == noGuess:
				return view{finding: noGuess, recovery: -1} // it has been used, whatever else it is
			case f == unclear || v.finding == wrong:
				v = view{f, t.device, step, -1, len(answer)}
			}
		}
	}
	return v
}

// reach is which steps of a device are right now; of HOTP, with those that were.
func (w *World) reach(t token) (first, last int64) {
	if t.period == 0 {
		return t.counter - 2*w.window - 1, t.counter + 2*w.window
	}
	centre := t.device.step(w.clock.host()) + t.offset
	return max(0, centre-w.window), centre + w.window
}

// judge is what a right code of a step is worth.
func (w *World) judge(t token, step int64) finding {
	if t.period == 0 {
		if step < t.counter {
			return noGuess
		}
		return right
	}
	quarantine := t.device.step(w.quarantine) + t.offset + w.window
	switch {
	case t.used[step]:
		return noGuess
	case t.born == w.distrust && len(t.unclear) == 0:
		return t.among(step, 2*w.window)
	case step <= t.newest || t.unclear[step] || t.born < w.distrust && step <= quarantine:
		return unclear
	default:
		return right
	}
}

func isDigits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) >= 6 && len(s) <= 8
}
