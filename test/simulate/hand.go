package simulate

import "maps"

// backup is a record that an administrator has a copy of, outside the vault.
type backup struct {
	data []byte
	rec  record
}

// byHand is an administrator who copies a record, takes it away, or puts it back, past all programs of ours. Who verifies
// has to notice at once.
func (w *World) byHand() {
	u := w.anybody()
	switch {
	case u.backup != nil:
		w.putBack(u)
	case u.rec.there():
		w.quietly(func() {
			data, err := w.disk.ReadFile(w.path(u), 1<<20)
			if err != nil {
				w.fail("copying the record of %s: %v", u.name, err)
			}
			u.backup = &backup{data, u.rec.clone()}
			if w.chance(50) {
				if err := w.disk.Remove(w.path(u)); err != nil {
					w.fail("taking away the record of %s: %v", u.name, err)
				}
				u.rec = record{uid: u.uid}
				u.kept, u.loose = u.rec.clone(), false
			}
		})
		w.note("the record of %s is copied; left: %t", u.name, u.rec.there())
	}
}

// putBack is that what was forgotten meanwhile counts again: the copy's HOTP counters and recovery codes. Of a device that was
// removed the ledger may know nothing any more.
func (w *World) putBack(u *user) {
	w.disk.Put(w.path(u), u.backup.data)
	u.rec, u.backup = u.backup.rec, nil
	u.kept, u.loose = u.rec.clone(), false
	for _, t := range u.rec.tokens {
		switch {
		case t.period == 0:
			maps.DeleteFunc(t.used, func(counter int64, _ bool) bool { return counter >= t.counter })
		case t.dropped:
			for _, step := range t.order {
				delete(t.used, step)
				t.maybe(step)
			}
			t.born, t.dropped = -1, false
		}
	}
	w.note("the record of %s is put back", u.name)
}

// emptied is that the account knows of no code any more, neither of a device that is in the copy of the record only.
func (b *backup) emptied() {
	if b != nil {
		drop(b.rec, record{})
	}
}

// drop notes which devices are in a record no more, by our own doing.
func drop(before, after record) {
	for _, t := range before.tokens {
		if after.find(t.device) == nil {
			t.dropped = true
		}
	}
}
