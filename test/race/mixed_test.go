package race

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/otp"
	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// mishap is what happens to the daemon while 64 come with one code.
type mishap struct {
	name  string
	every int // of so many rounds one
	round func(d *door, release func(), random *rand.Rand)
}

// mishaps are in the order in which a round that could have several has them.
var mishaps = []mishap{
	{"daemon stopped (SIGSTOP) for longer than the module waits for it", 40, freezes},
	{"daemon away, then started: the module verifies itself at first", 5, comesLate},
	{"daemon killed at random, and started", 3, isKilled},
	{"daemon up", 1, func(_ *door, release func(), _ *rand.Rand) { release() }},
}

func isKilled(d *door, release func(), random *rand.Rand) {
	if random.IntN(2) == 0 {
		writes := watchLedger(d.t)
		defer writes.Close()
		release()
		awaitWrites(d.t, writes, 1+random.IntN(2))
	} else {
		release()
		<-time.After(time.Duration(random.IntN(150)) * time.Millisecond) // about as long as a burst
	}
	d.Kill()
	d.Start()
}

func comesLate(d *door, release func(), random *rand.Rand) {
	d.Kill() // those who hold a connection to it, too, have none
	release()
	<-time.After(time.Duration(random.IntN(400)) * time.Millisecond) // some have verified by then
	d.Start()
}

func freezes(d *door, release func(), _ *rand.Rand) {
	host.Freeze(d.t, d.PID())
	release()
	<-time.After(3 * time.Second) // the module turns to its Go half after two
	if err := unix.Kill(d.PID(), unix.SIGCONT); err != nil {
		d.t.Fatal(err)
	}
}

// One code of any kind, 64 ways at one instant: through PAM, as processes and as threads, and by Verify; whoever is the verifier, and
// whatever becomes of it. Never do two get in, and the code is spent after that.
func TestOneCodeEveryWay(t *testing.T) {
	const people, byVerify = 100, 32
	d := newDoor(t)
	crowd := burst.AddPeople(t, "every", people)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	scores := make([]score, len(mishaps))
	for i := range proof.Rounds(40, 5000) {
		p := crowd[i%people]
		code := anyCode(t, p, random)
		d.beginRound()
		which := mishapOf(i)
		inside := burst.Prepare(t, d.program, burst.ModeOf(i), burst.Everywhere(p.Name, code, services, parallel-byVerify))
		panels := openPanels(t, byVerify, p.Name, code)
		mishaps[which].round(d, func() { close(panels.gate); inside.Release() }, random)
		all := inside.Outcomes()
		n := burst.Granted(all) + panels.wait()
		scores[which].add(n)
		if n > 1 || n == 0 && which == len(mishaps)-1 {
			t.Fatalf("round %d, %s, %s: %d got in with one code, %d of them by Verify:%s\n%s",
				i, mishaps[which].name, burst.ModeOf(i), n, panels.granted, burst.Report(all), d.logs())
		}
		if again := d.logIn(services[0], p, code); again.Granted() || code != p.Recovery && !again.RefusedAs(usedAlready) {
			t.Fatalf("round %d, %s: %d got in, and then: %s\n%s", i, mishaps[which].name, n, again.Result(), d.logs())
		}
	}
	table := newScores()
	for i, m := range mishaps {
		scores[i].row(table, "Sallyport, "+m.name)
	}
	proof.Keep(t, "one code every way", table)
}

// anyCode gives somebody a new authenticator, and a code: of the time, of a counter, or for recovery. The last two are in the
// record, which takes longer to write than the ledger, and so leaves more room for a race.
func anyCode(t *testing.T, p *burst.Person, random *rand.Rand) string {
	t.Helper()
	p.Kind = []otp.Kind{otp.TOTP, otp.HOTP}[random.IntN(2)]
	burst.Enrol(t, p)
	if random.IntN(4) == 0 {
		return p.Recovery
	}
	return p.Code(time.Now())
}

// mishapOf is the index of a round's mishap.
func mishapOf(round int) int {
	for i, m := range mishaps {
		if round%m.every == m.every-1 {
			return i
		}
	}
	return len(mishaps) - 1
}
