package ledger

import (
	"testing"
	"time"

	"sallyport/internal/clock"
)

// TestClockHistory shows that the history is bounded, survives the daemon, and makes no other program's file of it.
func TestClockHistory(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	if points, err := l.ClockHistory(); err != nil || points != nil {
		t.Fatalf("in a new ledger: %v, %v", points, err)
	}
	for i := range maxPoints + 10 {
		p := clock.Point{At: start.Add(time.Duration(i) * 5 * time.Minute), Source: clock.Chrony, Offset: time.Duration(i)}
		if err := l.AddClockPoint(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = h.open(start)
	points, err := l.ClockHistory()
	if err != nil || len(points) != maxPoints || points[0].Offset != 10 || points[maxPoints-1].Offset != maxPoints+9 {
		t.Fatalf("%d points, %v", len(points), err)
	}
}

// TestSamplesAreOfThisBoot shows that samples survive the daemon, and not the machine: they say how the clock was set
// since it started.
func TestSamplesAreOfThisBoot(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	a := &Account{Phone: &clock.Sample{At: start, Step: 1, Period: 30 * time.Second}}
	a.Use("phone", 1)
	for _, user := range []string{"alice", Stranger("mallory")} {
		if err := l.Put(user, a); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want int) {
		t.Helper()
		if got, err := l.Samples(); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	check("at once", 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = h.open(start)
	check("the daemon has started again", 1)
	if err := l.Prune(start.Add(day)); err != nil {
		t.Fatal(err)
	}
	check("a day later", 0)
	if err := l.Put("alice", a); err != nil {
		t.Fatal(err)
	}
	h.stop(l, start)
	l = h.open(start)
	check("the machine has started again", 0)
}
