package ledger

import (
	"testing"
	"time"
)

// turn asks as a verifier with those rules would.
func (h *host) turn(what string, l *Ledger, mark string, want uint64) {
	h.Helper()
	turn, err := l.Remembering(mark)
	if err != nil {
		h.Fatal(err)
	}
	if turn != want {
		h.Errorf("%s: turn %d, want %d", what, turn, want)
	}
}

// TestRemembering: rules count from when they came into force, each time anew, whatever happens to the daemon.
func TestRemembering(t *testing.T) {
	h := newHost(t)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	l := h.open(start)
	turn := uint64(1) // whatever the first one is
	if first, err := l.Remembering(""); err != nil || first != turn {
		t.Fatalf("nothing is remembered: turn %d, %v", first, err)
	}
	h.turn("the first rules", l, "one", turn+1)
	h.turn("the same", l, "one", turn+1)
	h.turn("others", l, "two", turn+2)
	h.turn("the first again", l, "one", turn+3)
	h.turn("dropped", l, "", turn+4)
	h.turn("and back", l, "one", turn+5)

	if err := l.Close(); err != nil { // killed
		t.Fatal(err)
	}
	l = h.open(at(8))
	h.turn("after a kill", l, "one", turn+5)
	h.stop(l, at(9))
	l = h.open(at(10))
	h.turn("after an orderly stop and a new boot", l, "one", turn+5)
	h.save(l, false, at(11))
	l.Remembering("")
	l.Remembering("one")
	h.powerFailure(l)
	l = h.open(at(14))
	h.turn("after a power failure that the rules had changed before", l, "one", turn+6)
}

// TestRememberingOfEarlierVersions: what a version remembered that went by the time is forgotten.
func TestRememberingOfEarlierVersions(t *testing.T) {
	l := newHost(t).open(start)
	err := l.enter(func() error {
		h := l.head
		h.Remember = remember{Mark: "one", Since: start}
		return l.putHead(h)
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if turn, err := l.Remembering("one"); err != nil || turn != 1 {
			t.Errorf("turn %d, %v", turn, err)
		}
	}
}

func TestRememberingAfterTheEnd(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	h.turn("at first", l, "one", 2)
	h.save(l, true, start)
	if _, err := l.Remembering("two"); err == nil {
		t.Error("after the clean copy was written, a change is taken")
	}
}
