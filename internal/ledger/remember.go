package ledger

import "time"

// remember is which rules for remembered logins hold, by their mark, and how often others began to.
type remember struct {
	Mark string `json:"mark,omitempty"` // empty: nothing is remembered
	Turn uint64 `json:"turn,omitempty"` // logins of another turn do not count
	// Since is what earlier versions had instead: no login before that time counted. Clocks are set back.
	Since time.Time `json:"since,omitzero"`
}

// next forgets all logins up to now.
func (r remember) next(mark string) remember { return remember{Mark: mark, Turn: r.Turn + 1} }

// Remembering says which turn it is under the rules with this mark: logins are remembered from one turn to no other (see
// Account.Under). Rules that were dropped and come back begin a new one, so whoever takes new rules into use has to ask. An
// empty mark is that of rules under which nothing is remembered.
func (l *Ledger) Remembering(mark string) (turn uint64, err error) {
	err = l.enter(func() error {
		if r := l.head.Remember; r.Mark == mark && r.Since.IsZero() {
			turn = r.Turn
			return nil
		}
		if l.final {
			return ErrClosed
		}
		next := l.head
		next.Remember = next.Remember.next(mark)
		err := l.putHead(next)
		if err == nil {
			turn = next.Remember.Turn
		}
		return err
	})
	return turn, err
}

// remembering is for the saved copy.
func (l *Ledger) remembering() remember {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head.Remember
}
