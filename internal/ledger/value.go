package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/clock"
)

// The file has these buckets, and those of the clock and of sessions once there is something in them. Each value is a
// checksum of four bytes over key and content, then the content, which is JSON or, of an account, binary (binary.go); and each bucket's sequence number is the
// sum of its checksums. So a byte that flipped is noticed, and so is an account that is missing because a page is.
var (
	headBucket     = []byte("ledger")
	headKey        = []byte("head")
	accountsBucket = []byte("accounts")
	clockBucket    = []byte("clock")
	clockKey       = []byte("history")
)

func isBucket(name []byte) bool {
	return slices.ContainsFunc([][]byte{headBucket, accountsBucket, clockBucket, sessionsBucket}, func(b []byte) bool { return bytes.Equal(b, name) })
}

// head is about the file as a whole.
type head struct {
	Format     int       `json:"format"`
	Boot       string    `json:"boot"` // the kernel's boot ID; empty: unknown
	Quarantine time.Time `json:"quarantine,omitzero"`
	Remember   remember  `json:"remember,omitzero"`
}

const (
	format     = 2
	formatJSON = 1                       // in which accounts are JSON
	maxUser    = 256 + len(strangerMark) // bytes; LOGIN_NAME_MAX
	maxAccount = 128 << 10               // bytes; with every table full it is less
	sumSize    = 4

	// fullness is how much of a page is left full when it is split. The file is in memory: bbolt's half of it would be lost.
	fullness = 0.8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // read-only; amd64 and arm64 compute it in hardware

func sum(key, content []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, content)
}

// seal puts the checksum before the content.
func seal(key, content []byte) []byte {
	value := binary.BigEndian.AppendUint32(make([]byte, 0, sumSize+len(content)), sum(key, content))
	return append(value, content...)
}

// unseal checks a value and returns its content.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < sumSize {
		return nil, fmt.Errorf("the entry %q is too short", key)
	}
	if binary.BigEndian.Uint32(value) != sum(key, value[sumSize:]) {
		return nil, fmt.Errorf("the entry %q does not match its checksum", key)
	}
	return value[sumSize:], nil
}

// put stores a sealed value and keeps the bucket's sum.
func put(b *bbolt.Bucket, key, value []byte) error {
	if err := b.SetSequence(b.Sequence() - share(b.Get(key)) + share(value)); err != nil {
		return err
	}
	return b.Put(key, value)
}

// remove deletes a value and keeps the bucket's sum.
func remove(b *bbolt.Bucket, key []byte) error {
	if err := b.SetSequence(b.Sequence() - share(b.Get(key))); err != nil {
		return err
	}
	return b.Delete(key)
}

// share is what a sealed value adds to its bucket's sum; none adds nothing.
func share(value []byte) uint64 {
	if value == nil {
		return 0
	}
	return uint64(binary.BigEndian.Uint32(value))
}

func encodeAccount(user string, a *Account) ([]byte, error) {
	if user == "" || len(user) > maxUser {
		return nil, fmt.Errorf("a user name of %d bytes: it must have 1 to %d", len(user), maxUser)
	}
	if err := a.validate(); err != nil {
		return nil, fmt.Errorf("account of %q: %w", user, err)
	}
	value := appendAccount(make([]byte, sumSize, 256), a)
	content := value[sumSize:]
	if len(content) > maxAccount {
		return nil, fmt.Errorf("account of %q: %d bytes are more than %d", user, len(content), maxAccount)
	}
	binary.BigEndian.PutUint32(value, sum([]byte(user), content))
	return value, nil
}

func decodeAccount(user, value []byte) (*Account, error) {
	content, err := unseal(user, value)
	if err != nil {
		return nil, err
	}
	a := &Account{}
	if len(content) > 0 && content[0] == binaryAccount {
		err = readAccount(content, a)
	} else {
		err = unmarshal(content, a)
	}
	if err != nil {
		return nil, fmt.Errorf("account of %q: %w", user, err)
	}
	if err := a.validate(); err != nil {
		return nil, fmt.Errorf("account of %q: %w", user, err)
	}
	if a.Tokens == nil {
		a.Tokens = map[string]*TokenUse{}
	}
	return a, nil
}

// decodePhone is decodeAccount for its Phone: the daemon looks for all of them when it starts, and people log in then.
func decodePhone(user, value []byte) (*clock.Sample, error) {
	content, err := unseal(user, value)
	if err != nil {
		return nil, err
	}
	if len(content) > 0 && content[0] == binaryAccount {
		return readPhone(content)
	}
	a, err := decodeAccount(user, value)
	if err != nil {
		return nil, err
	}
	return a.Phone, nil
}

// unmarshal is strict: an unknown field would be one that a newer version counts on.
func unmarshal(content []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

// validate checks what the methods count on.
func (a *Account) validate() error {
	if len(a.Sources) > maxSources || len(a.Wrong) > maxWrong || len(a.Known) > maxKnown || len(a.Permits) > maxPermits {
		return errors.New("a table is too long")
	}
	for id, u := range a.Tokens {
		if u == nil || len(u.Steps) > maxSteps || len(u.Past) > maxRanges {
			return fmt.Errorf("the steps of token %q", id)
		}
		for i, r := range u.Past {
			if r[0] > r[1] || i > 0 && r[0] <= u.Past[i-1][1] {
				return fmt.Errorf("the ranges of token %q", id)
			}
		}
	}
	return nil
}
