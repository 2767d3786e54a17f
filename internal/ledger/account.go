package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
	"unicode/utf8"

	"sallyport/internal/clock"
)

// Account is what the ledger knows of one user. Its methods are pure: they read no clock, and what they change is kept
// once the account is Put.
//
// A time that is later than the now of a call was written under a clock that has been set back since. See Correct.
type Account struct {
	Tokens  map[string]*TokenUse `json:"tokens,omitempty"`  // by token ID
	Sources []SourceState        `json:"sources,omitempty"` // those that wrong codes came from; at most maxSources
	Wrong   []time.Time          `json:"wrong,omitempty"`   // wrong codes from all sources, newest last; at most maxWrong
	Known   []Known              `json:"known,omitempty"`   // those that right codes came from; at most maxKnown
	Last    Last                 `json:"last,omitzero"`     // the last right code
	Phone   *clock.Sample        `json:"phone,omitempty"`   // what the last right TOTP code said of the phone's clock
	Permits []Permit             `json:"permits,omitempty"` // to take sessions over; at most maxPermits
	UID     uint32               `json:"uid,omitempty"`     // with Owned: whose it is; see Own
	Owned   bool                 `json:"owned,omitempty"`

	turn uint64 // that of now; it is not stored. See Under
}

// SourceState is the wrong codes from one source.
type SourceState struct {
	Source string    `json:"source"`
	Count  int       `json:"count,omitempty"` // wrong codes since First that have not led to a lock
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last"`            // the last wrong code; a lock runs from there
	Locks  int       `json:"locks,omitempty"` // locks so far: each one doubles the next
	Until  time.Time `json:"until,omitzero"`  // end of the lock
	Today  int       `json:"today,omitempty"` // wrong codes in the 24 hours from Since, right ones in between or not
	Since  time.Time `json:"since,omitzero"`
}

// Known is a source from which a right code came, by way of a service.
type Known struct {
	Service string    `json:"service"`
	Source  string    `json:"source"`
	At      time.Time `json:"at"`
	Turn    uint64    `json:"turn,omitempty"` // see Account.Under
}

// Last is the last login with a code.
type Last struct {
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Source  string    `json:"source"`
}

const (
	maxSources = 64
	maxWrong   = 1000 // the most that lockout.user_failures may be
	maxKnown   = 32

	day       = 24 * time.Hour
	knownFor  = 30 * day // how long a source that a right code came from is exempt from the user's lock
	backsOff  = 30 * day // the most that lockout.lock_max may be: after that long no lock has an effect on the next
	countsFor = day      // the most that lockout.within may be, and what user_failures counts
)

// Own makes the account that of the user who has this uid. What somebody else of that name has left is forgotten: where
// right and wrong codes came from, and permits. Used steps are not: should the name get its old uid back, its old
// devices count again.
func (a *Account) Own(uid uint32) {
	if a.Owned && a.UID != uid {
		*a = Account{Tokens: a.Tokens}
	}
	a.UID, a.Owned = uid, true
}

// Under says which rules for remembering logins hold: those of a turn of Ledger.Remembering. Logins of another turn are not
// remembered. (Their times would not do: clocks are set back.)
func (a *Account) Under(turn uint64) { a.turn = turn }

// Accept records a right code: the source's lock and back-off end, and the source is remembered. How many wrong codes
// came from there today is not forgotten, or each login of the user would give who shares its source new guesses.
func (a *Account) Accept(service, source string, now time.Time) {
	a.Correct(now)
	service, source, now = bounded(service), bounded(source), stamp(now)
	if i := a.find(source); i >= 0 {
		s := &a.Sources[i]
		s.Count, s.First, s.Locks, s.Until = 0, time.Time{}, 0, time.Time{}
	}
	a.Known = slices.DeleteFunc(a.Known, func(k Known) bool { return k.Service == service && k.Source == source })
	if len(a.Known) >= maxKnown {
		a.Known = slices.Delete(a.Known, 0, len(a.Known)-maxKnown+1) // the oldest are in front
	}
	a.Known = append(a.Known, Known{service, source, now, a.turn})
	a.Last = Last{now, service, source}
}

// Remembered reports whether a right code came by this service from this source less than d ago. After the clock was set back
// nobody can say, so it did not.
func (a *Account) Remembered(service, source string, now time.Time, d time.Duration) bool {
	service, source = bounded(service), bounded(source)
	return slices.ContainsFunc(a.Known, func(k Known) bool {
		return k.Service == service && k.Source == source && k.Turn == a.turn && within(k.At, now, d)
	})
}

// Knows reports whether a right code came from this source in the last 30 days, by any service.
func (a *Account) Knows(source string, now time.Time) bool {
	source = bounded(source)
	return slices.ContainsFunc(a.Known, func(k Known) bool {
		return k.Source == source && within(k.At, now, knownFor)
	})
}

// Forget has no login count as remembered any more. That right codes came from these sources stays known, so that nobody
// who types wrong ones elsewhere can lock the user out: the entries lose their service, and no PAM service's name is
// empty.
func (a *Account) Forget() {
	known := a.Known
	a.Known = nil
	for _, k := range known { // the oldest are in front
		a.Known = slices.DeleteFunc(a.Known, func(old Known) bool { return old.Source == k.Source })
		a.Known = append(a.Known, Known{Source: k.Source, At: k.At})
	}
}

// Unlock ends all locks and forgets all wrong codes. It reports whether there were any.
func (a *Account) Unlock() bool {
	any := len(a.Sources)+len(a.Wrong) > 0
	a.Sources, a.Wrong = nil, nil
	return any
}

// prune drops what has no effect any more, and reports whether it dropped something. Used steps are never dropped: a clock
// that ran ahead for a moment would otherwise make used codes usable again, once it is set right.
func (a *Account) prune(now time.Time) bool {
	before := len(a.Sources) + len(a.Wrong) + len(a.Known) + len(a.Permits)
	a.Sources = slices.DeleteFunc(a.Sources, func(s SourceState) bool {
		life := backsOff
		if s.Locks == 0 {
			life = countsFor
		}
		return now.Sub(s.active()) >= life
	})
	a.Wrong = slices.DeleteFunc(a.Wrong, func(t time.Time) bool { return now.Sub(t) >= countsFor })
	a.Known = slices.DeleteFunc(a.Known, func(k Known) bool { return now.Sub(k.At) >= knownFor })
	a.Permits = slices.DeleteFunc(a.Permits, func(p Permit) bool { return now.Sub(p.At) >= permitFor })
	if a.Phone != nil && now.Sub(a.Phone.At) >= day {
		a.Phone = nil
		return true
	}
	return len(a.Sources)+len(a.Wrong)+len(a.Known)+len(a.Permits) != before
}

// empty reports whether nothing is lost when the account is deleted.
func (a *Account) empty() bool {
	return len(a.Tokens)+len(a.Sources)+len(a.Wrong)+len(a.Known)+len(a.Permits) == 0
}

// within reports whether t lies in the last d before now.
func within(t, now time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < d
}

// stamp is a time as it is stored.
func stamp(now time.Time) time.Time { return now.Round(0).UTC() }

// bounded is a name as it is stored. A host's name may come out of the DNS of whoever logs in: one that is too long, or
// that JSON could not hold, is stored as its hash.
func bounded(name string) string {
	if len(name) <= 255 && utf8.ValidString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "sha256:" + hex.EncodeToString(sum[:])
}
