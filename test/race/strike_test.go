package race

import (
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"

	"sallyport/test/burst"
)

// strike releases a burst, and kills the daemon some time before or after that.
type strike func(*door, *burst.Burst)

// strikes draws them, from a fixed seed. What the logins are at then is up to the machine.
type strikes struct {
	random *rand.Rand
	writes int // to the ledger, that a burst makes
}

func newStrikes(writes int) *strikes {
	return &strikes{rand.New(rand.NewPCG(20270301, 0)), writes}
}

func (s *strikes) next() strike {
	switch s.random.IntN(4) {
	case 0:
		return strikeBefore
	case 1:
		return strikeAfter(time.Duration(s.random.IntN(100)) * time.Millisecond) // about as long as a burst
	default:
		return strikeAtWrite(1 + s.random.IntN(s.writes))
	}
}

func strikeBefore(d *door, b *burst.Burst) {
	d.Kill()
	b.Release()
}

func strikeAfter(pause time.Duration) strike {
	return func(d *door, b *burst.Burst) {
		b.Release()
		<-time.After(pause)
		d.Kill()
	}
}

// strikeAtWrite kills the daemon when it writes to the ledger: amid using a code up, or before it has said so.
func strikeAtWrite(n int) strike {
	return func(d *door, b *burst.Burst) {
		writes := watchLedger(d.t)
		defer writes.Close()
		b.Release()
		awaitWrites(d.t, writes, n)
		d.Kill()
	}
}

// watchLedger opens an inotify(7) descriptor that tells of writes to the ledger.
func watchLedger(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.InotifyAddWatch(fd, disk.Root("").LedgerFile(), unix.IN_MODIFY); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "inotify")
}

// awaitWrites returns after n writes, or when there have been none for longer than a burst pauses.
func awaitWrites(t *testing.T, writes *os.File, n int) {
	t.Helper()
	var event [unix.SizeofInotifyEvent]byte // one: files that are watched themselves have no name in it
	for range n {
		err := writes.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if err == nil {
			_, err = writes.Read(event[:])
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
