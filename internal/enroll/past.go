package enroll

import (
	"time"

	"sallyport/internal/ledger"
	"sallyport/internal/vault"
)

// Past is what is known of the codes that a user has used.
type Past struct {
	Account    *ledger.Account
	Quarantine time.Time // steps up to here may have been used before the ledger began; zero: none
	Window     int       // steps to each side of now that were right
}

// Quarantined reports whether a TOTP token's step could have been accepted before the ledger began (DESIGN §3). A token
// that was confirmed under this ledger has no such past.
func (p Past) Quarantined(t *vault.Token, step int64) bool {
	if p.Quarantine.IsZero() {
		return false
	}
	if use := p.Account.Tokens[t.ID]; use != nil && use.Fresh {
		return false
	}
	return step <= t.Key.Step(p.Quarantine)+t.Offset+int64(p.Window)
}

// used reports whether a TOTP token's step was accepted, or may have been.
func (p Past) used(t *vault.Token, step int64) bool {
	return p.Quarantined(t, step) || p.Account.Usable(t.ID, step, 2*int64(p.Window)) != nil
}
