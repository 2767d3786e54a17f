package simulate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/vault"
)

// record is what must be in a user's vault record.
type record struct {
	uid      uint32
	pending  string // the set-up that waits; lost: nobody was told which
	tokens   []token
	recovery []string // the codes left; lost for one whose reply nobody got
	until    time.Time
	source   string // with until: who is locked out; "": everybody that is not known
}

type token struct {
	*device
	offset  int64 // learned by a resync
	counter int64 // HOTP: the next that is accepted
}

const lost = "?"

func (r record) enrolled() bool { return len(r.tokens) > 0 }

// there reports whether the user has a file.
func (r record) there() bool { return len(r.tokens) > 0 || r.pending != "" }

func (r record) clone() record {
	r.tokens, r.recovery = slices.Clone(r.tokens), slices.Clone(r.recovery)
	return r
}

// drop takes a device away. Without any, and without a set-up, there is no file.
func (r *record) drop(d *device) {
	r.tokens = slices.DeleteFunc(r.tokens, func(t token) bool { return t.device == d })
	if len(r.tokens) > 0 {
		return
	}
	r.recovery = nil
	if r.pending == "" {
		*r = record{uid: r.uid}
	}
}

func (r *record) find(d *device) *token {
	for i := range r.tokens {
		if r.tokens[i].device == d {
			return &r.tokens[i]
		}
	}
	return nil
}

// lock merges a lock into the one that there may be: two sources make it one for all.
// One that is further ahead than any lasts was written by another clock, and counts for none.
func (r *record) lock(source string, until, now time.Time, lim limits) {
	switch d := r.until.Sub(now); {
	case d <= 0 || d > lim.lockMax || r.source == source:
		r.until, r.source = until, source
	case r.until.After(until):
		r.source = ""
	default:
		r.until, r.source = until, ""
	}
}

// locks reports whether there is a lock that another record does not have.
func (r *record) locks(before record) bool {
	return !r.until.Equal(before.until) || r.source != before.source
}

// lockedUntil is the end of the durable lock, as far as it holds for the source.
func (r *record) lockedUntil(source string, now time.Time, lim limits, isKnown bool) time.Time {
	if r.source == "" && isKnown || r.source != "" && r.source != source {
		return time.Time{}
	}
	if d := r.until.Sub(now); d <= 0 || d > lim.lockMax {
		return time.Time{}
	}
	return r.until
}

// differs says how the record that was read is another one; "": it is not.
func (r record) differs(got *vault.Record) string {
	if waits := pendingOf(got); waits != r.pending && (waits == "" || r.pending != lost) {
		return fmt.Sprintf("the set-up %q waits instead of %q", waits, r.pending)
	}
	if len(got.Tokens) != len(r.tokens) {
		return fmt.Sprintf("%d devices instead of %d", len(got.Tokens), len(r.tokens))
	}
	for i, t := range r.tokens {
		g := got.Tokens[i]
		switch {
		case string(g.Key.Secret.Bytes()) != string(t.secret):
			return fmt.Sprintf("device %d is another one", i)
		case g.Counter != t.counter:
			return fmt.Sprintf("counter %d instead of %d", g.Counter, t.counter)
		case g.Offset != t.offset:
			return fmt.Sprintf("offset %d instead of %d", g.Offset, t.offset)
		}
	}
	if len(r.tokens) > 0 && len(got.Recovery) != len(r.recovery) {
		return fmt.Sprintf("%d recovery codes instead of %d", len(got.Recovery), len(r.recovery))
	}
	for i, code := range r.recovery[:min(1, len(got.Recovery), len(r.recovery))] {
		if code != lost && !got.Recovery[i].Matches(code) {
			return "the recovery codes are others"
		}
	}
	if !got.Lock.Until.Equal(r.until) || got.Lock.Source != r.source {
		return fmt.Sprintf("the lock is of %q until %s, instead of %q until %s", got.Lock.Source, stamp(got.Lock.Until), r.source, stamp(r.until))
	}
	return ""
}

func pendingOf(got *vault.Record) string {
	if got.Pending == nil {
		return ""
	}
	return got.Pending.ID
}

// codeLengths are those of the codes that may stand behind a password.
func (r record) codeLengths() []int {
	if !r.enrolled() {
		return []int{6}
	}
	var all []int
	for _, t := range r.tokens {
		all = append(all, t.digits)
	}
	return all
}

// stored reads what is in the vault, as a process that starts now would.
func (w *World) stored(u *user) *vault.Record {
	var got *vault.Record
	w.quietly(func() {
		var err error
		got, err = w.openVault().Read(u.name)
		if errors.Is(err, vault.ErrNotEnrolled) {
			got = &vault.Record{}
		} else if err != nil {
			w.fail("the record of %s cannot be read: %v", u.name, err)
		}
	})
	return got
}

// settle compares a user's record with what it may be now. The first one is what it must be where the operation was
// acknowledged; otherwise it may be what it was, too. What was acknowledged is on the disk.
func (w *World) settle(u *user, may ...record) {
	if w.failure != nil || w.disk.Steps() == w.op.steps && !w.op.durable {
		return
	}
	got := w.stored(u)
	if got == nil {
		return
	}
	if !w.op.acknowledged {
		may = append(may, u.rec)
	} else {
		may = may[:1]
	}
	if (u.vague || len(u.lost) > 0) && (!got.Lock.Until.After(w.clock.host().Add(day)) || got.Lock.Until.Equal(u.rec.until)) {
		for i := range may { // nobody knows how many wrong codes there were before
			may[i] = may[i].clone()
			may[i].until, may[i].source = got.Lock.Until, got.Lock.Source
		}
	}
	i := slices.IndexFunc(may, func(r record) bool { return r.differs(got) == "" })
	if i < 0 {
		w.fail("%s: %s", u.name, may[0].differs(got))
		return
	}
	drop(u.rec, may[i])
	u.rec = may[i]
	u.rec.pending = pendingOf(got)
	durable := w.disk.Durable(w.path(u))
	if w.op.acknowledged && w.op.durable && w.disk.Steps() != w.op.steps && !durable {
		w.fail("%s: what was acknowledged is not on the disk", u.name)
	}
	u.loose = !durable
	if durable {
		u.kept = u.rec.clone()
	}
}

// synced notes what has become durable by the way: who syncs the directory for one record does it for all.
func (w *World) synced() {
	for _, u := range w.users {
		if u.loose && w.disk.Durable(w.path(u)) {
			u.loose, u.kept = false, u.rec.clone()
		}
	}
}
