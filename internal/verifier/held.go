package verifier

import "sallyport/internal/ledger"

// Held lends a ledger that this process holds for life.
type Held struct{ *ledger.Ledger }

// Borrow lends it at once.
func (h Held) Borrow() (Ledger, func(), error) { return h.Ledger, func() {}, nil }
