package ledger

import (
	"encoding/json"
	"slices"

	"go.etcd.io/bbolt"

	"sallyport/internal/clock"
)

// maxPoints is a day of five minutes each.
const maxPoints = 288

// Samples returns what the last codes of all users said of their phones' clocks.
func (l *Ledger) Samples() (map[string]clock.Sample, error) {
	all := map[string]clock.Sample{}
	err := l.each(func(user, value []byte) error {
		if isStranger(user) {
			return nil
		}
		phone, err := decodePhone(user, value)
		if err != nil {
			return damaged(l.path, err)
		}
		if phone != nil {
			all[string(user)] = *phone
		}
		return nil
	})
	return all, err
}

// ClockHistory is how far off the clock was in the last day, oldest first.
func (l *Ledger) ClockHistory() ([]clock.Point, error) {
	var value []byte
	err := l.enter(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			if b := tx.Bucket(clockBucket); b != nil {
				value = clone(b.Get(clockKey))
			}
			return nil
		})
	})
	if err != nil || value == nil {
		return nil, err
	}
	content, err := unseal(clockKey, value)
	if err != nil {
		return nil, damaged(l.path, err)
	}
	var points []clock.Point
	if err := unmarshal(content, &points); err != nil {
		return nil, damaged(l.path, err)
	}
	return points, nil
}

// AddClockPoint adds to the history, which forgets its oldest point where it is full.
func (l *Ledger) AddClockPoint(p clock.Point) error {
	points, err := l.ClockHistory()
	if err != nil {
		return err
	}
	points = append(points, p)
	points = slices.Delete(points, 0, max(0, len(points)-maxPoints))
	content, err := json.Marshal(points)
	if err != nil {
		return err
	}
	return l.enter(func() error {
		if l.final {
			return ErrClosed
		}
		return l.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(clockBucket)
			if err != nil {
				return err
			}
			return put(b, clockKey, seal(clockKey, content))
		})
	})
}
