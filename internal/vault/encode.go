package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// A record's first line is a TOML comment with the SHA-256 of the rest. Without it a file that was cut off between two tables would be a
// record with fewer tokens, and one with none lets its user in without a code; and a flipped bit could make another secret.
const (
	headBefore = "# Written by Sallyport; a change by hand counts as damage. sha256:"
	headLen    = len(headBefore) + 2*sha256.Size + 1
)

var errSum = errors.New("its checksum does not fit: it is cut off, or was changed")

func head(body string) string {
	sum := sha256.Sum256([]byte(body))
	return headBefore + hex.EncodeToString(sum[:]) + "\n"
}

// encode gives the file's content. The record is valid.
func encode(r *Record, keys *Keyring) []byte {
	f := form{keys: keys, user: r.User}
	f.record(r)
	body := f.text.String()
	return []byte(head(body) + body)
}

// decode reads the file of a user. used is the IDs of the keys that its secrets are sealed with, "" for one that is not. The error may wrap
// a *missingKey. It has no secret in it.
func decode(data []byte, user string, keys *Keyring) (r *Record, used []string, err error) {
	text := string(data)
	if len(text) < headLen || !strings.HasPrefix(text, headBefore) || text[:headLen] != head(text[headLen:]) {
		return nil, nil, errSum
	}
	f := form{reading: true, rest: text[headLen:], line: 1, keys: keys, user: user}
	r = new(Record)
	f.record(r)
	if f.err == nil {
		f.err = r.Validate()
	}
	if f.err != nil {
		return nil, nil, f.err
	}
	return r, f.used, nil
}
