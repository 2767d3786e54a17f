package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

// host is a machine whose /run is emptied by a power failure.
type host struct {
	*testing.T
	root     disk.Root
	disk     *disktest.FS
	warnings []string
}

func newHost(t *testing.T) *host { return &host{T: t, root: newRoot(t), disk: &disktest.FS{}} }

func (h *host) open(now time.Time) *Ledger {
	h.Helper()
	h.warnings = nil
	l, err := Open(Options{Root: h.root, FS: h.disk, Now: now, Warn: func(format string, args ...any) {
		h.warnings = append(h.warnings, fmt.Sprintf(format, args...))
	}})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = l.Close() })
	return l
}

// powerFailure leaves what was synced to the disk, and nothing in /run.
func (h *host) powerFailure(l *Ledger) {
	h.Helper()
	_ = l.Close()
	h.disk.Crash()
	if err := os.RemoveAll(h.root.Runtime()); err != nil {
		h.Fatal(err)
	}
}

func (h *host) save(l *Ledger, clean bool, now time.Time) {
	h.Helper()
	if err := l.Save(clean, now); err != nil {
		h.Fatal(err)
	}
}

// stop is an orderly stop; then the machine stops too.
func (h *host) stop(l *Ledger, now time.Time) {
	h.Helper()
	h.save(l, true, now)
	h.powerFailure(l)
}

func (h *host) files() []string {
	var names []string
	for _, f := range h.disk.Files() {
		names = append(names, strings.TrimPrefix(f, h.root.State()+"/"))
	}
	return names
}

func (h *host) wantQuarantine(l *Ledger, want time.Time) {
	h.Helper()
	if got := l.Quarantine(); !got.Equal(want) {
		h.Errorf("the quarantine is %s instead of %s", got, want)
	}
}

func (h *host) wantWarnings(n int) {
	h.Helper()
	if len(h.warnings) != n {
		h.Errorf("%d warnings instead of %d: %q", len(h.warnings), n, h.warnings)
	}
}

// full is an account with something in every table, of a token that was confirmed under this ledger.
func full() *Account {
	a := used(100, 101)
	a.Tokens[token].Fresh = true
	a.Accept("sshd", "home", start)
	fail(a, "guesser", 6, start, limits)
	return a
}

func TestFirstStart(t *testing.T) {
	h := newHost(t)
	h.wantQuarantine(h.open(start), start)
	h.wantWarnings(0)
}

func TestCleanStop(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	mustPut(t, l, "b\xffb", full())
	now := start.Add(time.Hour)
	h.save(l, true, now)
	if err := l.Put("alice", full()); !errors.Is(err, ErrClosed) {
		t.Errorf("after the clean copy was written, a change is taken: %v", err)
	}
	if err := l.Save(false, now); !errors.Is(err, ErrClosed) {
		t.Errorf("... and an ordinary copy takes its place: %v", err)
	}
	h.powerFailure(l)

	now = now.Add(time.Minute)
	l = h.open(now)
	h.wantQuarantine(l, start) // that of the ledger before, which is long over
	for _, user := range []string{"alice", "b\xffb"} {
		if got := mustGet(t, l, user); !reflect.DeepEqual(got, full()) {
			t.Errorf("%q has %+v", user, got)
		}
	}
	if want := []string{"ledger.saved"}; !slices.Equal(h.files(), want) {
		t.Errorf("on the disk are %q", h.files())
	}
	h.wantWarnings(0)
	h.powerFailure(l) // the clean copy does not count once more
	now = now.Add(time.Minute)
	h.wantQuarantine(h.open(now), now)
}

// TestQuarantineSurvivesStop: an orderly stop right after a power failure ends no quarantine.
func TestQuarantineSurvivesStop(t *testing.T) {
	h := newHost(t)
	h.powerFailure(h.open(start))
	now := start.Add(time.Minute)
	h.stop(h.open(now), now.Add(time.Second))
	l := h.open(now.Add(20 * time.Second))
	h.wantQuarantine(l, now)
	_ = l.Close()
	h.wantQuarantine(h.open(now.Add(30*time.Second)), now) // nor does a restart of the daemon alone
}

