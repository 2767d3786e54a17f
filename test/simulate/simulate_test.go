package simulate

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", 0, "run this seed only")
	total = flag.Int("steps", 0, "run new seeds until so many steps are done; with -seed, so many of it")
	world = flag.Int("world", 20_000, "steps of one seed, with -steps")
)

// short is how many steps of a seed a test takes. The first world of every seed is young: few have enrolled.
const short = 2500

// In make test some new seeds take so many steps each, which are half a minute with the race detector. make simulate runs more
// of them, and longer.
const (
	freshSeeds = 4
	freshSteps = 10_000
)

// inMemory is a directory on a file system in memory, where there is one.
func inMemory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sallyport-simulate")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func run(t *testing.T, seed uint64, steps int) *World {
	t.Helper()
	dir := inMemory(t)
	w := New(seed, dir)
	if err := w.Run(steps); err != nil {
		t.Fatalf("%v\nto see it again: make simulate SEED=%d STEPS=%d", err, seed, w.steps)
	}
	_ = os.RemoveAll(dir)
	return w
}

// TestSimulate runs some seeds that are always the same, those that ever failed, and new ones.
func TestSimulate(t *testing.T) {
	debug.SetGCPercent(400)
	switch {
	case *seed > 0:
		w := run(t, *seed, max(*total, short))
		t.Logf("seed %d: %v", *seed, w.tally)
		return
	case *total > 0:
		long(t)
		return
	}
	for seed := range uint64(4) {
		run(t, seed+1, short)
	}
	for _, k := range kept(t) {
		run(t, k[0], int(k[1]))
	}
	for range freshSeeds {
		run(t, rand.Uint64N(1<<40), freshSteps)
	}
}

// long says now and then how far it is.
func long(t *testing.T) {
	begin, said := time.Now(), time.Now()
	first := rand.Uint64N(1 << 40)
	fmt.Printf("the first seed is %d\n", first)
	tally := map[string]int{}
	done := 0
	for i := uint64(0); done < *total; i++ {
		for name, n := range run(t, first+i, *world).tally {
			tally[name] += n
		}
		done += *world
		if time.Since(said) > 10*time.Second || done >= *total {
			said = time.Now()
			fmt.Printf("%d steps of seeds %d to %d in %v: %.0f a second\n", done, first, first+i,
				time.Since(begin).Round(time.Second), float64(done)/time.Since(begin).Seconds())
		}
	}
	fmt.Println(tally)
}

// kept is the seeds that ever failed, each with how many steps it takes to get there.
func kept(t *testing.T) (all [][2]uint64) {
	t.Helper()
	f, err := os.Open("testdata/failed")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		var k [2]uint64
		if _, err := fmt.Sscan(lines.Text(), &k[0], &k[1]); err != nil {
			t.Fatalf("testdata/failed: %q: %v", lines.Text(), err)
		}
		all = append(all, k)
	}
	return all
}

// The same seed gives the same run, and another one does not.
func TestDeterministic(t *testing.T) {
	const steps = 1500
	one, again, other := run(t, 7, steps), run(t, 7, steps), run(t, 8, steps)
	if one.Sum() != again.Sum() {
		t.Errorf("the traces of one seed: %x and %x", one.Sum(), again.Sum())
	}
	if one.Sum() == other.Sum() {
		t.Error("the traces of two seeds are the same")
	}
}

// All that the simulation is made of happens often enough to mean something.
func TestEverythingHappens(t *testing.T) {
	w := run(t, 15, 6000)
	for _, what := range []string{"accepted", "wrong", "remembered", "died", "a Go half", "locked", "quarantined", "displaced",
		"used before", "resumed", "set up in a login", "taken over"} {
		if w.tally[what] == 0 {
			t.Errorf("never: %s, in %v", what, w.tally)
		}
	}
	for _, a := range actions {
		if w.tally[a.name] == 0 {
			t.Errorf("never: %s", a.name)
		}
	}
}
