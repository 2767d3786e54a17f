package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/otp"
)

const (
	keyBytes = 32 // AES-256
	keyIDLen = 16
)

var errSealed = errors.New("a sealed secret does not open: it is damaged, or another user's")

// key seals secrets with AES-256-GCM under random nonces of 96 bits, which is good for 2^32 secrets (NIST SP 800-38D §8.3).
type key struct {
	id     string // 16 hexadecimal digits, made of the key: files need no list of names
	secret otp.Secret
	aead   cipher.AEAD
}

func newKey() (*key, error) {
	b := make([]byte, keyBytes)
	// Straight from the kernel, and no parameter: no caller has a reason to choose a key or a nonce.
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("drawing a vault key: %w", err)
	}
	return keyOf(b)
}

func keyOf(b []byte) (*key, error) {
	block, err := aes.NewCipher(b)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("sallyport vault key ID\n"), b...))
	return &key{hex.EncodeToString(sum[:])[:keyIDLen], otp.NewSecret(b), aead}, nil
}

// parseKey reads a key as its file has it: base64 (RFC 4648 §4) of 32 bytes, as `openssl rand -base64 32` writes it.
func parseKey(line string) (*key, error) {
	b, ok := fromBase64(line)
	if !ok || len(b) != keyBytes {
		return nil, fmt.Errorf("must be %d bytes in base64", keyBytes)
	}
	return keyOf(b)
}

func (k *key) line() string { return base64.StdEncoding.EncodeToString(k.secret.Bytes()) + "\n" }

// seal returns KEYID:BASE64 of nonce, ciphertext and tag. The secret opens only as this user's and this token's.
func (k *key) seal(s otp.Secret, user, token string) string {
	sealed := k.aead.Seal(nil, nil, s.Bytes(), owner(user, token)) // #nosec G407 -- it draws its nonce itself: NewGCMWithRandomNonce
	return k.id + ":" + base64.StdEncoding.EncodeToString(sealed)
}

func (k *key) open(body, user, token string) (otp.Secret, error) {
	b, ok := fromBase64(body)
	if !ok {
		return otp.Secret{}, errSealed
	}
	plain, err := k.aead.Open(nil, nil, b, owner(user, token))
	if err != nil {
		return otp.Secret{}, errSealed
	}
	defer clear(plain)
	return otp.NewSecret(plain), nil
}

// fromBase64 takes the one way to write the bytes; the decoder, strict or not, passes over line breaks.
func fromBase64(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return b, err == nil && !strings.ContainsAny(text, "\r\n")
}

// owner is the associated data. Neither part can have a line break in it.
func owner(user, token string) []byte {
	return bytes.Join([][]byte{[]byte("sallyport vault secret"), []byte(user), []byte(token)}, []byte("\n"))
}

// missingKey says which key a secret is sealed with.
type missingKey struct{ id string }

func (e *missingKey) Error() string {
	return fmt.Sprintf("it is sealed with vault key %s, which is not there", e.id)
}

// open opens what seal made, with whichever key it was.
func (r *Keyring) open(sealed, user, token string) (otp.Secret, string, error) {
	id, body, ok := strings.Cut(sealed, ":")
	if !ok || !isHex(id, keyIDLen) {
		return otp.Secret{}, "", errSealed
	}
	for _, k := range r.keys {
		if k.id == id {
			secret, err := k.open(body, user, token)
			return secret, id, err
		}
	}
	return otp.Secret{}, "", &missingKey{id}
}
