package machine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	login "sallyport/internal/api/iosallyportlogin"
	"sallyport/test/host"
	"sallyport/test/system"
)

// crowd are people on a machine whose clock the test sets. Their phones go by this host's clock, which is the true time.
type crowd struct {
	*testing.T
	g      *system.Guest
	daemon *varlink.Connection
	asked  io.Writer // each line is answered with the machine's time
	times  *bufio.Reader
	people []*person
	stray  *person       // one more, whose phone goes by the machine's clock
	random *rand.Rand    // of a fixed seed: how people type is the same in each run
	call   time.Duration // how long checking a code took last
	resent int           // how many used codes were sent again
}

// person is one of them.
type person struct {
	name   string
	phone  *host.Authenticator
	newest int64    // the step of the last code that was typed
	used   []string // the codes that were accepted
}

func newCrowd(t *testing.T, g *system.Guest, n int, seed uint64) *crowd {
	t.Helper()
	c := &crowd{T: t, g: g, random: rand.New(rand.NewPCG(seed, 20))}
	var keys strings.Builder
	for i := range n + 1 {
		secret := make([]byte, 32)
		for j := range secret {
			secret[j] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[c.random.IntN(32)]
		}
		p := &person{name: fmt.Sprintf("user%d", i), phone: host.NewAuthenticator(t, string(secret))}
		fmt.Fprintf(&keys, "otpauth://totp/%s?secret=%s\n", p.name, secret)
		c.people = append(c.people, p)
	}
	g.Run(fmt.Sprintf("for i in $(seq 0 %d); do useradd user$i; done", n))
	c.people, c.stray = c.people[:n:n], c.people[n]
	g.WriteFile("/root/keys", keys.String(), 0o600)
	// The daemon begins two days ago: codes that may have been used before are refused, whatever the clock says later.
	g.Run("date --set '2 days ago' && sallyportctl import otpauth /root/keys --apply")
	c.connect()
	c.set(0)
	return c
}

// connect opens what is kept open, so that neither telling the time nor checking a code starts a program that takes long.
func (c *crowd) connect() {
	c.Helper()
	var err error
	c.daemon, err = varlink.NewConnection(c.Context(), "unix:"+c.g.Forward("/run/sallyport/io.sallyport"))
	if err != nil {
		c.Fatalf("connecting to the machine's daemon: %v", err)
	}
	c.Cleanup(func() { _ = c.daemon.Close() })
	clock := c.g.Command("while read -r x; do date +%s.%N; done")
	in, err := clock.StdinPipe()
	if err != nil {
		c.Fatalf("%v", err)
	}
	out, err := clock.StdoutPipe()
	if err == nil {
		err = clock.Start()
	}
	if err != nil {
		c.Fatalf("the machine's clock: %v", err)
	}
	c.Cleanup(func() { _ = in.Close(); _ = clock.Wait() }) // its status is the loop's, which ends with its input
	c.asked, c.times = in, bufio.NewReader(out)
}

// wrong is by how much the machine's clock differs from this host's: the best of some readings, good to half of what it
// took there and back.
func (c *crowd) wrong() time.Duration {
	c.Helper()
	offset, best := time.Duration(0), time.Hour
	for range 10 {
		sent := time.Now()
		if _, err := fmt.Fprintln(c.asked); err != nil {
			c.Fatalf("the machine's clock: %v", err)
		}
		line, err := c.times.ReadString('\n')
		took := time.Since(sent)
		if err != nil {
			c.Fatalf("the machine's clock: %v", err)
		}
		seconds, nanos, _ := strings.Cut(strings.TrimSpace(line), ".")
		s, err1 := strconv.ParseInt(seconds, 10, 64)
		n, err2 := strconv.ParseInt(nanos, 10, 64)
		if err1 != nil || err2 != nil {
			c.Fatalf("the machine's clock says %q", line)
		}
		if took < best {
			offset, best = time.Unix(s, n).Sub(sent.Add(took/2)), took
		}
	}
	if best > time.Second {
		c.Fatalf("reading the machine's clock takes %v", best)
	}
	return offset
}

// set sets the machine's clock off by about as much, waits until that was noticed, and returns by how much it is off.
func (c *crowd) set(by time.Duration) time.Duration {
	c.Helper()
	const kind = "SALLYPORT_KIND=clock-jumped"
	before := len(c.g.Journal(kind))
	c.g.Run(fmt.Sprintf("date --set @%.3f", float64(time.Now().Add(by).UnixMilli())/1000))
	host.Eventually(c, "the jump is in the journal", func() bool { return len(c.g.Journal(kind)) > before })
	return c.wrong()
}

// verify has a person's code checked, and reports whether it was accepted.
func (c *crowd) verify(p *person, code, from string) bool {
	c.Helper()
	sent := time.Now()
	verdict, message, err := login.Verify().Call(c.Context(), c.daemon, p.name, code, "sshd", &from, nil)
	c.call = time.Since(sent)
	if err != nil {
		c.Fatalf("checking a code of %s: %v", p.name, err)
	}
	if verdict != "granted" && verdict != "denied" {
		c.Errorf("%s is not just refused: %s, %s", p.name, verdict, message)
	}
	if verdict != "granted" {
		return false
	}
	p.used = append(p.used, code)
	return true
}

// logIn has a person type the code that the phone showed so long before it arrives.
func (c *crowd) logIn(p *person, from string, delay time.Duration) bool {
	c.Helper()
	p.newest = time.Now().Add(c.call/2-delay).Unix() / 30
	return c.verify(p, p.phone.At(p.newest), from)
}

// typing is how long a person takes: 5 to 15 seconds.
func (c *crowd) typing() time.Duration {
	return 5*time.Second + time.Duration(c.random.Int64N(int64(10*time.Second)))
}

// logInAll has everybody log in within half a minute, each at a moment of a step that is the same in each run, and
// returns how many got in, and how long checking a code took at most.
func (c *crowd) logInAll(from string) (in int, slowest time.Duration) {
	c.Helper()
	every := host.Period / time.Duration(len(c.people))
	delays := make([]time.Duration, len(c.people))
	for i := range delays {
		delays[i] = c.typing()
	}
	begin := time.Now().Truncate(every)
	for n := range c.people {
		at := begin.Add(time.Duration(n+1) * every)
		i := int(at.UnixNano()/int64(every)) % len(c.people)
		time.Sleep(time.Until(at)) // when people come, nothing is waited for
		if c.logIn(c.people[i], from, delays[i]) {
			in++
		}
		slowest = max(slowest, c.call)
	}
	return in, slowest
}

// replay sends every accepted code once more; none may be accepted again. It returns how many that were, and how many of
// them were right at that time, and refused because they had been used.
func (c *crowd) replay(from string) (sent, known int) {
	c.Helper()
	const kind = "SALLYPORT_KIND=code-replayed"
	before := len(c.g.Journal(kind))
	for _, p := range append(c.people, c.stray) {
		for _, code := range slices.Clone(p.used) {
			sent++
			if c.verify(p, code, from) {
				c.Errorf("a used code of %s is accepted again", p.name)
			}
		}
	}
	c.resent += sent
	known = len(c.g.Journal(kind)) - before
	c.Logf("%d used codes were sent again, of which %d were right at that time", sent, known)
	return sent, known
}

// clock is what the daemon says of the machine's clock.
func (c *crowd) clock() admin.ClockState {
	c.Helper()
	state, err := admin.Clock().Call(context.WithoutCancel(c.Context()), c.daemon)
	if err != nil {
		c.Fatalf("asking about the clock: %v", err)
	}
	return state
}
