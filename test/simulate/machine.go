package simulate

import (
	"maps"
	"os"
	"slices"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
	"sallyport/internal/ledger"
	"sallyport/internal/session"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
)

// process is a verifier: the daemon, or the module's Go half for one login.
type process struct {
	w      *World
	v      *verifier.Verifier
	ledger *ledger.Ledger // the daemon's
	dead   bool
	// keyless is that the vault's keys could not be read when it began. It writes nothing, and somebody restarts it.
	keyless bool
}

// died is what a process panics with where the simulation ends it.
type died struct{}

// countdown ends the process that is at work when it comes to nothing. It counts the moments before each step of the disk,
// and those before and after each operation of the ledger.
func (w *World) countdown(string) {
	if w.dieIn > 0 {
		if w.dieIn--; w.dieIn == 0 {
			panic(died{})
		}
	}
}

// Borrow is verifier.Ledgers', for the daemon.
func (p *process) Borrow() (verifier.Ledger, func(), error) {
	if p.dead {
		return nil, nil, ledger.ErrClosed // somebody who waited for a process that ends
	}
	return watched{p.ledger, p.w}, func() {}, nil
}

// goHalf is verifier.Ledgers for the module: the real one, watched.
type goHalf struct {
	verifier.PerStep
	w *World
}

func (g goHalf) Borrow() (verifier.Ledger, func(), error) {
	l, giveBack, err := g.PerStep.Borrow()
	if err != nil {
		return nil, nil, err
	}
	g.w.opened()
	return watched{l, g.w}, giveBack, nil
}

// watched notes what the ledger has stored.
type watched struct {
	verifier.Ledger
	w *World
}

func (l watched) Put(user string, a *ledger.Account) error {
	l.w.countdown("before the account")
	err := l.Ledger.Put(user, a)
	if l.w.op.stored = err == nil; err == nil {
		l.w.corrected(user)
	}
	l.w.countdown("after the account")
	return err
}

// corrected is that a user's account is stored, with times that lay in the future put right.
func (w *World) corrected(name string) {
	for _, u := range w.users {
		if u.name == name {
			w.op.ahead = w.op.ahead || u.tries.ahead(w.clock.host()) || u.vague
			u.tries.correct(w.clock.host())
			u.since.correct(w.clock.host())
		}
	}
}

func (l watched) PutWindows(windows ...ledger.Window) error {
	l.w.countdown("before the windows")
	err := l.Ledger.PutWindows(windows...)
	l.w.op.windows = err == nil
	l.w.countdown("after the windows")
	return err
}

func (w *World) config() verifier.Config {
	return verifier.Config{
		Policy: w.parsed, Records: w.openVault(), Users: w.people, Audit: w, Now: w.clock.host, Booted: w.clock.booted, Rand: w.random,
	}
}

func (w *World) openVault() *vault.Vault {
	keys := vault.LoadKeys(w.disk, w.root, "")
	w.keyless = keys.Problem() != nil
	return vault.Open(disktest.Stamped{FS: w.disk}, w.root, keys)
}

// goHalf is the verifier of one login while the daemon is away, or is taken for away.
func (w *World) goHalf() *process {
	p := &process{w: w}
	c := w.config()
	c.Ledgers = goHalf{verifier.PerStep{Root: w.root, Files: w.disk, Log: w, Now: w.clock.host}, w}
	c.Leaders = session.Passing{Processes: w.processes, Pace: session.Pace{Term: 5 * time.Second}, Now: w.clock.host}
	p.v = verifier.New(c)
	p.keyless = w.keyless
	return p
}

// start is what cmd/sallyportd does.
func (w *World) start() {
	p := &process{w: w}
	dead := w.as(p, func() {
		var err error
		p.ledger, err = ledger.Open(ledger.Options{Root: w.root, FS: w.disk, Now: w.clock.host(), Warn: w.warn})
		if err != nil {
			w.fail("the daemon does not start: %v", err)
			return
		}
		w.opened()
		for _, dir := range []string{w.root.State(), w.root.Users()} {
			_ = disk.RemoveTemps(w.disk, dir)
		}
		c := w.config()
		c.Ledgers, c.Leaders, c.Recent = p, &sessiontest.Leaders{Processes: w.processes}, w.people.recent()
		p.v = verifier.New(c)
		if err := p.v.SetPolicy(w.parsed); err != nil {
			w.fail("the policy at the start: %v", err)
		}
		if err := p.v.Adopt(); err != nil {
			w.fail("adopting sessions: %v", err)
		}
	})
	if !dead && w.keyless {
		w.kill(p)
	} else if !dead {
		w.daemon = p
	}
	w.note("the daemon starts: %t", !dead)
}

