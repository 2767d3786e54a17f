package ledger

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	limits = Limits{Failures: 5, Within: 10 * time.Minute, Lock: 5 * time.Minute, LockMax: 24 * time.Hour, UserFailures: 20}
	start  = time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC)
)

// fail counts n wrong codes, a second apart, and returns the last result and the time after it.
func fail(a *Account, source string, n int, now time.Time, lim Limits) (until, after time.Time) {
	for range n {
		until = a.Fail(source, now, lim)
		now = now.Add(time.Second)
	}
	return until, now
}

func TestLock(t *testing.T) {
	a := &Account{}
	until, now := fail(a, "10.0.0.1", 4, start, limits)
	if !until.IsZero() || !a.LockedUntil("10.0.0.1", now, limits).IsZero() {
		t.Fatal("locked after four wrong codes")
	}
	until, now = fail(a, "10.0.0.1", 1, now, limits)
	if want := start.Add(4*time.Second + 5*time.Minute); !until.Equal(want) || !a.LockedUntil("10.0.0.1", now, limits).Equal(want) {
		t.Fatalf("locked until %s, %s instead of %s", until, a.LockedUntil("10.0.0.1", now, limits), want)
	}
	if !a.LockedUntil("10.0.0.2", now, limits).IsZero() {
		t.Error("another source is locked too")
	}
	if a.LockedUntil("10.0.0.1", until.Add(-1), limits).IsZero() {
		t.Error("the lock ends early")
	}
	if !a.LockedUntil("10.0.0.1", until, limits).IsZero() {
		t.Error("the lock does not end")
	}
}

func TestOldFailuresDoNotCount(t *testing.T) {
	a := &Account{}
	_, now := fail(a, "10.0.0.1", 4, start, limits)
	if until := a.Fail("10.0.0.1", start.Add(limits.Within), limits); !until.IsZero() {
		t.Errorf("locked until %s by a wrong code that came %s after the first", until, limits.Within)
	}
	if until, _ := fail(a, "10.0.0.1", 4, now.Add(limits.Within), limits); until.IsZero() {
		t.Error("the count did not begin anew")
	}
}

func TestBackOff(t *testing.T) {
	lim := limits
	lim.LockMax, lim.UserFailures = time.Hour, 1000
	a, now := &Account{}, start
	for i, want := range []time.Duration{5, 10, 20, 40, 60, 60} {
		until, _ := fail(a, "s", 5, now, lim)
		if got := until.Sub(now.Add(4 * time.Second)); got != want*time.Minute {
			t.Fatalf("lock %d lasts %s instead of %s", i, got, want*time.Minute)
		}
		now = until
	}
	until, _ := fail(a, "s", 5, now.Add(lim.LockMax-time.Second), lim)
	if got := until.Sub(now); got < 2*time.Hour-time.Second {
		t.Errorf("a moment before lock_max has passed, the next lock lasts %s less", 2*time.Hour-got)
	}
	until, _ = fail(a, "s", 5, until.Add(lim.LockMax), lim)
	if got := until.Sub(a.Sources[0].Last); got != lim.Lock {
		t.Errorf("after lock_max without a wrong code the lock lasts %s instead of %s", got, lim.Lock)
	}
	a.Accept("sshd", "s", until)
	if len(a.Sources) != 1 {
		t.Fatal("what came from there today is forgotten")
	}
	if until2, _ := fail(a, "s", 5, until, lim); until2.Sub(a.Sources[0].Last) != lim.Lock {
		t.Errorf("after a right code the lock lasts %s instead of %s", until2.Sub(a.Sources[0].Last), lim.Lock)
	}
}

func TestLockMaxWasLowered(t *testing.T) {
	a := &Account{}
	lim := limits
	lim.Lock = 10 * time.Hour
	_, now := fail(a, "s", 5, start, lim)
	lim.LockMax = time.Hour
	if got, want := a.LockedUntil("s", now, lim), start.Add(time.Hour+4*time.Second); !got.Equal(want) {
		t.Errorf("locked until %s instead of %s", got, want)
	}
}

func TestUserLock(t *testing.T) {
	a := &Account{}
	a.Accept("sshd", "home", start.Add(-time.Hour))
	now := start
	for i := range 20 {
		if until := a.Fail(fmt.Sprint("bot", i), now, limits); until.IsZero() != (i < 19) {
			t.Fatalf("after %d wrong codes from as many sources: locked until %s", i+1, until)
		}
		now = now.Add(time.Minute)
	}
	if got, want := a.LockedUntil("elsewhere", now, limits), start.Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("locked until %s instead of %s", got, want)
	}
	if got := a.LockedUntil("home", now, limits); !got.IsZero() {
		t.Errorf("a source that a right code came from is locked until %s", got)
	}
	if until, _ := fail(a, "home", 5, now, limits); until.IsZero() {
		t.Error("such a source may guess without a bound")
	}
	now = start.Add(24 * time.Hour)
	if a.LockedUntil("elsewhere", now, limits).IsZero() {
		t.Error("the wrong codes from home do not count")
	}
	now = start.Add(24*time.Hour + 25*time.Minute)
	if got := a.LockedUntil("elsewhere", now, limits); !got.IsZero() {
		t.Errorf("a day later it is still locked until %s", got)
	}
}

func TestKnownForThirtyDays(t *testing.T) {
	a := &Account{}
	a.Accept("sshd", "home", start)
	for after, known := range map[time.Duration]bool{0: true, 30*day - 1: true, 30 * day: false, -1: false} {
		if a.Knows("home", start.Add(after)) != known {
			t.Errorf("after %s: known is %v", after, !known)
		}
	}
}

