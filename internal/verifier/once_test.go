package verifier

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/disk/disktest"
	"sallyport/internal/enroll"
	"sallyport/internal/login"
	"sallyport/internal/otp"
)

var services = []string{"sshd", "sudo", "login", "cockpit"}

// atOnce runs n logins at the same instant and counts those that were granted.
func atOnce(n int, try func(i int) login.Step) int {
	var granted atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if try(i).Verdict == login.Granted {
				granted.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(granted.Load())
}

func TestOneCodeOneLogin(t *testing.T) {
	for _, kind := range []otp.Kind{otp.TOTP, otp.HOTP} {
		h := newHost(t, "")
		p := h.enroll("alice", enroll.Options{Kind: kind})
		for round := range 50 {
			code := p.later().code(0)
			if kind == otp.HOTP {
				code = p.code(int64(round + 1))
			}
			got := atOnce(64, func(i int) login.Step {
				r := sshLogin("alice")
				r.Service = services[i%len(services)]
				return h.verifyBy(r, code)
			})
			if got != 1 {
				t.Fatalf("%s, round %d: %d of 64 logins with one code were granted", kind, round, got)
			}
		}
	}
}

func TestDistinctUsersAllGetIn(t *testing.T) {
	h := newHost(t, "")
	people := make([]*person, 64)
	for i := range people {
		name := fmt.Sprintf("user%d", i)
		h.users[name] = uint32(2000 + i)
		people[i] = h.enroll(name, enroll.Options{})
	}
	for round := range 20 {
		people[0].later()
		if got := atOnce(64, func(i int) login.Step { return h.verify(people[i].name, people[i].code(0)) }); got != 64 {
			t.Fatalf("round %d: %d of 64", round, got)
		}
	}
}

func TestUsedAcrossRestarts(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	code := p.code(0)
	h.want("the first time", h.verify("alice", code), login.Granted)

	h.ledger.Close() // as kill -9: nothing is saved
	h.open()
	h.want("after kill -9", h.verify("alice", code), login.Denied)

	if err := h.ledger.Save(true, h.clock()); err != nil {
		t.Fatal(err)
	}
	h.ledger.Close()
	h.open()
	h.want("after a clean restart", h.verify("alice", code), login.Denied)
	h.want("another code after it", h.verify("alice", p.code(1)), login.Granted)
}

// powerLoss empties /run and drops what the disk had not been told to keep.
func (h *host) powerLoss() {
	h.t.Helper()
	h.ledger.Close()
	if err := os.Remove(h.root.LedgerFile()); err != nil {
		h.t.Fatal(err)
	}
	h.disk.Crash()
	h.open()
}

func TestUsedAcrossPowerLoss(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	code := p.code(0)
	h.want("the first time", h.verify("alice", code), login.Granted)
	h.powerLoss()
	for steps := int64(-1); steps <= 1; steps++ {
		h.want("after power loss", h.verify("alice", p.code(steps)), login.Denied)
	}
	h.want("a recovery code", h.verify("alice", p.recovery[0]), login.Granted)
	p.later()
	h.want("the next minute", h.verify("alice", p.code(0)), login.Granted)
}

// A battery's clock that is behind the last copy after a power failure comes once more to when a code was used that no copy
// knows.
func TestUsedAcrossPowerLossByAClockThatIsBehind(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	if err := h.ledger.Save(false, h.clock()); err != nil {
		t.Fatal(err)
	}
	used := h.clock().Add(4 * time.Minute)
	h.at(used)
	h.want("the first time", h.verify("alice", p.code(0)), login.Granted)
	h.at(used.Add(-20 * time.Minute))
	h.powerLoss()
	h.at(used)
	h.want("the same code", h.verify("alice", p.code(0)), login.Denied)
	h.want("a recovery code", h.verify("alice", p.recovery[0]), login.Granted)
	h.at(used.Add(3 * time.Minute))
	h.want("when it is past the next copy", h.verify("alice", p.code(0)), login.Granted)
}

func TestPowerOffAfterACleanStop(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	used := p.code(0)
	h.want("the first time", h.verify("alice", used), login.Granted)
	if err := h.ledger.Save(true, h.clock()); err != nil {
		t.Fatal(err)
	}
	h.powerLoss()
	h.want("the used code", h.verify("alice", used), login.Denied)
	h.want("another one, at once", h.verify("alice", p.code(1)), login.Granted)
	// The copy must not be believed a second time: it does not know of that login.
	code := p.code(1)
	h.powerLoss()
	h.want("after a second loss", h.verify("alice", code), login.Denied)
}

func TestUsedWhateverTheClockDoes(t *testing.T) {
	for _, jump := range []time.Duration{-24 * time.Hour, -time.Hour, -30 * time.Second, 30 * time.Second, time.Hour, 24 * time.Hour} {
		h := newHost(t, "")
		p := h.enroll("alice", enroll.Options{}).later()
		before := h.clock()
		code := p.code(0)
		h.want("the first time", h.verify("alice", code), login.Granted)
		h.at(before.Add(jump))
		other := p.code(0)
		if jump == -30*time.Second { // one step before a used one: its time is over
			h.want("a code before the used one", h.verify("alice", other), login.Denied)
		} else {
			h.want("a code after the jump", h.verify("alice", other), login.Granted)
		}
		h.at(before)
		h.want("the first code, the clock back", h.verify("alice", code), login.Denied)
		h.at(before.Add(jump))
		h.want("the second code, the clock forth", h.verify("alice", other), login.Denied)
		h.at(before.Add(2 * time.Minute))
		h.want("nobody is locked out", h.verify("alice", p.code(0)), login.Granted)
	}
}

func TestAcknowledgedIsKept(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{Kind: otp.HOTP})
	h.powerLoss()
	h.want("enrolled before the power loss", h.verify("alice", p.code(1)), login.Granted)
	h.powerLoss()
	h.want("its counter", h.verify("alice", p.code(1)), login.Denied)
	h.want("a recovery code", h.verify("alice", p.recovery[0]), login.Granted)
	h.powerLoss()
	h.want("the same", h.verify("alice", p.recovery[0]), login.Denied)
	for range 5 {
		h.verify("alice", "000000")
	}
	h.want("locked", h.verify("alice", p.code(2)), login.Locked)
	h.powerLoss()
	h.want("the lock", h.verify("alice", p.code(2)), login.Locked)
	if err := h.v.Disable("alice", "root"); err != nil {
		t.Fatal(err)
	}
	h.powerLoss()
	if st, err := h.v.Status("alice"); err != nil || st.Enrolled {
		t.Errorf("disabled: %v, enrolled %v", err, st.Enrolled)
	}
}