// kill is the end of a process, wherever it is.
func (w *World) kill(p *process) {
	p.dead = true
	if p.ledger != nil {
		_ = p.ledger.Close()
	}
	if w.daemon == p {
		w.daemon = nil
	}
}

// opened is that somebody has opened the ledger: a new one, where the machine has lost its own.
func (w *World) opened() {
	if w.gone {
		w.gone = false
		now := w.clock.host()
		if !w.clean || w.murky || w.diskFails() {
			w.beginEmpty(now, !w.clean)
		}
	}
	if w.clean && w.diskFails() {
		w.outdate()
	}
	w.clean, w.murky = false, false
}

// outdate is what the next save would do. Until then a complete copy that could not be marked as out of date, because the disk
// failed or somebody died at it while /run was whole, would pass for complete after a power failure: that much is known, and
// not looked for.
func (w *World) outdate() {
	w.quietly(func() { _ = w.disk.Remove(w.root.SavedClean()) })
}

// beginEmpty is that the ledger need remember nothing from before, and may remember everything. It is sure where no complete
// copy was left: then no login from before is remembered.
func (w *World) beginEmpty(now time.Time, sure bool) {
	if sure {
		w.quarantine = now
	}
	w.quarantine = later(w.quarantine, now)
	if w.clock.latest.After(now) {
		w.quarantine = later(w.quarantine, earlier(w.clock.latest, now.Add(time.Hour))).Add(ledger.SaveEvery)
	}
	w.distrust++
	if sure {
		w.rememberSeq, w.rememberAt = w.steps, now
	}
	unread := w.op.fault == disktest.Read
	for _, u := range w.users {
		for _, t := range u.devices() {
			if t.period > 0 {
				t.forget(unread, t.step(now)+t.offset+w.window)
			}
		}
		u.recall()
		u.vague = u.touched
		u.since = newGuesses()
		maps.Copy(u.lost, u.ever) // a copy may be older than what is known
		u.tries.known = nil
	}
}

// save is the daemon's copy of the ledger; the clean one ends the daemon.
func (w *World) save(clean bool) {
	p := w.daemon
	var err error
	dead := w.as(p, func() {
		now := w.clock.host()
		if err := p.ledger.Prune(now); err != nil {
			w.fail("pruning: %v", err)
		}
		for _, u := range w.users {
			u.tries.tidy(now)
			u.since.tidy(now)
			u.permits = slices.DeleteFunc(u.permits, func(p permit) bool { return now.Sub(p.at) >= permitFor })
		}
		err = p.ledger.Save(clean, now)
	})
	if err != nil && !w.diskFails() && !dead {
		w.fail("saving: %v", err)
	}
	if err == nil && !dead {
		for _, u := range w.users {
			for _, t := range u.devices() {
				t.recent = nil
			}
		}
	}
	if clean {
		w.clean, w.murky = true, dead || err != nil
		w.kill(p)
	}
	w.note("saved, clean %t: %v", clean, err == nil && !dead)
}

// cut is a power failure and the start after it: /run is empty, and the disk has what was synced.
func (w *World) cut(torn bool) {
	if w.daemon != nil {
		w.kill(w.daemon)
	}
	if err := os.RemoveAll(w.root.Runtime()); err != nil {
		w.fail("%v", err)
	}
	if torn {
		w.disk.CrashTorn()
	} else {
		w.disk.Crash()
	}
	w.gone = true
	w.processes, w.windows = &sessiontest.Processes{}, nil
	w.talks = nil
	w.setDisk(w.mode)
	for _, u := range w.users {
		u.permits = nil
		got := w.stored(u)
		switch {
		case u.rec.differs(got) == "":
		case u.kept.differs(got) == "":
			u.rec = u.kept.clone()
		default:
			w.fail("after a power failure %s: %s; %s", u.name, u.rec.differs(got), u.kept.differs(got))
		}
		u.kept, u.loose = u.rec.clone(), false
	}
	w.clock.boot(w)
	w.note("power failure, torn %t", torn)
}

func (w *World) warn(format string, _ ...any) { w.events = append(w.events, format) }

// Record is audit.Log's. Only the kind is kept: a message may name a temporary file, whose name is random.
func (w *World) Record(e audit.Event) {
	w.events = append(w.events, string(e.Kind))
	w.reasons = append(w.reasons, e.Reason)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
