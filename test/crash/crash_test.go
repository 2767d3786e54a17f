// Package crash cuts the power of machines under QEMU while people set up second factors and use codes: make crash.
//
// Killing the emulator loses what the guest had in memory, its page cache too, but nothing that it had given to the disk,
// flushed or not: a write in the wrong order does not show here.
package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
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

// person is what one user was told before the power was cut.
type person struct {
	*system.Person
	enrolled bool     // the set-up was acknowledged
	used     []string // codes whose use was acknowledged
	unused   []string // recovery codes that nobody has sent
}

// TestPowerCut: after a cut at any moment no code that got somebody in gets anybody in again, no set-up that was
// acknowledged is missing, and nothing has to be mended.
func TestPowerCut(t *testing.T) {
	const each = 3
	g := system.BootMachine(t, system.MachineOptions{})
	g.InstallPackages(g.CopyPackages(system.PackageVersion(t)))
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
			go func() { defer wait.Done(); p.live(t, g, &told) }()
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

// live sets a second factor up and logs in with its codes until the power fails.
func (p *person) live(t *testing.T, g *system.Guest, told *atomic.Bool) {
	out, err := g.Command(p.As("sallyportctl enroll --no-confirm")).Output()
	key := regexp.MustCompile(`Key: +((?:[A-Z2-7]{1,4} ?)+)\n`).FindStringSubmatch(string(out))
	id := regexp.MustCompile(`sallyportctl confirm ([0-9a-f]+)`).FindStringSubmatch(string(out))
	if err != nil || key == nil || id == nil {
		return
	}
	p.App = host.NewAuthenticator(t, key[1])
	first := p.App.Code()
	confirm := g.Command(p.As("sallyportctl confirm " + id[1]))
	confirm.Stdin = strings.NewReader(first + "\n")
	if out, err = confirm.Output(); err != nil {
		return
	}
	p.enrolled = true
	told.Store(true)
	p.unused = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`).FindAllString(string(out), -1)
	code := p.App.Code()
	for range 3 { // no more: a check that is refused counts, and five lock
		if !p.use(g, code) {
			return
		}
		p.used = append(p.used, code)
		code, p.unused = p.unused[0], p.unused[1:]
	}
}

// use reports whether a code got the person in.
func (p *person) use(g *system.Guest, code string) bool {
	verify := g.Command("sallyportctl verify " + p.Name)
	verify.Stdin = strings.NewReader(code + "\n")
	return verify.Run() == nil
}

// check holds what the person was told against what is so after the cut, and returns how much that was.
func (p *person) check(t *testing.T, g *system.Guest) int {
	t.Helper()
	status := g.Run(p.As("sallyportctl status"))
	if !p.enrolled {
		return 0
	}
	if !strings.Contains(status, "phone") {
		t.Errorf("%s has set up a phone, and it is gone:\n%s", p.Name, status)
	}
	for i, code := range p.used {
		if p.use(g, code) {
			t.Errorf("code %d of %s worked before the cut and again after it", i, p.Name)
		}
	}
	if len(p.unused) > 0 && !p.use(g, p.unused[len(p.unused)-1]) {
		t.Errorf("an unused recovery code of %s does not work", p.Name)
	}
	return 1 + len(p.used)
}