// An unlock is acknowledged when no power failure can take it back; where the copy cannot be written, it says so, each time.
func TestUnlockIsKept(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{}).later()
	for _, unlock := range []struct {
		name string
		do   func(user, by string) error
	}{{"Unlock", h.v.Unlock}, {"Disable", h.v.Disable}} {
		for range 5 {
			h.verify("alice", "000000")
		}
		h.want("locked", h.verify("alice", p.code(0)), login.Locked)
		save := func() {
			if err := h.ledger.Save(false, h.clock()); err != nil {
				t.Fatal(err)
			}
		}
		save()
		if err := unlock.do("alice", "root"); err != nil {
			t.Fatal(err)
		}
		h.powerLoss()
		if st, err := h.v.Status("alice"); err != nil || !st.LockedUntil.IsZero() {
			t.Errorf("after %s and a power failure: %v, locked until %s", unlock.name, err, st.LockedUntil)
		}
	}
	h.enroll("bob", enroll.Options{})
	h.verify("bob", "000000")
	if err := h.ledger.Save(false, h.clock()); err != nil {
		t.Fatal(err)
	}
	h.disk.Fail(disktest.Write, syscall.ENOSPC)
	for range 2 {
		if err := h.v.Unlock("bob", "root"); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("on a full disk: %v", err)
		}
	}
	h.disk.Fail(disktest.Write, nil)
	if err := h.v.Unlock("bob", "root"); err != nil {
		t.Error(err)
	}
	h.powerLoss()
	if account, err := h.ledger.Get("bob"); err != nil || len(account.Wrong) > 0 {
		t.Errorf("after a power failure: %v, %d wrong codes", err, len(account.Wrong))
	}
}

// A lock that was written while the clock ran ahead lasts as long as it would have lasted, not until the clock is there.
func TestLockOfAClockThatRanAhead(t *testing.T) {
	h := newHost(t, "")
	p := h.enroll("alice", enroll.Options{})
	h.at(noon.Add(48 * time.Hour))
	for range 5 {
		h.verify("alice", "000000")
	}
	h.at(noon.Add(time.Minute))
	h.want("at once", h.verify("alice", p.code(0)), login.Locked)
	h.at(noon.Add(7 * time.Minute))
	h.want("five minutes later", h.verify("alice", p.code(0)), login.Granted)
}
