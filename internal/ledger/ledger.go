// Package ledger remembers what must not happen twice, and what must not happen too often: used codes, wrong codes,
// locks, and where right codes came from.
//
// It is a bbolt file in /run, so that a login costs no disk write, and whoever holds the file's lock is the host's
// verifier (DESIGN §1.2, §3). It outlives the daemon, and not the machine: a copy in /var/lib, written at an orderly
// stop and now and then, and a quarantine bridge that.
package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/disk"
)

// ErrHeld says that another process has the ledger, and is the verifier.
var ErrHeld = errors.New("another process holds the ledger")

// ErrClosed says that the ledger was closed, or saved for an orderly stop: what happened after that would be missing
// from a copy that passes for complete.
var ErrClosed = errors.New("the ledger is closed")

// DamagedError says that the ledger's file is not one, or no longer. It is left as it is.
type DamagedError struct {
	Path    string
	Problem string
	Mend    string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%q is damaged: %s; %s", e.Path, e.Problem, e.Mend)
}

func damaged(path string, problem any) *DamagedError {
	return &DamagedError{path, fmt.Sprint(problem),
		"remove it and restart sallyportd (codes of the last minute will be refused once)"}
}

// Options say which ledger to open, and how.
type Options struct {
	Root disk.Root
	FS   disk.FS       // for the saved copy
	Now  time.Time     // a ledger that begins empty distrusts codes up to here
	Wait time.Duration // how long to wait for the lock; 0: one try
	Warn func(format string, args ...any)
}

func (o *Options) warn(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(format, args...)
	}
}

// Ledger is the open ledger, and with it the lock. It is safe for concurrent use.
type Ledger struct {
	options    Options
	path       string
	quarantine time.Time

	// bbolt could be used by several goroutines, but a fault in one of them, on a damaged file, would leave the others waiting
	// for bbolt's locks for ever. So one at a time is let in, and after a fault none.
	mu      sync.Mutex
	file    *os.File
	db      *bbolt.DB
	head    head
	refusal error // why nobody is let in any more
	final   bool  // nothing may change any more: the clean copy is being written

	queue  queue      // of changes to accounts
	saving sync.Mutex // one copy at a time: an older one must not replace a newer
}

// Quarantine is the time up to which codes may have been used that this ledger knows nothing of; zero: none.
func (l *Ledger) Quarantine() time.Time { return l.quarantine }

// Get returns the user's account, an empty one where nothing is known.
func (l *Ledger) Get(user string) (*Account, error) {
	var value []byte
	err := l.view(func(accounts *bbolt.Bucket) error {
		value = clone(accounts.Get([]byte(user)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if value == nil {
		return &Account{Tokens: map[string]*TokenUse{}}, nil
	}
	a, err := decodeAccount([]byte(user), value)
	if err != nil {
		return nil, damaged(l.path, err)
	}
	return a, nil
}

// Put stores the user's account. When it returns nil, the account survives this process.
func (l *Ledger) Put(user string, a *Account) error {
	value, err := encodeAccount(user, a)
	if err != nil {
		return err
	}
	return l.update(func(accounts *bbolt.Bucket) error { return put(accounts, []byte(user), value) })
}

// Delete forgets what is known of the user, used codes too.
func (l *Ledger) Delete(user string) error {
	return l.update(func(accounts *bbolt.Bucket) error { return remove(accounts, []byte(user)) })
}

// Stranger is the account on which wrong codes count for a name that the host does not know. It works like any other, so
// that nobody learns from it which names exist. But names can be made up without an end: Prune keeps only so many, and no
// copy has them.
func Stranger(name string) string { return strangerMark + name }

const (
	strangerMark = "/" // is in no user's name
	maxStrangers = 5000
)

func isStranger(user []byte) bool { return strings.HasPrefix(string(user), strangerMark) }

// Prune drops what has no effect any more, and puts right what was written under a clock that was ahead (Correct).
func (l *Ledger) Prune(now time.Time) error {
	strangers := 0
	return l.each(func(user, value []byte) error {
		if isStranger(user) {
			if strangers++; strangers > maxStrangers {
				return l.Delete(string(user))
			}
		}
		a, err := decodeAccount(user, value)
		if err != nil {
			return damaged(l.path, err)
		}
		corrected := a.Correct(now)
		if !a.prune(now) && !corrected {
			return nil
		}
		return l.replace(user, value, a)
	})
}

// replace stores the account, or deletes it where it is empty, unless it was changed since it was read.
func (l *Ledger) replace(user, value []byte, a *Account) error {
	next, err := encodeAccount(string(user), a)
	if err != nil {
		return err
	}
	return l.update(func(accounts *bbolt.Bucket) error {
		switch {
		case string(accounts.Get(user)) != string(value):
			return nil
		case a.empty():
			return remove(accounts, user)
		}
		return put(accounts, user, next)
	})
}

// Close gives the lock up, without saving a copy.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.db == nil {
		return nil
	}
	db := l.db
	l.db = nil
	if l.refusal != nil && !errors.Is(l.refusal, ErrClosed) {
		return l.file.Close() // bbolt's own locks may never be released: see mu
	}
	l.refusal = ErrClosed
	return db.Close()
}

// each calls fn for every account, in batches, so that logins go on in between.
func (l *Ledger) each(fn func(user, value []byte) error) error {
	const batch = 256
	type entry struct{ user, value []byte }
	var entries []entry
	for next := []byte{}; next != nil; {
		entries = entries[:0]
		err := l.view(func(accounts *bbolt.Bucket) error {
			c := accounts.Cursor()
			k, v := c.Seek(next)
			for ; k != nil && len(entries) < batch; k, v = c.Next() {
				entries = append(entries, entry{clone(k), clone(v)})
			}
			next = clone(k)
			return nil
		})
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := fn(e.user, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Ledger) view(fn func(accounts *bbolt.Bucket) error) error {
	return l.enter(func() error {
		return l.db.View(func(tx *bbolt.Tx) error { return fn(tx.Bucket(accountsBucket)) })
	})
}

// putHead stores a head. It is called by who is let in.
func (l *Ledger) putHead(h head) error {
	content, err := json.Marshal(h)
	if err != nil {
		return err
	}
	err = l.db.Update(func(tx *bbolt.Tx) error {
		return put(tx.Bucket(headBucket), headKey, seal(headKey, content))
	})
	if err == nil {
		l.head = h
	}
	return err
}

// upgrade says that there may be accounts from now on that earlier versions cannot read.
func (l *Ledger) upgrade() error {
	if l.head.Format == format {
		return nil
	}
	return l.enter(func() error {
		next := l.head
		next.Format = format
		return l.putHead(next)
	})
}

// enter lets fn use bbolt. If the file turns out to be damaged, nobody is let in any more.
func (l *Ledger) enter(fn func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entered(fn)
}

// entered is enter for who holds mu.
func (l *Ledger) entered(fn func() error) error {
	if l.refusal != nil {
		return l.refusal
	}
	err := shielded(fn)
	var f fault
	if errors.As(err, &f) {
		l.refusal = damaged(l.path, f)
		return l.refusal
	}
	return err
}

// fault is what went wrong with the memory that a file is mapped to, or with what bbolt holds for certain.
type fault struct{ cause any }

func (f fault) Error() string { return fmt.Sprint(f.cause) }

// shielded runs fn and turns its panics into a fault, and so the signals of a mapped file that ends too early.
func shielded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fault{p}
		}
	}()
	return fn()
}

// clone copies what bbolt lends for the time of a transaction. A nil stays nil.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}
