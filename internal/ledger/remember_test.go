package ledger

import (
	"testing"
	"time"
)

// remembering asks as a verifier with those rules would.
func (h *host) remembering(l *Ledger, mark string, now time.Time) time.Time {
	h.Helper()
	since, err := l.RememberingSince(mark, now)
	if err != nil {
		h.Fatal(err)
	}
	return since
}

func (h *host) wantSince(what string, got, want time.Time) {
	h.Helper()
	if !got.Equal(want) {
		h.Errorf("%s: since %s, want %s", what, got, want)
	}
}

// TestRememberingSince: rules count from when they came into force, each time anew, whatever happens to the daemon.
func TestRememberingSince(t *testing.T) {
	h := newHost(t)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	l := h.open(start)
	h.wantSince("nothing is remembered", h.remembering(l, "", at(0)), time.Time{})
	h.wantSince("the first rules", h.remembering(l, "one", at(1)), at(1))
	h.wantSince("the same", h.remembering(l, "one", at(2)), at(1))
	h.wantSince("others", h.remembering(l, "two", at(3)), at(3))
	h.wantSince("the first again", h.remembering(l, "one", at(4)), at(4))
	h.wantSince("dropped", h.remembering(l, "", at(5)), time.Time{})
	h.wantSince("and back", h.remembering(l, "one", at(6)), at(6))
	h.wantSince("the clock is set back", h.remembering(l, "one", at(3)), at(3))
	h.wantSince("and goes on", h.remembering(l, "one", at(7)), at(3))

	if err := l.Close(); err != nil { // killed
		t.Fatal(err)
	}
	l = h.open(at(8))
	h.wantSince("after a kill", h.remembering(l, "one", at(8)), at(3))
	h.stop(l, at(9))
	l = h.open(at(10))
	h.wantSince("after an orderly stop and a new boot", h.remembering(l, "one", at(10)), at(3))
	h.save(l, false, at(11))
	h.remembering(l, "", at(12))
	h.remembering(l, "one", at(13))
	h.powerFailure(l)
	l = h.open(at(14))
	h.wantSince("after a power failure that the rules had changed before", h.remembering(l, "one", at(15)), at(14))
}

func TestRememberingAfterTheEnd(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	h.remembering(l, "one", start)
	h.save(l, true, start)
	if _, err := l.RememberingSince("two", start); err == nil {
		t.Error("after the clean copy was written, a change is taken")
	}
}