func TestPowerFailure(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	h.save(l, false, start.Add(time.Minute))
	mustPut(t, l, "alice", used(200))
	mustPut(t, l, "bob", used(200))
	h.powerFailure(l)
	now := start.Add(5 * time.Minute)
	l = h.open(now)
	h.wantQuarantine(l, now)
	want := full()
	want.Tokens[token].Fresh = false
	if got := mustGet(t, l, "alice"); !reflect.DeepEqual(got, want) {
		t.Errorf("alice has %+v", got)
	}
	if !mustGet(t, l, "bob").empty() {
		t.Error("bob is known")
	}
	h.wantWarnings(0)
}

// TestDaemonRestart: on the same boot the ledger goes on, and the clean copy is out of date as soon as it does.
func TestDaemonRestart(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	h.save(l, true, start)
	_ = l.Close()
	l = h.open(start.Add(time.Second))
	h.wantQuarantine(l, start)
	mustPut(t, l, "alice", used(500))
	if want := []string{"ledger.saved"}; !slices.Equal(h.files(), want) {
		t.Errorf("on the disk are %q", h.files())
	}
	h.powerFailure(l)
	now := start.Add(time.Minute)
	h.wantQuarantine(h.open(now), now)
}

// TestClockOfCopy: the clock at the start may be behind the copy, by a little or because one of both was wrong. What the copy
// has used stays used, whatever they say. Where the clock is behind by less than an hour, it may come once more to when the power
// failed: by then the next copy would have been written.
func TestClockOfCopy(t *testing.T) {
	for ahead, until := range map[time.Duration]time.Duration{
		-time.Minute: time.Minute, 0: 0, time.Second: SaveEvery, time.Hour - 1: SaveEvery, time.Hour: -time.Hour, 365 * day: -365 * day,
	} {
		h := newHost(t)
		l := h.open(start.Add(-2 * time.Hour))
		mustPut(t, l, "alice", used(1))
		h.save(l, false, start)
		h.powerFailure(l)
		now := start.Add(-ahead)
		l = h.open(now)
		h.wantQuarantine(l, start.Add(until))
		if ahead < time.Hour {
			h.wantWarnings(0)
		} else {
			h.wantWarnings(1)
		}
		if got := mustGet(t, l, "alice"); got.Usable(token, 1, 0) == nil {
			t.Errorf("ahead by %s: alice has %+v", ahead, got)
		}
		h.save(l, false, now)
		if want := []string{"ledger.saved"}; !slices.Equal(h.files(), want) {
			t.Errorf("ahead by %s: on the disk are %q", ahead, h.files())
		}
	}
}

// TestQuarantineOfCopy: what one ledger could not know of, the next one cannot either.
func TestQuarantineOfCopy(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	h.save(l, false, start)
	h.powerFailure(l)
	l = h.open(start.Add(-30 * time.Minute)) // the clock is behind
	h.save(l, false, start.Add(-29*time.Minute))
	h.powerFailure(l)
	h.wantQuarantine(h.open(start.Add(-28*time.Minute)), start.Add(SaveEvery))
}

// TestWrongTimeInCopy: one account with a time of a clock that was ahead does not make the quarantine last.
func TestWrongTimeInCopy(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	a := used(1)
	a.Accept("sshd", "home", start.Add(30*day))
	mustPut(t, l, "alice", a)
	a.Accept("sshd", "home", start.Add(30*time.Minute))
	mustPut(t, l, "bob", a)
	h.save(l, false, start)
	h.powerFailure(l)
	h.wantQuarantine(h.open(start.Add(time.Minute)), start.Add(30*time.Minute))
}

