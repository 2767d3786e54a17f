package ledger

import "time"

// remember is which rules for remembered logins hold, by their mark, and since when.
type remember struct {
	Mark  string    `json:"mark,omitempty"` // empty: nothing is remembered
	Since time.Time `json:"since,omitzero"` // logins before that do not count
}

// restart forgets all logins up to now.
func (r *remember) restart(now time.Time) {
	if r.Mark != "" {
		r.Since = stamp(now)
	}
}

// RememberingSince says from when on logins count as remembered under the rules with this mark: since these rules came
// into force. Rules that were dropped and come back begin anew, so whoever takes new rules into use has to ask. An empty
// mark is that of rules under which nothing is remembered.
//
// Where the clock has been set back behind that time, it is now.
func (l *Ledger) RememberingSince(mark string, now time.Time) (time.Time, error) {
	var since time.Time
	err := l.enter(func() error {
		if r := l.head.Remember; r.Mark == mark && !r.Since.After(now) {
			since = r.Since
			return nil
		}
		if l.final {
			return ErrClosed
		}
		next := l.head
		next.Remember = remember{Mark: mark}
		next.Remember.restart(now)
		err := l.putHead(next)
		if err == nil {
			since = next.Remember.Since
		}
		return err
	})
	return since, err
}

// remembering is for the saved copy.
func (l *Ledger) remembering() remember {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head.Remember
}
