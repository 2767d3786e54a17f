package otp

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
)

// RecoveryCodes is how many a user is given.
const RecoveryCodes = 10

const (
	recoveryBytes = 10 // 80 bits
	recoveryLen   = 16 // the same in base32
	recoveryGroup = 4
	saltBytes     = 16

	scratchLen = 8
)

// NewRecoveryCode draws a code of 80 bits, in the form that is shown: ABCD-EFGH-IJKL-MNOP.
func NewRecoveryCode(rand io.Reader) (string, error) {
	b := make([]byte, recoveryBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("drawing a recovery code: %w", err)
	}
	code := base32Padded.EncodeToString(b)
	var groups []string
	for ; code != ""; code = code[recoveryGroup:] {
		groups = append(groups, code[:recoveryGroup])
	}
	return strings.Join(groups, "-"), nil
}

// RecoveryHash is what is stored of a recovery code: a salt of 16 bytes and HMAC-SHA256 under it, 32 bytes. A slow
// hash would gain nothing: there are 80 random bits to guess.
type RecoveryHash struct {
	Salt, Hash []byte
}

// HashRecovery hashes a code, in any form that Classify knows, with a fresh salt. Besides our own it takes the scratch
// codes of google-authenticator, which have eight digits. Those can be guessed: a wrong one has the shape of a code, and
// counts as one.
func HashRecovery(rand io.Reader, code string) (RecoveryHash, error) {
	normalized, ok := recoverable(code)
	if !ok {
		return RecoveryHash{}, errors.New("not a recovery code")
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return RecoveryHash{}, fmt.Errorf("drawing a salt: %w", err)
	}
	return RecoveryHash{Salt: salt, Hash: hashRecovery(salt, normalized)}, nil
}

// Matches reports whether h is the hash of code, in any form that Classify knows.
func (h RecoveryHash) Matches(code string) bool {
	normalized, ok := recoverable(code)
	return ok && hmac.Equal(h.Hash, hashRecovery(h.Salt, normalized))
}

// recoverable is the code as it is hashed, if it has the shape of a recovery code or of a scratch code.
func recoverable(code string) (normalized string, ok bool) {
	shape, normalized := Classify(code)
	return normalized, shape == ShapeRecovery || shape == ShapeCode && len(normalized) == scratchLen
}

func hashRecovery(salt []byte, normalized string) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(normalized))
	return mac.Sum(nil)
}