// TestManySources: neither does the table grow, nor does a lock vanish from it.
func TestManySources(t *testing.T) {
	lim := limits
	lim.UserFailures = 1000
	a, now := &Account{}, start
	a.Accept("sshd", "home", now)
	for i := range maxSources - 1 {
		fail(a, fmt.Sprint("locked", i), 5, now, lim)
	}
	for i := range 5 {
		until := a.Fail(fmt.Sprint("late", i), now, lim)
		if until.IsZero() != (i < 4) {
			t.Errorf("wrong code %d of those for whom no room was left: locked until %s", i+1, until)
		}
	}
	if a.LockedUntil("later", now, lim).IsZero() {
		t.Error("a full table lets a new source guess")
	}
	if !a.LockedUntil("home", now, lim).IsZero() {
		t.Error("a full table locks out a known source")
	}
	for i := range maxSources - 1 {
		if a.LockedUntil(fmt.Sprint("locked", i), now, lim).IsZero() {
			t.Errorf("the lock of source %d is gone", i)
		}
	}
	now = now.Add(lim.Lock + time.Second)
	for i := range 3000 {
		a.Fail(fmt.Sprint("more", i), now, lim)
	}
	if len(a.Sources) > maxSources || len(a.Wrong) > maxWrong {
		t.Errorf("%d sources, %d wrong codes", len(a.Sources), len(a.Wrong))
	}
	locks := 0
	for _, s := range a.Sources {
		locks += s.Locks
	}
	if locks < maxSources-5 {
		t.Errorf("of %d sources only %d with a history are left", maxSources, locks)
	}
}

func TestUnlock(t *testing.T) {
	a := &Account{}
	_, now := fail(a, "s", 20, start, limits)
	a.Unlock()
	if got := a.LockedUntil("s", now, limits); !got.IsZero() {
		t.Errorf("still locked until %s", got)
	}
	if until, _ := fail(a, "s", 4, now, limits); !until.IsZero() {
		t.Error("wrong codes from before count")
	}
}

// TestClockSetBack: a lock that began in what is now the future lasts from now as long as it was meant to.
func TestClockSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Second, time.Hour, 365 * day} {
		a := &Account{}
		until, _ := fail(a, "s", 5, start, limits)
		last := a.Sources[0].Last
		now := last.Add(-back)
		if got := a.LockedUntil("s", now, limits); !got.Equal(until.Add(-back)) {
			t.Errorf("set back by %s: locked for %s instead of %s", back, got.Sub(now), limits.Lock)
		}
		if got := a.LockedUntil("s", now.Add(limits.Lock), limits); !got.IsZero() {
			t.Errorf("set back by %s: locked for ever", back)
		}
	}
}

func TestClockSetBackCounts(t *testing.T) {
	a := &Account{}
	fail(a, "s", 4, start, limits)
	now := start.Add(-365 * day)
	if !a.Correct(now) || a.Correct(now) {
		t.Error("it does not say that there was something to put right, or not that there no longer is")
	}
	if until := a.Fail("s", now.Add(limits.Within), limits); !until.IsZero() {
		t.Error("wrong codes from before the clock was set back count for ever")
	}
}

// TestGuesses has somebody guess from ever new sources, and from old ones, as often as it is let, while the clock is set
// back now and then: in no 24 hours are there more guesses than user_failures.
func TestGuesses(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		lim := limits
		lim.UserFailures = 1 + rnd.IntN(30)
		lim.Failures = 1 + rnd.IntN(6)
		a := &Account{}
		var guesses []time.Time // by a clock that nobody sets
		ahead := time.Duration(0)
		for real := start; real.Before(start.Add(5 * day)); real = real.Add(time.Duration(rnd.Int64N(int64(5 * time.Minute)))) {
			if rnd.IntN(100) == 0 {
				ahead -= time.Duration(rnd.Int64N(int64(3 * day)))
			}
			source := fmt.Sprint("bot", rnd.IntN(3))
			if rnd.IntN(2) == 0 {
				source = fmt.Sprint("new", rnd.Uint64())
			}
			if a.LockedUntil(source, real.Add(ahead), lim).IsZero() {
				a.Fail(source, real.Add(ahead), lim)
				guesses = append(guesses, real)
			}
		}
		for i := lim.UserFailures; i < len(guesses); i++ {
			if d := guesses[i].Sub(guesses[i-lim.UserFailures]); d < day {
				t.Fatalf("seed %d: %d guesses in %s", seed, lim.UserFailures+1, d)
			}
		}
		if len(guesses) < lim.UserFailures {
			t.Errorf("seed %d: only %d guesses", seed, len(guesses))
		}
	}
}

// Who shares a source with the user, behind one address or on one machine, has a few guesses a day more than a stranger, and
// each login of the user gives no new ones.
func TestGuessesAtAKnownSource(t *testing.T) {
	a, guesses := &Account{}, 0
	const days = 30
	for now := start; now.Before(start.Add(days * 24 * time.Hour)); now = now.Add(10 * time.Minute) {
		if now.Sub(start)%(8*time.Hour) == 0 {
			a.Accept("sshd", "nat", now)
		}
		for range 4 { // never five in ten minutes
			if a.LockedUntil("nat", now, limits).IsZero() {
				a.Fail("nat", now, limits)
				guesses++
			}
		}
		for i := range 4 {
			if stranger := fmt.Sprint("bot", i, now.Unix()); a.LockedUntil(stranger, now, limits).IsZero() {
				a.Fail(stranger, now, limits)
				guesses++
			}
		}
	}
	if most := days * (limits.UserFailures + limits.Failures); guesses > most {
		t.Errorf("%d guesses in %d days, more than %d", guesses, days, most)
	}
	if guesses < days*limits.UserFailures*9/10 {
		t.Errorf("%d guesses in %d days: the test does not try hard enough", guesses, days)
	}
}
