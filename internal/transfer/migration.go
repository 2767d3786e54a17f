package transfer

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sallyport/internal/otp"
)

const (
	migrationPrefix = "otpauth-migration://offline?data="
	maxInBatch      = 100 // keys; the app puts ten into a QR code
)

// Migration reads what Google Authenticator's QR codes for "transfer accounts" say, one otpauth-migration URI to a line:
// base64 of a protocol buffer, MigrationPayload, whose format Google has not written down but everybody reads alike.
func Migration(data []byte) ([]Account, error) {
	var parts []Account
	var batches batches
	err := lines(data, MaxFile, func(n int, line string) {
		keys, b, err := migration(line)
		if err != nil {
			parts = append(parts, Account{Where: fmt.Sprintf("line %d", n), Err: err})
			return
		}
		batches = append(batches, b)
		for i, k := range keys {
			k.Where = fmt.Sprintf("line %d, key %d", n, i+1)
			parts = append(parts, k)
		}
	})
	if err == nil {
		err = batches.missing()
	}
	return gather(parts), err
}

// batch says which of how many QR codes it was.
type batch struct{ size, index, id uint64 }

type batches []batch

// missing says that not all QR codes of a transfer are there.
func (all batches) missing() error {
	there := map[batch]bool{}
	for _, b := range all {
		there[b] = true
	}
	for _, b := range all {
		for i := range min(b.size, maxInBatch) {
			if !there[batch{b.size, i, b.id}] {
				return fmt.Errorf("QR code %d of %d is missing", i+1, b.size)
			}
		}
	}
	return nil
}

func migration(line string) ([]Account, batch, error) {
	text, ok := strings.CutPrefix(line, migrationPrefix)
	if !ok {
		return nil, batch{}, fmt.Errorf("must begin with %s", migrationPrefix)
	}
	text, err := url.PathUnescape(text) // a plus is one here, and no space
	if err != nil {
		return nil, batch{}, errors.New("its data is escaped wrongly")
	}
	payload, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, batch{}, errors.New("its data must be base64")
	}
	var keys []Account
	var b batch
	err = fields(payload, func(f field) error {
		switch f.number {
		case 1:
			if len(keys) >= maxInBatch {
				return fmt.Errorf("there are more than %d keys", maxInBatch)
			}
			k, err := migrated(f.bytes)
			keys = append(keys, k)
			return err
		case 3:
			b.size = f.varint
		case 4:
			b.index = f.varint
		case 5:
			b.id = f.varint
		}
		return nil
	})
	return keys, b, err
}

// migrated reads OtpParameters: secret 1, name 2, issuer 3, algorithm 4 (1 SHA1, 2 SHA256, 3 SHA512), digits 5 (1 six, 2
// eight), type 6 (1 hotp, 2 totp), counter 7.
func migrated(message []byte) (Account, error) {
	k := otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	var a Account
	var name string
	var counter int64
	err := fields(message, func(f field) error {
		switch f.number {
		case 1:
			k.Secret = otp.NewSecret(f.bytes)
		case 2:
			name = string(f.bytes)
		case 4:
			algorithm, ok := map[uint64]otp.Algorithm{0: otp.SHA1, 1: otp.SHA1, 2: otp.SHA256, 3: otp.SHA512}[f.varint]
			if !ok {
				a.Err = errors.New("algorithm: must be SHA1, SHA256 or SHA512")
			}
			k.Algorithm = algorithm
		case 5:
			digits, ok := map[uint64]int{0: 6, 1: 6, 2: 8}[f.varint]
			if !ok {
				a.Err = errors.New("digits: must be six or eight")
			}
			k.Digits = digits
		case 6:
			switch f.varint {
			case 0, 2:
			case 1:
				k.Kind, k.Period = otp.HOTP, 0
			default:
				a.Err = errors.New("type: must be hotp or totp")
			}
		case 7:
			counter = int64(f.varint)
		}
		return nil
	})
	_, account, both := strings.Cut(name, ":")
	if !both {
		account = name
	}
	a.User = strings.TrimSpace(account)
	d := Device{Label: "phone", Key: k}
	if k.Kind == otp.HOTP {
		d.Counter = counter
	}
	if counter < 0 && a.Err == nil {
		a.Err = errors.New("counter: must not be negative")
	}
	a.Devices = []Device{d}
	return a, err
}

// field is one of a protocol buffer; it has one of the two values.
type field struct {
	number protowire.Number
	varint uint64
	bytes  []byte
}

// fields calls fn for each field of a message that is a varint or bytes, which all are that have a meaning here.
func fields(message []byte, fn func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errors.New("its data is no protocol buffer")
		}
		message = message[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
			f.number = 0
		}
		if n < 0 {
			return errors.New("its data is no protocol buffer")
		}
		message = message[n:]
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}
