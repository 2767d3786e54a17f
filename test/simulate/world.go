// Package simulate runs the verifier, with its policy, logins, ledger, vault and sessions, in a world that is made of one
// seed: one thread, a clock that drifts, jumps and stops, a disk that fails and forgets what was not synced, processes
// that die anywhere, the daemon and the module's Go half taking turns, people and an attacker. After each step it
// compares what was answered and stored with an oracle of its own (DESIGN §2). The same seed gives the same run, to the
// last byte of its trace, so that what it finds can be looked at.
package simulate

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/policy"
	"sallyport/internal/session/sessiontest"
)

// World is one simulated host with its people.
type World struct {
	seed   uint64
	rng    *rand.Rand
	random io.Reader // what the verifier draws from
	root   disk.Root
	trace  trace
	events []string // of the step
	// reasons are the events', for who reads why a step failed; they may name temporary files.
	reasons []string
	steps   int
	tally   map[string]int

	clock     clock
	disk      *disktest.FS
	mode      string // of the disk
	processes *sessiontest.Processes
	daemon    *process // nil: away
	keyless   bool     // the keys could not be read
	dieIn     int      // moments until the process at work dies; 0: it does not
	op        operation

	variant
	parsed *policy.Policy
	lim    limits
	users  []*user
	people *directory
	seen   []sight // codes that the attacker has seen
	talks  []*talk
	// windows are the logins that go on.
	windows []*window
	pid     int
	hurry   int // replays that come next

	gone        bool      // the ledger went with the machine's power
	clean       bool      // the last process left a complete copy of the ledger
	murky       bool      // maybe: a process died, or failed, at writing it or at taking it up
	quarantine  time.Time // codes up to here may be refused, but for those of devices that were born since
	distrust    int       // how many ledgers began empty
	rememberSeq int       // no login before this step may be remembered
	rememberAt  time.Time // nor one before this time; one from before, under a clock that was ahead, may
	failure     error
}

// operation is what one step does, as far as it is known by now.
type operation struct {
	acknowledged bool        // its caller got an answer that says that it is done
	durable      bool        // and it is one that has to be on the disk then
	stored       bool        // the account is in the ledger
	ahead        bool        // for the reason, maybe, that it had times of the future in it
	windows      bool        // the windows are
	fault        disktest.Op // of which one may have failed
	died         bool
	steps        int // of the disk, before
}

// Failure is a property that did not hold.
type Failure struct {
	Seed  uint64
	Step  int
	What  string
	Trace string // the last steps
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d, step %d: %s\n%s", f.Seed, f.Step, f.What, f.Trace)
}

// New makes a world in a directory, which is on a file system in memory if it is to be fast.
func New(seed uint64, dir string) *World {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%032d", seed))
	w := &World{
		seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5a11)), random: rand.NewChaCha8(key), root: disk.Root(dir),
		disk: &disktest.FS{}, processes: &sessiontest.Processes{}, pid: 1000, gone: true, tally: map[string]int{},
	}
	w.disk.Now, w.people = w.clock.host, &directory{w: w, changed: w.clock.truth}
	w.disk.Before = func(op disktest.Op) { w.countdown(string(op)) }
	w.clock.truth = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC).Add(w.span(0, 300*day))
	w.clock.saw()
	w.lim = limits{3 + w.rng.IntN(4), 10 * time.Minute, 5 * time.Minute, time.Duration(1+w.rng.IntN(24)) * time.Hour, 8 + w.rng.IntN(20)}
	w.reload()
	for i := range crowd {
		w.users = append(w.users, newUser(i))
	}
	if w.chance(30) {
		if _, err := w.openVault().Seal(nil); err != nil {
			w.fail("sealing the vault: %v", err)
		}
	}
	return w
}

const crowd = 10

// Run takes so many steps. It returns a *Failure where a property does not hold.
func (w *World) Run(steps int) error {
	for range steps {
		w.steps++
		w.step()
		if w.failure != nil {
			return w.failure
		}
	}
	if w.daemon != nil {
		w.kill(w.daemon)
	}
	return nil
}

// Sum is a hash over everything that happened.
func (w *World) Sum() uint64 { return w.trace.sum }

func (w *World) step() {
	w.events, w.reasons = w.events[:0], w.reasons[:0]
	w.op = operation{}
	if w.daemon == nil && w.chance(15) && w.steps > 1 {
		w.start()
		w.op = operation{}
	}
	w.synced()
	w.clock.pass(w.pause())
	w.rememberAt = earlier(w.rememberAt, w.clock.host())
	a := w.action()
	w.tally[a.name]++
	a.do(w)
	if slices.Contains(w.reasons, quarantined) {
		w.tally["quarantined"]++
	}
	if w.failure == nil && len(w.events) > 0 {
		w.trace.add("        %v", w.events)
	}
}

// quarantined is what the journal says of a code that may have been used before the ledger began.
const quarantined = "the ledger began too recently to know whether this code was used"

// pause is the time between two steps: mostly seconds, so that several codes are right at once, and now and then hours.
func (w *World) pause() time.Duration {
	switch {
	case w.hurry > 0:
		return w.span(0, time.Second)
	case w.chance(4):
		return w.span(0, 3*time.Hour)
	case w.chance(30):
		return w.span(0, 40*time.Second)
	default:
		return w.span(0, 5*time.Second)
	}
}

// as lets a process do something, at which it may die.
func (w *World) as(p *process, do func()) (dead bool) {
	if w.chance(4) {
		w.dieIn = 1 + w.rng.IntN(10)
	}
	if w.mode == "" && w.chance(2) {
		w.op.fault = failing[w.rng.IntN(len(failing))]
		w.disk.FailNext(w.op.fault, errDisk)
	}
	defer func() {
		w.dieIn = 0
		w.setDisk(w.mode)
		r := recover()
		if r == nil {
			return
		}
		if _, ok := r.(died); !ok {
			panic(r)
		}
		w.op.died, dead = true, true
		w.murky = w.gone || w.clean // at taking up a ledger or at marking its copy: nobody says which of the two is on the disk
		w.tally["died"]++
		w.kill(p)
		if w.clean && !w.gone {
			w.outdate()
		}
	}()
	do()
	return false
}

// verifier is who judges now: the daemon or, while it is away, a Go half.
func (w *World) verifier() *process {
	if w.daemon != nil {
		return w.daemon
	}
	w.tally["a Go half"]++
	return w.goHalf()
}

// note is a line of the trace.
func (w *World) note(format string, args ...any) {
	w.trace.add("%6d %s %s", w.steps, stamp(w.clock.host()), fmt.Sprintf(format, args...))
}

func (w *World) fail(format string, args ...any) {
	if w.failure == nil {
		w.trace.add("        %v", w.events)
		w.trace.add("        %q", w.reasons)
		w.failure = &Failure{w.seed, w.steps, fmt.Sprintf(format, args...), w.trace.last()}
	}
}

func (w *World) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *World) span(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }
