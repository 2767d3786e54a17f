package simulate

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/verifier"
)

// directory is the host's user database: a local file, and a service that says nothing of its changes.
type directory struct {
	w       *World
	version uint64    // of the file
	changed time.Time // the file, last
}

// recent is what the daemon keeps of the answers. The monotonic clock is the true time.
func (d *directory) recent() *verifier.Recent {
	now := func() time.Time { return d.w.clock.truth }
	return verifier.RecentOf(d, verifier.Kernel{Now: now, Stat: d.stat}, "passwd")
}

func (d *directory) stat(_ string, st *unix.Stat_t) error {
	st.Ino, st.Ctim = d.version, unix.NsecToTimespec(d.changed.UnixNano())
	return nil
}

// Lookup is verifier.Directory's.
func (d *directory) Lookup(name string) (uint32, error) {
	for _, u := range d.w.users {
		if u.name == name && u.exists {
			return u.uid, nil
		}
	}
	return 0, fmt.Errorf("%q: %w", name, verifier.ErrUnknownUser)
}

// Name is verifier.Directory's.
func (d *directory) Name(uid uint32) (string, error) {
	for _, u := range d.w.users {
		if u.uid == uid && u.exists {
			return u.name, nil
		}
	}
	return "", fmt.Errorf("uid %d: %w", uid, verifier.ErrUnknownUser)
}

// Groups is verifier.Directory's.
func (d *directory) Groups(name string) ([]string, error) { return []string{name}, nil }

// changeUser takes an account off the host, or puts it back, with another uid: whoever gets an old name is somebody else. It
// takes effect as soon as verifier.Recent promises: at once in a file, after two seconds elsewhere.
func (w *World) changeUser() {
	u := w.anybody()
	switch {
	case !u.exists:
		u.exists = true
		if w.chance(50) {
			u.become(u.uid + 100)
		}
	case w.chance(50):
		u.exists = false
	default:
		return
	}
	late := 2 * time.Second
	if w.chance(50) {
		w.people.version++
		w.people.changed = w.clock.truth
		late = 20 * time.Millisecond
	}
	w.clock.pass(late)
	w.note("%s is there %t, with uid %d", u.name, u.exists, u.uid)
}
