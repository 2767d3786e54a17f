package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/disk"
)

// The saved copy is text: a line with the format and the SHA-256 of all that follows, a line of JSON about the copy, and a
// line of JSON for each account.
const (
	savedFormat = "sallyport-ledger 1 "
	maxSaved    = 256 << 20 // bytes; some 500,000 accounts
	maxAhead    = time.Hour // times further ahead were written by a wrong clock
)

// SaveEvery is how often whoever holds the ledger saves a copy: what is used after the last one, a power failure takes.
const SaveEvery = 5 * time.Minute

type savedHead struct {
	Saved      time.Time `json:"saved"`
	Quarantine time.Time `json:"quarantine,omitzero"`
	Remember   remember  `json:"remember,omitzero"`
	Accounts   int       `json:"accounts"`
}

type savedAccount struct {
	User    []byte   `json:"user"` // base64: a name need not be text
	Account *Account `json:"account"`
}

type savedCopy struct {
	savedHead
	accounts []savedAccount
}

// newest is the latest time at which, by the copy, a code may have been used. Where the copy is from after now, the clock
// is not what it was, and may come once more to when the power failed: that was before the next copy was due. What lies far
// ahead of now is not believed, or nobody would get in for as long.
func (s *savedCopy) newest(now time.Time) time.Time {
	newest := now
	believe := func(t time.Time) {
		if t.Before(now.Add(maxAhead)) {
			newest = later(newest, t)
		}
	}
	if s.Saved.After(now) && s.Saved.Before(now.Add(maxAhead)) {
		newest = s.Saved.Add(SaveEvery)
	}
	believe(s.Quarantine)
	for _, a := range s.accounts {
		believe(a.Account.Last.At)
	}
	return newest
}

// Save writes a copy to the disk. A clean one is for an orderly stop: from then on the ledger takes no changes, so that
// nothing is missing from the copy, and the ledger that begins with it needs no quarantine.
func (l *Ledger) Save(clean bool, now time.Time) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	path := l.options.Root.Saved()
	l.mu.Lock()
	late := l.final && !clean // what it would replace is complete
	l.final = l.final || clean
	l.mu.Unlock()
	if late {
		return ErrClosed
	}
	if clean {
		path = l.options.Root.SavedClean()
	}
	data, err := l.encode(now)
	if err != nil {
		return err
	}
	if err := l.options.FS.MkdirAll(l.options.Root.State()); err != nil {
		return fmt.Errorf("saving the ledger: %w", err)
	}
	if err := l.options.FS.WriteFile(path, data); err != nil {
		return fmt.Errorf("saving the ledger: %w", err)
	}
	if clean {
		return nil
	}
	// Where it could not be marked as out of date when the ledger was opened, because the disk was read-only then.
	if err := l.options.FS.Remove(l.options.Root.SavedClean()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("saving the ledger: removing the copy of the last orderly stop: %w", err)
	}
	return nil
}

func (l *Ledger) encode(now time.Time) ([]byte, error) {
	h := savedHead{Saved: stamp(now), Quarantine: l.quarantine, Remember: l.remembering()}
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	err := l.each(func(user, value []byte) error {
		if isStranger(user) {
			return nil
		}
		a, err := decodeAccount(user, value)
		if err != nil {
			return damaged(l.path, err)
		}
		a.Phone = nil // it says nothing when the machine has started again
		if a.prune(now); a.empty() {
			return nil
		}
		h.Accounts++
		return out.Encode(savedAccount{user, a})
	})
	if err != nil {
		return nil, err
	}
	first, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	data := sealSaved(append(append(first, '\n'), lines.Bytes()...))
	if len(data) > maxSaved {
		return nil, fmt.Errorf("saving the ledger: %d bytes are more than %d", len(data), maxSaved)
	}
	return data, nil
}

// sealSaved puts the first line before the rest.
func sealSaved(body []byte) []byte { return append([]byte(savedSeal(body)+"\n"), body...) }

func savedSeal(body []byte) string {
	sum := sha256.Sum256(body)
	return savedFormat + hex.EncodeToString(sum[:])
}

