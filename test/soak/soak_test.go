// Package soak runs the verifier for half a simulated year, on a real ledger and vault, and looks whether anything grows.
package soak

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/disk"
	"sallyport/internal/enroll"
	"sallyport/internal/ledger"
	"sallyport/internal/login"
	"sallyport/internal/otp"
	"sallyport/internal/policy"
	"sallyport/internal/session/sessiontest"
	"sallyport/internal/vault"
	"sallyport/internal/verifier"
	"sallyport/test/proof"
)

const (
	day    = 24 * time.Hour
	month  = 30 * day
	months = 6
	full   = 2 // the month from which on nothing may grow: what is kept of each user for a month is all there
)

// office is a host whose people log in each day, and at which somebody guesses.
type office struct {
	t      *testing.T
	now    time.Time
	root   disk.Root
	ledger *ledger.Ledger
	v      *verifier.Verifier
	keys   []otp.Key
	lines  int // of the log
	bytes  int
}

func newOffice(t *testing.T, people int) *office {
	t.Helper()
	o := &office{t: t, now: time.Date(2027, 1, 1, 8, 0, 0, 0, time.UTC), root: disk.Root(inMemory(t))}
	p, err := policy.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	files := new(disk.OS)
	if o.ledger, err = ledger.Open(ledger.Options{Root: o.root, FS: files, Now: o.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.ledger.Close() })
	o.v = verifier.New(verifier.Config{
		Policy: p, Records: vault.Open(files, o.root, vault.LoadKeys(files, o.root, "")), Ledgers: verifier.Held{Ledger: o.ledger},
		Leaders: &sessiontest.Leaders{Processes: &sessiontest.Processes{}}, Users: o, Audit: o, Now: func() time.Time { return o.now }, Rand: rand.Reader,
	})
	for i := range people {
		o.enrol(name(i))
	}
	return o
}

func (o *office) enrol(user string) {
	o.t.Helper()
	s, err := o.v.Enroll(user, enroll.Options{}, verifier.Proof{})
	if err != nil {
		o.t.Fatal(err)
	}
	o.keys = append(o.keys, s.URI.Key)
	if _, err := o.v.Confirm(user, s.ID, o.code(len(o.keys)-1), ""); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) code(i int) string {
	code, err := o.keys[i].Code(o.keys[i].Step(o.now))
	if err != nil {
		o.t.Fatal(err)
	}
	return code
}

// verify is a login with one answer.
func (o *office) verify(user, source, answer string) login.Verdict {
	r, err := o.v.Admit(verifier.Caller{}, login.Request{User: user, Service: "sshd", RHost: source, PID: 4711})
	if err != nil {
		o.t.Fatal(err)
	}
	return o.v.Verify(r, answer).Verdict
}

// day is everybody's login from one of three places, some after a wrong code; guesses from ever new addresses, of a user and
// of names that nobody has; and what the daemon does now and then.
func (o *office) day(number int) {
	o.t.Helper()
	for i := range o.keys {
		o.now = o.now.Add(8 * time.Hour / time.Duration(len(o.keys)))
		user, source := name(i), fmt.Sprintf("10.%d.%d.%d", number%3, i/250, i%250)
		if (i+number)%10 == 0 {
			o.verify(user, source, "000000")
			o.verify(user, fmt.Sprintf("2001:db8::%x:%x", number, i), "000000")
			o.verify(fmt.Sprintf("nobody%d-%d", number, i), fmt.Sprintf("2001:db8::%x:%x", number, i), "000000")
		}
		if got := o.verify(user, source, o.code(i)); got != login.Granted {
			o.t.Fatalf("day %d: %s, with a right code: %v", number, user, got)
		}
	}
	if err := o.ledger.Prune(o.now); err != nil {
		o.t.Fatal(err)
	}
	if err := o.ledger.Save(false, o.now); err != nil {
		o.t.Fatal(err)
	}
	o.now = o.now.Add(16 * time.Hour)
}

// size is what may not grow, in the order of columns.
type size struct {
	ledger, saved, heap, lines, bytes int64
	goroutines, descriptors           int64
}

var columns = []string{"ledger, bytes", "its copy, bytes", "heap, bytes", "lines of the log in the month", "bytes of these", "goroutines", "descriptors"}

func (s size) cells() []int64 {
	return []int64{s.ledger, s.saved, s.heap, s.lines, s.bytes, s.goroutines, s.descriptors}
}

// measure is taken at the end of a month, of which the log's lines are.
func (o *office) measure() size {
	o.t.Helper()
	runtime.GC()
	runtime.GC() // what has a finalizer takes two
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		o.t.Fatal(err)
	}
	s := size{
		ledger: o.length(o.root.LedgerFile()), saved: o.length(o.root.Saved()), heap: int64(m.HeapAlloc), lines: int64(o.lines), bytes: int64(o.bytes),
		goroutines: int64(runtime.NumGoroutine()), descriptors: int64(len(open)),
	}
	o.lines, o.bytes = 0, 0
	return s
}

func (o *office) length(path string) int64 {
	o.t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		o.t.Fatal(err)
	}
	return info.Size()
}

// Half a year of logins leaves as much behind as two months: with 2,000 people by make soak, with 60 in make test.
func TestHalfAYear(t *testing.T) {
	o := newOffice(t, proof.Rounds(60, 2000))
	o.now = o.now.Add(day)
	table := proof.NewTable(append([]string{"at the end of month"}, columns...)...)
	var before []int64
	for n := 1; n <= months; n++ {
		for d := range int(month / day) {
			o.day((n-1)*int(month/day) + d)
		}
		got := o.measure().cells()
		row := []any{n}
		for i, c := range got {
			row = append(row, c)
			if n > full && float64(c) > 1.1*float64(before[i])+float64(slack[i]) {
				t.Errorf("%s: %d at the end of month %d, and %d at the end of month %d", columns[i], c, n, before[i], full)
			}
		}
		table.Row(row...)
		if n == full {
			before = got
		}
	}
	proof.Keep(t, "soak", table)
}

// slack is for what is small: of the heap, a MiB; of descriptors, those of a directory that is being read.
var slack = []int64{0, 0, 1 << 20, 0, 0, 2, 2}

func name(i int) string { return fmt.Sprintf("u%d", i) }

// Record is audit.Log's.
func (o *office) Record(e audit.Event) {
	o.lines++
	o.bytes += len(e.Message())
}

// Lookup is verifier.Directory's.
func (o *office) Lookup(user string) (uint32, error) {
	var i uint32
	if _, err := fmt.Sscanf(user, "u%d", &i); err != nil {
		return 0, fmt.Errorf("%q: %w", user, verifier.ErrUnknownUser)
	}
	return 1000 + i, nil
}

// Name is verifier.Directory's.
func (o *office) Name(uid uint32) (string, error) { return name(int(uid - 1000)), nil }

// Groups is verifier.Directory's.
func (o *office) Groups(user string) ([]string, error) { return []string{user}, nil }

// inMemory is a directory on a file system in memory, where there is one: 360,000 logins are synced.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sallyport-soak")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
