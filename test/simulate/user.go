package simulate

import (
	"fmt"
	"slices"
	"time"
)

// user is somebody with an account, and what the oracle knows of it.
type user struct {
	name   string
	uid    uint32
	exists bool

	rec  record // that processes see
	kept record // that a power failure would leave
	// loose is that these are two, until a directory is synced.
	loose bool
	// tries is what is remembered of the user's codes. A power failure takes something of it, nobody says how much: from then on
	// it is vague, until an unlock, and since is what came afterwards. lost are the sources of right codes before it.
	tries     *guesses
	vague     bool
	touched   bool // there was something to remember once
	since     *guesses
	lost      map[string]bool
	ever      map[string]bool // all sources that a right code came from
	perhaps   []known         // right codes that may have been noted: all, of processes that died, too; a copy may have any of them
	forgotten []known         // those of them that are not to count any more
	made      int             // devices so far
	waits     *setup
	permits   []permit
	backup    *backup
}

// sight is a code that was typed where the attacker could see it, used or not.
type sight struct {
	u    *user
	code string
}

func newUser(i int) *user {
	u := &user{name: fmt.Sprintf("u%d", i), uid: uint32(1000 + i), exists: true}
	u.become(u.uid)
	u.rec.uid, u.kept.uid = u.uid, u.uid
	return u
}

// become has somebody with this uid have the name from now on, of whom nothing is known.
func (u *user) become(uid uint32) {
	u.uid, u.vague, u.touched, u.perhaps, u.forgotten, u.permits = uid, false, false, nil, nil, nil
	u.tries, u.since, u.lost, u.ever = newGuesses(), newGuesses(), map[string]bool{}, map[string]bool{}
}

// blame counts a wrong code.
func (u *user) blame(source string, now time.Time, lim limits) {
	u.touched = true
	u.tries.fail(source, now, lim)
	u.since.correct(now)
	u.since.wrong = append(u.since.wrong, now)
}

// welcome is a right code.
func (u *user) welcome(service, source string, now time.Time, seq int) {
	u.touched, u.ever[source] = true, true
	u.noted(known{service, source, now, seq})
	u.tries.accept(service, source, now, seq)
}

func (u *user) noted(k known) { u.perhaps = bounded(append(u.perhaps, k)) }

// bounded drops the oldest of too many.
func bounded(all []known) []known {
	const most = 500
	if len(all) > most {
		return append(all[:0], all[most/2:]...)
	}
	return all
}

// forget is that no login from before is remembered.
func (u *user) forget() {
	u.tries.forget()
	u.forgotten, u.perhaps = bounded(append(u.forgotten, u.perhaps...)), nil
}

// recall is that a copy of the ledger counts, which may be of before what was forgotten.
func (u *user) recall() { u.perhaps, u.forgotten = bounded(append(u.forgotten, u.perhaps...)), nil }

// unlocked is that all wrong codes are forgotten.
func (u *user) unlocked() {
	u.tries.forgive()
	u.since, u.vague = newGuesses(), false
}

// has is the record that counts for the account of today: that of another uid is none.
func (u *user) has() record {
	if u.exists && u.rec.uid == u.uid {
		return u.rec
	}
	return record{uid: u.uid}
}

// devices are those of the user's record, and of the copy of it that may be put back.
func (u *user) devices() []token {
	all := u.rec.tokens
	if u.backup != nil {
		all = append(slices.Clip(all), u.backup.rec.tokens...)
	}
	return all
}

func (w *World) anybody() *user { return w.users[w.rng.IntN(len(w.users))] }

// somebody is a user who has a second factor, most of the time.
func (w *World) somebody() *user {
	u := w.anybody()
	for range 5 {
		if u.has().enrolled() {
			break
		}
		u = w.anybody()
	}
	return u
}

const shared = "192.0.2.1" // an address behind which everybody may be, the attacker too

// home is a place that only this user logs in from.
func (w *World) home(u *user) string {
	switch w.rng.IntN(6) {
	case 0:
		return shared
	case 1:
		return ""
	default:
		return fmt.Sprintf("10.0.%s.%d", u.name[1:], w.rng.IntN(3))
	}
}

func (w *World) abroad() string { return fmt.Sprintf("203.0.113.%d", w.rng.IntN(8)) }

// types is what an owner types: the code of one of its devices now, a recovery code, or something wrong.
func (w *World) types(u *user) (code string, d *device) {
	has := u.has()
	if !has.enrolled() || w.chance(3) {
		return fmt.Sprintf("%06d", w.rng.IntN(1_000_000)), nil
	}
	if n := len(has.recovery); n > 0 && w.chance(4) {
		return has.recovery[w.rng.IntN(n)], nil
	}
	d = has.tokens[w.rng.IntN(len(has.tokens))].device
	code, step := d.shows(w.clock.truth)
	switch {
	case d.period == 0:
		d.presses++
		if t := has.find(d); d.presses > t.counter+2 && w.chance(80) {
			d.presses = t.counter // as a patient person who counts; or it would be out of reach for ever
		}
	case w.chance(10):
		code = d.code(step - 1) // typed slowly
	case w.chance(20):
		code = d.code(d.step(w.clock.host()) + has.find(d).offset) // of a phone that is as wrong as the host
	}
	return code, d
}

func (w *World) saw(u *user, code string) {
	if len(w.seen) >= 64 {
		w.seen = append(w.seen[:0], w.seen[32:]...)
	}
	w.seen = append(w.seen, sight{u, code})
}
