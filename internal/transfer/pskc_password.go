package transfer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" // #nosec G505 -- RFC 6030 §6.2 has PBKDF2 over it
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// encryptionKey is how the key is made that encrypts: of a password by PBKDF2 (RFC 6030 §6.2, RFC 8018 §5.2).
type encryptionKey struct {
	Method struct {
		Algorithm  string `xml:"Algorithm,attr"`
		Salt       string `xml:"PBKDF2-params>Salt>Specified"`
		Iterations int    `xml:"PBKDF2-params>IterationCount"`
		Length     int    `xml:"PBKDF2-params>KeyLength"`
		PRF        struct {
			Algorithm string `xml:"Algorithm,attr"`
			Text      string `xml:",chardata"` // where python-pskc writes it
		} `xml:"PBKDF2-params>PRF"`
	} `xml:"DerivedKey>KeyDerivationMethod"`
}

type macMethod struct {
	Algorithm string     `xml:"Algorithm,attr"`
	Key       *encrypted `xml:"MACKey"`
}

// encrypted is a value under AES in CBC mode: initialisation vector, then ciphertext (XML Encryption §5.2).
type encrypted struct {
	Method struct {
		Algorithm string `xml:"Algorithm,attr"`
	} `xml:"EncryptionMethod"`
	Value string `xml:"CipherData>CipherValue"`
}

// opener decrypts a value after it has checked the MAC.
type opener func(v *encrypted, mac string) ([]byte, error)

// maxIterations takes about a second for SHA-1.
const maxIterations = 5_000_000

var errPassword = errors.New("the password is wrong, or the file was changed")

// opener makes the key of the password.
func (c *keyContainer) opener(password func() (string, error)) (opener, error) {
	m := &c.EncryptionKey.Method
	if !strings.HasSuffix(m.Algorithm, "#pbkdf2") {
		return nil, errors.New("its keys are encrypted with a key that is not made of a password by PBKDF2, which Sallyport cannot take")
	}
	salt, err := fromBase64(m.Salt)
	switch {
	case err != nil || len(salt) == 0:
		return nil, errors.New("PBKDF2 salt: must be base64")
	case m.Iterations < 1 || m.Iterations > maxIterations:
		return nil, fmt.Errorf("PBKDF2 iterations %d: must be 1 to %d", m.Iterations, maxIterations)
	case m.Length != 16 && m.Length != 24 && m.Length != 32:
		return nil, fmt.Errorf("PBKDF2 key of %d bytes: must be 16, 24 or 32", m.Length)
	case c.MACMethod == nil:
		return nil, errors.New("it has no MACMethod, so nobody could tell if it was changed")
	}
	prf, err := hmacHash(m.PRF.Algorithm+strings.TrimSpace(m.PRF.Text), "hmac-sha1")
	if err != nil {
		return nil, err
	}
	sum, err := hmacHash(c.MACMethod.Algorithm, "")
	if err != nil {
		return nil, err
	}
	typed, err := password()
	if err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(prf, typed, salt, m.Iterations, m.Length)
	if err != nil {
		return nil, fmt.Errorf("PBKDF2: %w", err)
	}
	macKey := key // where it has none of its own
	if c.MACMethod.Key != nil {
		if macKey, err = c.MACMethod.Key.decrypt(key); err != nil {
			return nil, err
		}
	}
	return func(v *encrypted, mac string) ([]byte, error) {
		if err := v.check(macKey, sum, mac); err != nil {
			return nil, err
		}
		return v.decrypt(key)
	}, nil
}

// hmacHash is the hash of an HMAC by the name that XML Signature gives it.
func hmacHash(uri, byDefault string) (func() hash.Hash, error) {
	_, name, ok := strings.Cut(uri, "#")
	if !ok {
		name = byDefault
	}
	switch name {
	case "hmac-sha1":
		return sha1.New, nil
	case "hmac-sha256":
		return sha256.New, nil
	case "hmac-sha384":
		return sha512.New384, nil
	case "hmac-sha512":
		return sha512.New, nil
	}
	return nil, fmt.Errorf("MAC algorithm %s: must be hmac-sha1, hmac-sha256, hmac-sha384 or hmac-sha512", shown(uri))
}

// check compares the MAC over the encrypted value (RFC 6030 §6.1.1). What was encrypted in CBC mode is not looked at before.
func (v *encrypted) check(key []byte, sum func() hash.Hash, mac string) error {
	data, err1 := fromBase64(v.Value)
	want, err2 := fromBase64(mac)
	if err := errors.Join(err1, err2); err != nil || len(want) == 0 {
		return errors.New("an encrypted value and its MAC must be base64")
	}
	h := hmac.New(sum, key)
	h.Write(data)
	if !hmac.Equal(h.Sum(nil), want) {
		return errPassword
	}
	return nil
}

func (v *encrypted) decrypt(key []byte) ([]byte, error) {
	want, ok := map[string]int{"aes128-cbc": 16, "aes192-cbc": 24, "aes256-cbc": 32}[v.Method.Algorithm[strings.IndexByte(v.Method.Algorithm, '#')+1:]]
	if !ok {
		return nil, fmt.Errorf("encryption algorithm %s: must be aes128-cbc, aes192-cbc or aes256-cbc", shown(v.Method.Algorithm))
	}
	if len(key) != want {
		return nil, fmt.Errorf("a key of %d bytes, and %s: must be %d", len(key), shown(v.Method.Algorithm), want)
	}
	data, err := fromBase64(v.Value)
	if err != nil || len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return nil, errors.New("an encrypted value must be whole blocks in base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := data[aes.BlockSize:]
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(plain, plain)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > aes.BlockSize {
		return nil, errPassword
	}
	return plain[:len(plain)-padding], nil
}