func decodeSaved(data []byte) (*savedCopy, error) {
	first, body, _ := bytes.Cut(data, []byte("\n"))
	if string(first) != savedSeal(body) {
		return nil, errors.New("the first line is not that of a saved ledger with this content")
	}
	s := &savedCopy{}
	first, body, _ = bytes.Cut(body, []byte("\n"))
	if err := unmarshal(first, &s.savedHead); err != nil {
		return nil, err
	}
	for len(body) > 0 {
		first, body, _ = bytes.Cut(body, []byte("\n"))
		var a savedAccount
		if err := unmarshal(first, &a); err != nil {
			return nil, err
		}
		if a.Account == nil || len(a.User) == 0 || len(a.User) > maxUser {
			return nil, fmt.Errorf("the entry of %q", a.User)
		}
		if err := a.Account.validate(); err != nil {
			return nil, fmt.Errorf("account of %q: %w", a.User, err)
		}
		s.accounts = append(s.accounts, a)
	}
	if len(s.accounts) != s.Accounts {
		return nil, fmt.Errorf("it has %d accounts instead of %d", len(s.accounts), s.Accounts)
	}
	return s, nil
}

func readSaved(files disk.FS, path string) (*savedCopy, error) {
	data, err := files.ReadFile(path, maxSaved)
	if err != nil {
		return nil, err
	}
	s, err := decodeSaved(data)
	if err != nil {
		return nil, fmt.Errorf("%q is damaged: %w", path, err)
	}
	return s, nil
}

// restore fills a new ledger with what is known from before.
func (l *Ledger) restore() error {
	saved, complete := l.fromBefore()
	h := head{Format: format, Boot: bootID(), Quarantine: saved.Quarantine, Remember: saved.Remember}
	if !complete {
		h.Quarantine = stamp(saved.newest(l.options.Now))
		h.Remember = h.Remember.next(h.Remember.Mark) // the rules may have changed since the copy
		for _, a := range saved.accounts {
			for _, u := range a.Account.Tokens {
				u.Fresh = false
			}
		}
	}
	l.quarantine, l.head = h.Quarantine, h
	content, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return l.enter(func() error {
		return l.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket(headBucket)
			if err == nil {
				err = put(b, headKey, seal(headKey, content))
			}
			if err == nil {
				b, err = tx.CreateBucket(accountsBucket)
			}
			if err == nil {
				err = saved.store(b)
			}
			return err
		})
	})
}

func (s *savedCopy) store(accounts *bbolt.Bucket) error {
	accounts.FillPercent = fullness
	for _, a := range s.accounts {
		value, err := encodeAccount(string(a.User), a.Account)
		if err != nil {
			return err
		}
		if err := put(accounts, a.User, value); err != nil {
			return err
		}
	}
	return nil
}

// fromBefore returns the saved copy, an empty one where none can be used, and whether it is complete. What is wrong with a
// copy is warned about; the quarantine makes up for it.
func (l *Ledger) fromBefore() (s *savedCopy, complete bool) {
	o := &l.options
	clean, err := readSaved(o.FS, o.Root.SavedClean())
	if err == nil {
		return clean, l.outdateClean()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		o.warn("the ledger's copy of the last orderly stop is not used: %v", err)
	} else if err := o.FS.Remove(o.Root.SavedClean()); !errors.Is(err, fs.ErrNotExist) {
		// Somebody may have died right after its renaming. Unless that is synced the copy comes back with the next power failure.
		o.warn("seeing to it that the copy of the last orderly stop stays out of date: %v", err)
	}
	s, err = readSaved(o.FS, o.Root.Saved())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &savedCopy{}, false
	case err != nil:
		o.warn("the ledger's saved copy is not used: %v", err)
		return &savedCopy{}, false
	case !s.Saved.Before(o.Now.Add(maxAhead)):
		// Used codes stay used. Its times are those of a wrong clock, or this one is wrong: newest believes none of them.
		o.warn("the ledger's saved copy is from %s, far ahead of this clock", s.Saved.Format(time.RFC3339))
	}
	return s, false
}

// outdateClean makes an ordinary copy of the clean one, before the first code is verified that it does not know of. It
// reports whether there is none any more. Where it fails, logins go on: a disk that is read-only now stops nobody.
func (l *Ledger) outdateClean() bool {
	o := &l.options
	err := o.FS.Rename(o.Root.SavedClean(), o.Root.Saved())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.warn("marking the ledger's copy of the last orderly stop as out of date: %v", err)
		return false
	}
	return true
}
