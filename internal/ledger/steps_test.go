package ledger

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

const token = "00112233445566ff"

func TestUsable(t *testing.T) {
	a := &Account{}
	for _, step := range []int64{100, 101, 105} {
		if err := a.Usable(token, step, 2); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		a.Use(token, step)
	}
	for step, replayed := range map[int64]bool{
		99: false, 100: true, 101: true, 102: false, // older than the window reaches, and never used
		103: true, 104: true, // somebody may have seen them
		105: true, 106: false, 1000: false,
	} {
		if err := a.Usable(token, step, 2); errors.Is(err, ErrReplayed) != replayed {
			t.Errorf("step %d: %v", step, err)
		}
	}
	if err := a.Usable("another token", 105, 2); err != nil {
		t.Errorf("another token's step: %v", err)
	}
}

// TestNoStepTwice accepts whatever is usable while the clock jumps to and fro, at each time the codes of a window of
// any size, and any code that was ever accepted once more: no step is accepted twice.
func TestNoStepTwice(t *testing.T) {
	for seed := range uint64(120) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		window := rnd.Int64N(11)
		a := &Account{}
		used := map[int64]bool{}
		var order []int64
		try := func(step int64) {
			if a.Usable(token, step, 2*window) != nil {
				return
			}
			if used[step] {
				t.Fatalf("seed %d: step %d is accepted twice; %d others in between", seed, step, len(order)-1-slices.Index(order, step))
			}
			a.Use(token, step)
			used[step], order = true, append(order, step)
		}
		now := int64(58_000_000)
		for range 1500 {
			switch rnd.IntN(30) {
			case 0:
				now += rnd.Int64N(1_000_000) - 500_000
			case 1:
				now += rnd.Int64N(100) - 50
			case 2:
				if len(order) > 0 { // to where it was before
					now = order[rnd.IntN(len(order))]
				}
			default:
				now += rnd.Int64N(3)
			}
			now = max(now, window)
			try(now + rnd.Int64N(2*window+1) - window)
			if len(order) > 0 {
				try(order[rnd.IntN(len(order))])
			}
			if err := a.validate(); err != nil {
				t.Fatalf("seed %d: %v: %v", seed, err, a.Tokens[token])
			}
		}
		if len(order) < 100 {
			t.Errorf("seed %d: only %d codes were accepted", seed, len(order))
		}
	}
}

// TestJumpLocksNobodyOut has the clock run ahead for a while, with any number of logins, and corrects it: codes are
// accepted as before.
func TestJumpLocksNobodyOut(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		a := &Account{}
		now := int64(58_000_000)
		login := func(when string, i int) {
			if err := a.Usable(token, now, 2); err != nil {
				t.Fatalf("seed %d: login %d %s the jump: %v", seed, i, when, err)
			}
			a.Use(token, now)
		}
		logins := func(when string) {
			for i := range rnd.IntN(80) {
				now += 3 + rnd.Int64N(1000)
				login(when, i)
			}
		}
		logins("before")
		for _, far := range rnd.Perm(4)[:1+rnd.IntN(4)] { // never twice to the same time
			there := now
			now += int64(1+far)*500_000 + rnd.Int64N(100_000)
			logins("during")
			now = there
			logins("after")
		}
		logins("after")
		now += 3
		login("after", 0)
	}
}

// TestJumpOfARareUser: the gap that the clock is in stays open, even where it is the smallest.
func TestJumpOfARareUser(t *testing.T) {
	a := &Account{}
	now := int64(58_000_000)
	login := func(at int64) {
		t.Helper()
		if err := a.Usable(token, at, 2); err != nil {
			t.Fatalf("%d steps after the jump: %v", at-now, err)
		}
		a.Use(token, at)
	}
	for range 40 {
		now += 3000
		login(now)
	}
	login(now + 1000)
	for i := range int64(30) {
		login(now + 3 + 20*i)
	}
}

func TestRanges(t *testing.T) {
	u := &TokenUse{Steps: []int64{1000}}
	for _, step := range []int64{5, 7, 6, 9, 3, 6} {
		u.archive(step)
	}
	if want := []Range{{3, 3}, {5, 7}, {9, 9}}; !slices.Equal(u.Past, want) {
		t.Errorf("%v instead of %v", u.Past, want)
	}
	u.Past = nil
	for i := range int64(maxRanges) {
		u.archive(100*i + i*i) // gaps grow
	}
	if len(u.Past) != maxRanges {
		t.Fatalf("%d ranges", len(u.Past))
	}
	u.archive(5000)
	if want := (Range{0, 101}); len(u.Past) != maxRanges || u.Past[0] != want {
		t.Errorf("the closest two were not joined: %v", u.Past)
	}
}
