package login

import (
	"time"

	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// decoy is a second factor that is nobody's, as most people's are: one app, and all recovery codes. Its key is no secret,
// and no code of it is let through.
func decoy() *vault.Record {
	key := otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: otp.NewSecret(make([]byte, 20)), Digits: 6, Period: 30 * time.Second}
	none := otp.RecoveryHash{Salt: make([]byte, 16), Hash: make([]byte, 32)}
	r := &vault.Record{Tokens: []vault.Token{{ID: "decoy", Key: key}}}
	for range otp.RecoveryCodes {
		r.Recovery = append(r.Recovery, none)
	}
	return r
}
