// Package crash cuts the power of machines under QEMU while people set up second factors and use codes: make crash.
//
// Killing the emulator (TestPowerCut) loses what the guest had in memory, its page cache too, but nothing that it had given
// to the disk, flushed or not: a write in the wrong order does not show there. It shows in TestEveryFlush, which puts
// together what a disk would have that keeps only what was flushed.
package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/test/host"
	"sallyport/test/system"
)

func TestMain(m *testing.M) { system.Main(m, system.Machine) }

// cuts is how many times the power is cut, from SALLYPORT_CUTS.
func cuts(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("SALLYPORT_CUTS"))
	if err != nil || n < 1 {
		t.Fatalf("SALLYPORT_CUTS is %q; it is how many times the power is cut: run make crash", os.Getenv("SALLYPORT_CUTS"))
	}
	return n
}

// TestPowerCut: after a cut at any moment no code that got somebody in gets anybody in again, no set-up that was
// acknowledged is missing, and nothing has to be mended.
func TestPowerCut(t *testing.T) {
	const each = 3
	g := system.BootMachine(t, system.MachineOptions{})
	g.InstallPackages(g.CopyPackages())
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := 0
	for cut := range cuts(t) {
		var people []*person
		for i := range each {
			people = append(people, &person{Person: g.AddUser(fmt.Sprintf("user%d-%d", cut, i))})
		}
		g.Run("sync") // the users are not what this is about
		var wait sync.WaitGroup
		var told atomic.Bool // something was acknowledged
		for _, p := range people {
			wait.Add(1)
			go func() { defer wait.Done(); p.live(t, g, func() { told.Store(true) }) }()
		}
		if cut%2 == 0 { // every other cut may come before anything was done
			host.Eventually(t, "something is acknowledged", told.Load)
		}
		time.Sleep(time.Duration(random.Int64N(int64(12 * time.Second)))) // the moment of the cut, nothing is waited for
		g.Cut()
		wait.Wait()
		t.Logf("cut %d", cut)
		g.Start()
		for _, p := range people {
			acknowledged += p.check(t, g)
		}
		if unread := g.Journal("SALLYPORT_KIND=record-unreadable"); len(unread) > 0 {
			t.Errorf("cut %d: a record has to be mended: %s", cut, unread[0]["MESSAGE"])
		}
		g.Run("systemctl is-active sallyportd && sallyportctl users")
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged before any cut: nothing was tested")
	}
	t.Logf("%d things had been acknowledged", acknowledged)
}
