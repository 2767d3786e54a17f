package ledger

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

// TestReadOnlyDisk: logins go on, the quarantine holds, and the copy that could not be marked is removed as soon as it
// can be.
func TestReadOnlyDisk(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	h.stop(l, start)
	for _, op := range []disktest.Op{disktest.Create, disktest.Rename, disktest.Remove, disktest.Mkdir} {
		h.disk.Fail(op, unix.EROFS)
	}
	now := start.Add(time.Minute)
	l = h.open(now)
	h.wantQuarantine(l, now)
	h.wantWarnings(1)
	if a := mustGet(t, l, "alice"); a.empty() || a.Tokens[token].Fresh {
		t.Errorf("alice has %+v", a)
	}
	mustPut(t, l, "alice", used(500))
	if err := l.Save(false, now); !errors.Is(err, unix.EROFS) {
		t.Errorf("saving to a read-only disk: %v", err)
	}
	for _, op := range []disktest.Op{disktest.Create, disktest.Rename, disktest.Remove, disktest.Mkdir} {
		h.disk.Fail(op, nil)
	}
	h.save(l, false, now)
	if want := []string{"ledger.saved"}; !slices.Equal(h.files(), want) {
		t.Errorf("on the disk are %q", h.files())
	}
}

// TestUnsyncedOutdating: somebody dies right after the renaming of the complete copy, and the next one verifies. After a
// power failure the copy must not be back, for it knows nothing of what was verified since.
func TestUnsyncedOutdating(t *testing.T) {
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	h.stop(l, start)
	dir, err := h.disk.OpenDir(h.root.State())
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Rename("ledger.clean", dir, "ledger.saved"); err != nil {
		t.Fatal(err)
	}
	l = h.open(start)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.root.LedgerFile()); err != nil {
		t.Fatal(err)
	}
	h.disk.Crash()
	now := start.Add(time.Minute)
	h.wantQuarantine(h.open(now), now)
}

// TestAnotherBoot: where /run outlives the machine, what was never synced there is not believed.
func TestAnotherBoot(t *testing.T) {
	if bootID() == "" {
		t.Skip("the kernel's boot ID cannot be read")
	}
	h := newHost(t)
	l := h.open(start)
	mustPut(t, l, "alice", full())
	h.save(l, false, start)
	mustPut(t, l, "alice", used(500))
	_ = l.Close()
	setBoot(t, h.root, "00000000-0000-0000-0000-000000000000")
	now := start.Add(time.Minute)
	l = h.open(now)
	h.wantQuarantine(l, now)
	h.wantWarnings(1)
	if a := mustGet(t, l, "alice"); a.Usable(token, 101, 0) == nil || a.Usable(token, 500, 0) != nil {
		t.Errorf("alice has %+v", a.Tokens[token])
	}
	_ = l.Close()
	setBoot(t, h.root, "") // unknown
	h.wantQuarantine(h.open(now.Add(time.Minute)), now)
	h.wantWarnings(0)
}

// setBoot makes a closed ledger one of another boot.
func setBoot(t *testing.T, root disk.Root, boot string) {
	t.Helper()
	db, err := bbolt.Open(root.LedgerFile(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(headBucket)
		var h head
		if err := json.Unmarshal(b.Get(headKey)[sumSize:], &h); err != nil {
			return err
		}
		h.Boot = boot
		content, err := json.Marshal(h)
		if err != nil {
			return err
		}
		return put(b, headKey, seal(headKey, content))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestPowerFailures loses the power at random, at any step of a copy that is being written too, stops and restarts in
// between, and fills the disk: no code that was accepted is ever usable again.
func TestPowerFailures(t *testing.T) {
	const period = 30 * time.Second
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		h := newHost(t)
		now := start
		accepted := map[int64]bool{}
		step := func(t time.Time) int64 { return t.Unix() / int64(period/time.Second) }
		usable := func(l *Ledger, s int64) bool {
			a := mustGet(t, l, "alice")
			fresh := a.Tokens[token] != nil && a.Tokens[token].Fresh
			quarantined := !fresh && s <= step(l.Quarantine())+1
			return !quarantined && a.Usable(token, s, 2) == nil
		}
		l := h.open(now)
		for range 120 {
			now = now.Add(time.Duration(rnd.IntN(40)) * time.Second)
			for s := step(now) - 1; s <= step(now)+1; s++ {
				if accepted[s] && usable(l, s) {
					t.Fatalf("seed %d: a code that was accepted is usable again", seed)
				}
			}
			switch rnd.IntN(12) {
			case 0:
				h.powerFailure(l)
				l = h.open(now)
			case 1:
				h.stop(l, now)
				l = h.open(now.Add(time.Second))
			case 2:
				h.save(l, true, now)
				_ = l.Close()
				l = h.open(now)
			case 3:
				_ = l.Close() // kill -9
				l = h.open(now)
			case 4:
				h.disk.StopAfter(rnd.IntN(8))
				_ = l.Save(rnd.IntN(2) == 0, now)
				h.powerFailure(l)
				l = h.open(now)
			case 5:
				h.disk.FailNext(disktest.Write, unix.ENOSPC)
				_ = l.Save(false, now)
				h.disk.Fail(disktest.Write, nil)
			case 6:
				h.save(l, false, now)
			default:
				s := step(now) + rnd.Int64N(3) - 1
				if usable(l, s) {
					a := mustGet(t, l, "alice")
					a.Use(token, s)
					a.Tokens[token].Fresh = a.Tokens[token].Fresh || len(accepted) == 0
					a.Accept("sshd", "home", now)
					mustPut(t, l, "alice", a)
					accepted[s] = true
				}
			}
		}
		if len(accepted) < 5 {
			t.Errorf("seed %d: only %d codes were accepted", seed, len(accepted))
		}
		_ = l.Close()
	}
}

// TestRealDisk goes once through it on the machine's own.
func TestRealDisk(t *testing.T) {
	root := disk.Root(t.TempDir())
	l := mustOpen(t, root, start, new(disk.OS))
	mustPut(t, l, "alice", full())
	if err := l.Save(true, start); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(root.SavedClean())
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := errors.Join(l.Close(), os.RemoveAll(root.Runtime())); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start, new(disk.OS))
	if got := mustGet(t, l, "alice"); !reflect.DeepEqual(got, full()) {
		t.Errorf("alice has %+v", got)
	}
	if _, err := os.Stat(root.SavedClean()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the clean copy is still there: %v", err)
	}
}
