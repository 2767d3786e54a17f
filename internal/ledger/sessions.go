package ledger

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// sessionsBucket has the windows that are open: user, "/", ID → Window. A ledger that an older version began has none
// until the first is put into it. No copy has them: they die with the machine.
var sessionsBucket = []byte("sessions")

// Window is one login that goes on: an SSH connection, a console, a tab of a panel. A session is the windows with the
// same Session.
type Window struct {
	ID      string    `json:"id"`
	Session string    `json:"session"` // ID of its first window
	User    string    `json:"user"`
	UID     uint32    `json:"uid"`
	Service string    `json:"service"`
	Source  string    `json:"source"` // remote host or address, "local", or "self"
	TTY     string    `json:"tty,omitempty"`
	PID     int       `json:"pid"`    // of its leader
	Start   uint64    `json:"start"`  // of the leader, in clock ticks after boot (proc(5)): no later process with the PID has it
	Opened  time.Time `json:"opened"` // UTC
	Order   uint64    `json:"order"`  // among the user's, the newer the higher: clocks may be set back
	// Ending is since when the window is being ended, and counts no more; zero: it is not.
	Ending time.Time `json:"ending,omitzero"`
	Notice string    `json:"notice,omitempty"` // with Ending: what its terminal is told
}

const (
	maxWindow  = 4 << 10 // bytes of JSON
	maxField   = 256     // bytes of a text in it; the wire's bounds are lower
	maxWindows = 1024    // of one user; sessions.limit goes to 1000
)

// ErrTooManyWindows says that a user has as many windows as can be kept.
var ErrTooManyWindows = fmt.Errorf("the user has %d windows open already", maxWindows)

// Windows returns the user's windows or, where user is empty, everybody's by user; the oldest first.
func (l *Ledger) Windows(user string) ([]Window, error) {
	prefix := []byte{}
	if user != "" {
		prefix = []byte(user + "/")
	}
	var all []Window
	err := l.enter(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket(sessionsBucket)
			if b == nil {
				return nil
			}
			c := b.Cursor()
			for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
				w, err := decodeWindow(k, v)
				if err != nil {
					return damaged(l.path, err)
				}
				all = append(all, w)
			}
			return nil
		})
	})
	slices.SortStableFunc(all, func(a, b Window) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Order, b.Order)) })
	return all, err
}

// PutWindows stores windows, all of them or, where it fails, none.
func (l *Ledger) PutWindows(windows ...Window) error {
	values := make([][]byte, len(windows))
	for i := range windows {
		var err error
		if values[i], err = encodeWindow(&windows[i]); err != nil {
			return err
		}
	}
	return l.updateSessions(func(b *bbolt.Bucket) error {
		for i := range windows {
			key := windows[i].key()
			if b.Get(key) == nil && count(b, windows[i].User) >= maxWindows {
				return ErrTooManyWindows
			}
			if err := put(b, key, values[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteWindow forgets a window, and reports whether it was there.
func (l *Ledger) DeleteWindow(user, id string) (was bool, err error) {
	err = l.updateSessions(func(b *bbolt.Bucket) error {
		key := (&Window{User: user, ID: id}).key()
		if was = b.Get(key) != nil; !was {
			return nil
		}
		return remove(b, key)
	})
	return was && err == nil, err
}

func (l *Ledger) updateSessions(fn func(b *bbolt.Bucket) error) error {
	return l.enter(func() error {
		if l.final {
			return ErrClosed
		}
		return l.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(sessionsBucket)
			if err != nil {
				return err
			}
			return fn(b)
		})
	})
}

func count(b *bbolt.Bucket, user string) int {
	prefix := []byte(user + "/")
	n := 0
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		n++
	}
	return n
}

// key is unambiguous: "/" is in no user's name.
func (w *Window) key() []byte { return []byte(w.User + "/" + w.ID) }

func encodeWindow(w *Window) ([]byte, error) {
	if err := w.validate(); err != nil {
		return nil, fmt.Errorf("window of %q: %w", w.User, err)
	}
	content, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("window of %q: %w", w.User, err)
	}
	if len(content) > maxWindow {
		return nil, fmt.Errorf("window of %q: %d bytes are more than %d", w.User, len(content), maxWindow)
	}
	return seal(w.key(), content), nil
}

func decodeWindow(key, value []byte) (Window, error) {
	var w Window
	content, err := unseal(key, value)
	if err != nil {
		return w, err
	}
	if err = unmarshal(content, &w); err == nil {
		err = w.validate()
	}
	if err == nil && !bytes.Equal(key, w.key()) {
		err = errors.New("it is another's")
	}
	if err != nil {
		return w, fmt.Errorf("window %q: %w", key, err)
	}
	return w, nil
}

// validate checks what others count on: above all that the leader can be told from other processes.
func (w *Window) validate() error {
	for _, text := range []string{w.ID, w.Session, w.User, w.Service, w.Source} {
		if text == "" || len(text) > maxField {
			return fmt.Errorf("a text of %d bytes: it must have 1 to %d", len(text), maxField)
		}
	}
	if len(w.TTY) > maxField || len(w.Notice) > 2*maxField {
		return errors.New("its terminal or notice is too long")
	}
	if w.PID <= 1 || w.Start == 0 {
		return fmt.Errorf("process %d, which began at %d, cannot lead a session", w.PID, w.Start)
	}
	return nil
}
