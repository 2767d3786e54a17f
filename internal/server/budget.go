package server

import "sync"

// budget counts the connections of one socket. Root's have a budget of their own, so that users who fill theirs do not
// keep anybody from logging in.
type budget struct {
	root, users, perUser int // the most at one time

	mu        sync.Mutex
	open      map[uint32]int // by uid; none at 0
	openUsers int            // all uids but root's
}

// take reports whether one more connection of uid is within the budget; then give must follow it.
func (b *budget) take(uid uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if uid == 0 && b.open[0] >= b.root {
		return false
	}
	if uid != 0 && (b.open[uid] >= b.perUser || b.openUsers >= b.users) {
		return false
	}
	if b.open == nil {
		b.open = make(map[uint32]int)
	}
	b.open[uid]++
	if uid != 0 {
		b.openUsers++
	}
	return true
}

// give returns what take took.
func (b *budget) give(uid uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[uid]--; b.open[uid] == 0 {
		delete(b.open, uid)
	}
	if uid != 0 {
		b.openUsers--
	}
}
