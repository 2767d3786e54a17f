package verifier

import "sync"

// userLocks lets one step of a user happen at a time, and those of different users side by side.
type userLocks struct {
	mu   sync.Mutex
	busy map[string]*userLock
}

type userLock struct {
	mu    sync.Mutex
	users int // who holds or waits for it
}

// lock returns the function that unlocks.
func (l *userLocks) lock(user string) (unlock func()) {
	l.mu.Lock()
	if l.busy == nil {
		l.busy = map[string]*userLock{}
	}
	u := l.busy[user]
	if u == nil {
		u = &userLock{}
		l.busy[user] = u
	}
	u.users++
	l.mu.Unlock()
	u.mu.Lock()
	return func() {
		u.mu.Unlock()
		l.mu.Lock()
		if u.users--; u.users == 0 {
			delete(l.busy, user)
		}
		l.mu.Unlock()
	}
}
