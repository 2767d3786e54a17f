package ledger

import (
	"slices"
	"time"
)

// Limits is how many wrong codes are borne (DESIGN §5, lockout).
type Limits struct {
	Failures     int           // from one source ...
	Within       time.Duration // ... in this time begin a lock
	Lock         time.Duration // the first lock; each one after it lasts twice as long
	LockMax      time.Duration // the longest
	UserFailures int           // wrong codes from all sources in 24 hours
}

// overflow is the entry that sources share for which no room is left, because a lock holds for every other entry.
const overflow = "*"

// Fail counts a wrong code. Where it begins a lock for the source, its own or the user's, it returns when that lock ends.
func (a *Account) Fail(source string, now time.Time, lim Limits) (until time.Time) {
	a.Correct(now)
	now = stamp(now)
	a.Wrong = append(a.Wrong, now)
	a.Wrong = slices.Delete(a.Wrong, 0, max(0, len(a.Wrong)-min(maxWrong, max(1, lim.UserFailures))))

	s := a.entry(bounded(source), now)
	if now.Sub(s.active()) >= lim.LockMax {
		s.Locks = 0
	}
	if s.Count == 0 || now.Sub(s.First) >= lim.Within {
		s.Count, s.First = 0, now
	}
	if s.today(now) == 0 {
		s.Today, s.Since = 0, now
	}
	s.Count, s.Today, s.Last = s.Count+1, s.Today+1, now
	if s.Count >= lim.Failures {
		s.Until = now.Add(lim.lock(s.Locks))
		s.Locks, s.Count, s.First = s.Locks+1, 0, time.Time{}
	}
	return a.LockedUntil(source, now, lim)
}

// lock is how long a lock lasts that comes after n others.
func (lim Limits) lock(n int) time.Duration {
	d := lim.Lock
	for ; n > 0 && d < lim.LockMax; n-- {
		d *= 2 // stays below 60 days: both are at most 30
	}
	return min(d, lim.LockMax)
}

// LockedUntil is the time until which no code from this source is looked at; zero: it may try. Three locks may hold: the
// source's own, that of the user for too many wrong codes in a day, and the one which sources share that the table had no
// room for. Of these only its own holds for a source that a right code came from in the last 30 days, so that nobody
// can lock a user out from elsewhere; unless today's wrong codes from there are themselves as many as begin a lock, so that
// who shares the source has no more than those few guesses a day beyond the user's.
func (a *Account) LockedUntil(source string, now time.Time, lim Limits) (until time.Time) {
	a.Correct(now)
	source = bounded(source)
	own := a.find(source)
	if own >= 0 {
		until = a.Sources[own].lockedUntil(lim)
	}
	if !a.Knows(source, now) || own >= 0 && a.Sources[own].today(now) >= lim.Failures {
		until = later(until, a.userLockedUntil(now, lim))
		if shared := a.find(overflow); own < 0 && shared >= 0 {
			until = later(until, a.Sources[shared].lockedUntil(lim))
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// userLockedUntil is when so many wrong codes will be a day old that less than the limit is left.
func (a *Account) userLockedUntil(now time.Time, lim Limits) time.Time {
	n := len(a.Wrong) - max(1, lim.UserFailures)
	if n < 0 || now.Sub(a.Wrong[n]) >= countsFor {
		return time.Time{}
	}
	return a.Wrong[n].Add(countsFor)
}

// lockedUntil ends a lock early where the policy has become milder since.
func (s SourceState) lockedUntil(lim Limits) time.Time {
	if s.Until.After(s.Last.Add(lim.LockMax)) {
		return s.Last.Add(lim.LockMax)
	}
	return s.Until
}

// today is how many wrong codes came in the day that is counted.
func (s SourceState) today(now time.Time) int {
	if !within(s.Since, now, countsFor) {
		return 0
	}
	return s.Today
}

// active is when the source was last heard of or locked.
func (s SourceState) active() time.Time { return later(s.Last, s.Until) }

// Correct puts right what was written under a clock that ran ahead of now: what lies in the future is taken to have
// happened now, and a lock that began in the future lasts from now as long as it would have lasted then. So setting the
// clock back gives nobody more guesses, and locks nobody out for longer. It reports whether there was anything to put
// right; that counts from the first time the account is Put again.
func (a *Account) Correct(now time.Time) (changed bool) {
	now = stamp(now)
	for i := range a.Sources {
		s := &a.Sources[i]
		if ahead := s.Last.Sub(now); ahead > 0 {
			s.Last, changed = now, true
			if !s.Until.IsZero() {
				s.Until = s.Until.Add(-ahead)
			}
		}
		if s.First.After(now) {
			s.First = now
		}
		if s.Since.After(now) {
			s.Since = now
		}
	}
	for i, t := range a.Wrong {
		if t.After(now) {
			a.Wrong[i], changed = now, true
		}
	}
	return changed
}

// entry finds the source's entry or makes one. A full table loses the entry that holds the least: among those without a
// lock the one with the shortest history of locks, and of these the oldest.
func (a *Account) entry(source string, now time.Time) *SourceState {
	if i := a.find(source); i >= 0 {
		return &a.Sources[i]
	}
	if len(a.Sources) >= maxSources-1 { // the last place is for overflow
		if i := a.least(now); i >= 0 {
			a.Sources = slices.Delete(a.Sources, i, i+1)
		} else if i := a.find(overflow); i >= 0 {
			return &a.Sources[i]
		} else {
			source = overflow
		}
	}
	a.Sources = append(a.Sources, SourceState{Source: source, Last: now})
	return &a.Sources[len(a.Sources)-1]
}

func (a *Account) find(source string) int {
	return slices.IndexFunc(a.Sources, func(s SourceState) bool { return s.Source == source })
}

// least is the number of the entry that can best be spared, -1 where each has a lock.
func (a *Account) least(now time.Time) int {
	best := -1
	for i, s := range a.Sources {
		if s.Source == overflow || s.Until.After(now) {
			continue
		}
		if best < 0 || s.Locks < a.Sources[best].Locks ||
			s.Locks == a.Sources[best].Locks && s.Last.Before(a.Sources[best].Last) {
			best = i
		}
	}
	return best
}

func later(t, u time.Time) time.Time {
	if u.After(t) {
		return u
	}
	return t
}