// TestDamagedCopies: a copy that is not what was written is warned about and left as it is; the ledger begins empty.
func TestDamagedCopies(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	for i := range 20 {
		mustPut(t, l, fmt.Sprint("user", i), full())
	}
	h.save(l, false, start)
	good, err := h.disk.ReadFile(h.root.Saved(), maxSaved)
	if err != nil {
		t.Fatal(err)
	}
	h.powerFailure(l)
	rnd := rand.New(rand.NewPCG(8, 8))
	spoilt := map[string][]byte{"empty": {}, "a line": []byte("x\n"), "longer": append(bytes.Clone(good), '\n'), "twice": append(bytes.Clone(good), good...)}
	for range 40 {
		at := rnd.IntN(len(good))
		spoilt[fmt.Sprint("cut at ", at)] = good[:at]
		flipped := bytes.Clone(good)
		flipped[at] ^= 1 << rnd.IntN(8)
		spoilt[fmt.Sprint("flipped at ", at)] = flipped
	}
	now := start.Add(time.Minute)
	for name, data := range spoilt {
		for _, path := range []string{h.root.Saved(), h.root.SavedClean()} {
			h.disk = &disktest.FS{}
			h.disk.Put(path, data)
			l := h.open(now)
			h.wantQuarantine(l, now)
			h.wantWarnings(1)
			if !strings.Contains(strings.Join(h.warnings, ""), path) {
				t.Errorf("%s: the warning does not name %q: %q", name, path, h.warnings)
			}
			if !mustGet(t, l, "user1").empty() {
				t.Errorf("%s: passes for a copy", name)
			}
			if after, err := h.disk.ReadFile(path, maxSaved); err != nil || !bytes.Equal(after, data) {
				t.Errorf("%s: the copy was changed (%v)", name, err)
			}
			h.powerFailure(l)
		}
	}
	// A damaged clean copy does not hide the one before it.
	h.disk = &disktest.FS{}
	h.disk.Put(h.root.SavedClean(), good[:100])
	h.disk.Put(h.root.Saved(), good)
	l = h.open(now)
	h.wantQuarantine(l, now)
	if mustGet(t, l, "user1").empty() {
		t.Error("the copy before was not used")
	}
}

func TestDecodeSavedIsStrict(t *testing.T) {
	const line = `{"user":"YWxpY2U=","account":{"wrong":["2026-11-23T21:00:00Z"]}}` + "\n"
	const headOfOne = `{"saved":"2026-11-23T21:00:00Z","accounts":1}` + "\n"
	if _, err := decodeSaved(sealSaved([]byte(headOfOne + line))); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		"", headOfOne, headOfOne + line + line, headOfOne + "{}\n", headOfOne + "null\n", headOfOne + "\n" + line,
		headOfOne + `{"user":"YWxpY2U=","account":null}` + "\n",
		headOfOne + `{"user":"","account":{}}` + "\n",
		headOfOne + `{"user":"YWxpY2U=","account":{"tokens":{"a":null}}}` + "\n",
		headOfOne + `{"user":"YWxpY2U=","account":{},"more":1}` + "\n",
		`{"saved":"2026-11-23T21:00:00Z","accounts":1,"more":1}` + "\n" + line,
		`{"saved":"yesterday","accounts":1}` + "\n" + line,
	} {
		if s, err := decodeSaved(sealSaved([]byte(body))); err == nil {
			t.Errorf("%q passes for a copy: %+v", body, s)
		}
	}
}

func TestSavedIsPruned(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	for i := range 100 {
		a := &Account{}
		fail(a, "s", 1, start, limits)
		mustPut(t, l, fmt.Sprint("guessed", i), a)
	}
	mustPut(t, l, "alice", used(1))
	now := start.Add(2 * day)
	h.stop(l, now)
	data, err := h.disk.ReadFile(h.root.SavedClean(), maxSaved)
	if err != nil {
		t.Fatal(err)
	}
	s, err := decodeSaved(data)
	if err != nil || len(s.accounts) != 1 || string(s.accounts[0].User) != "alice" {
		t.Errorf("%+v, %v", s, err)
	}
}
