package ledger

import (
	"runtime"
	"sync"

	"go.etcd.io/bbolt"
)

// queue is changes to accounts that wait to be committed. What a commit costs is mostly its own, and not that of the
// changes in it: so whoever comes to commit takes along all that wait. (bbolt's Batch waits a while for others to come.)
type queue struct {
	mu      sync.Mutex
	waiting []*change
}

// change is one change to the accounts. done and err are guarded by Ledger.mu.
type change struct {
	fn   func(accounts *bbolt.Bucket) error
	done bool
	err  error
}

func (q *queue) add(c *change) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, c)
}

func (q *queue) take() []*change {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = nil
	return all
}

// update changes accounts. When it returns nil, the change is in the file.
func (l *Ledger) update(fn func(accounts *bbolt.Bucket) error) error {
	c := &change{fn: fn}
	l.queue.add(c)
	runtime.Gosched() // who is about to change something, too, comes along
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.done {
		l.commit(l.queue.take()) // c among them: only who holds mu takes
	}
	return c.err
}

// commit makes changes. Where one of several fails each is made by itself, so that none has to do with another's failure.
func (l *Ledger) commit(all []*change) {
	err := l.commitTogether(all)
	for _, c := range all {
		c.done, c.err = true, err
		if err != nil && len(all) > 1 {
			c.err = l.commitTogether([]*change{c})
		}
	}
}

func (l *Ledger) commitTogether(all []*change) error {
	return l.entered(func() error {
		if l.final {
			return ErrClosed
		}
		return l.db.Update(func(tx *bbolt.Tx) error {
			accounts := tx.Bucket(accountsBucket)
			accounts.FillPercent = fullness
			for _, c := range all {
				if err := c.fn(accounts); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
