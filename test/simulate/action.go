package simulate

import (
	"errors"

	"sallyport/internal/disk/disktest"
)

// action is one kind of step.
type action struct {
	name   string
	weight int
	do     func(*World)
}

// actions are what may happen, each with how often it does.
var actions = []action{
	{"login", 300, (*World).login},
	{"dialogue", 80, (*World).beginTalk},
	{"answer", 120, (*World).answer},
	{"key login", 15, (*World).keyLogin},
	{"meddling", 5, (*World).meddle},
	{"attack", 250, (*World).attack},
	{"near attack", 40, (*World).attackNear},
	{"replay", 120, (*World).replay},
	{"enrol", 100, (*World).enroll},
	{"remove", 10, (*World).remove},
	{"disable", 8, (*World).disable},
	{"unlock", 12, (*World).unlock},
	{"forget", 4, (*World).forget},
	{"recovery codes", 8, (*World).newRecovery},
	{"resync", 8, (*World).resync},
	{"session", 60, (*World).openSession},
	{"session ends", 40, (*World).endSession},
	{"save", 12, (*World).saveNow},
	{"daemon", 25, (*World).daemonComesAndGoes},
	{"power", 5, (*World).powerFails},
	{"disk", 8, (*World).diskChanges},
	{"clock", 10, (*World).misbehave},
	{"travel", 6, (*World).travel},
	{"policy", 5, (*World).reload},
	{"user", 6, (*World).changeUser},
	{"by hand", 10, (*World).byHand},
}

var errDisk = errors.New("simulated failure of the disk")

// failing are the steps of which one may fail by itself.
var failing = []disktest.Op{
	disktest.Read, disktest.Create, disktest.Write, disktest.SyncFile, disktest.Rename, disktest.Remove, disktest.SyncDir,
}

// action draws one. Right after a power failure it is what an attacker would do then.
func (w *World) action() action {
	if w.hurry > 0 {
		w.hurry--
		return action{"replay", 0, (*World).replay}
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	n := w.rng.IntN(total)
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			return a
		}
	}
	panic("the weights do not add up")
}

func (w *World) saveNow() {
	if w.daemon != nil {
		w.save(false)
	}
}

// daemonComesAndGoes starts a daemon that is away. One that is there stops in order, or is killed.
func (w *World) daemonComesAndGoes() {
	switch {
	case w.daemon == nil:
		w.start()
	case w.chance(50):
		w.save(true)
	default:
		w.kill(w.daemon)
		w.note("the daemon is killed")
	}
}

// powerFails stops the machine: in order, by the switch, or so that names have reached the disk and content has not.
func (w *World) powerFails() {
	if w.daemon != nil && w.chance(40) {
		w.save(true)
		w.op = operation{}
	}
	w.cut(w.chance(30))
	w.hurry = w.rng.IntN(6)
}

func (w *World) diskChanges() {
	mode := ""
	if w.mode == "" {
		mode = []string{"full", "read-only"}[w.rng.IntN(2)]
	}
	w.setDisk(mode)
	w.note("the disk is %q", mode)
}
