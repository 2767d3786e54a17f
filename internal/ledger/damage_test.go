package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/disk"
	"sallyport/internal/disk/disktest"
)

// sample makes a ledger with branch pages, overflow pages and free pages, and returns its file and the values in it.
func sample(t *testing.T, users int) (file []byte, values map[string][]byte) {
	t.Helper()
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	for i := range users {
		user := fmt.Sprint("user", i*7919%1000)
		a := used(int64(i), int64(i+1))
		a.Accept("sshd", user, start)
		mustPut(t, l, user, a)
		mustPut(t, l, fmt.Sprint("removed", i), a)
	}
	mustPut(t, l, "wide", wide)
	for i := range users {
		if err := l.Delete(fmt.Sprint("removed", i)); err != nil {
			t.Fatal(err)
		}
	}
	values = map[string][]byte{}
	if err := l.each(func(user, value []byte) error { values[string(user)] = value; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(root.LedgerFile())
	if err != nil {
		t.Fatal(err)
	}
	return file, values
}

// wide is an account that needs more than a page.
var wide = func() *Account {
	a := &Account{Tokens: map[string]*TokenUse{}}
	lim := limits
	lim.UserFailures = 200
	for i := range 200 {
		a.Fail("s", start.Add(time.Duration(i)), lim)
	}
	return a
}()

// verdict opens a file as the ledger. It is either damaged, or has the values that it had and can be used. In both cases
// opening it changes nothing.
func verdict(t *testing.T, root disk.Root, file []byte, values map[string][]byte) (whole bool) {
	t.Helper()
	if err := os.WriteFile(root.LedgerFile(), file, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tryOpen(t, root, start.Add(time.Hour), &disktest.FS{})
	if after, e := os.ReadFile(root.LedgerFile()); e != nil || !bytes.Equal(file, after) {
		t.Fatalf("opening changed the file (%v)", e)
	}
	if err != nil {
		var damage *DamagedError
		if !errors.As(err, &damage) {
			t.Fatalf("%v", err)
		}
		if damage.Path != root.LedgerFile() || damage.Mend == "" || !strings.Contains(err.Error(), damage.Path) {
			t.Fatalf("%+v", damage)
		}
		return false
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	if !l.Quarantine().Equal(start) {
		t.Fatalf("the quarantine is %s", l.Quarantine())
	}
	n := 0
	err = l.each(func(user, value []byte) error {
		n++
		if !bytes.Equal(value, values[string(user)]) {
			return fmt.Errorf("user %q has %q", user, value)
		}
		return nil
	})
	if err != nil || n != len(values) {
		t.Fatalf("%d accounts instead of %d: %v", n, len(values), err)
	}
	err = l.view(func(b *bbolt.Bucket) error {
		for user, value := range values {
			if !bytes.Equal(b.Get([]byte(user)), value) {
				return fmt.Errorf("user %q cannot be found", user)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, l, "wide", used(1))
	mustPut(t, l, "new", wide)
	return true
}

func prepared(t testing.TB) disk.Root {
	t.Helper()
	root := newRoot(t)
	if err := os.MkdirAll(root.Runtime(), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestTruncated(t *testing.T) {
	file, values := sample(t, 300)
	root := prepared(t)
	page := os.Getpagesize()
	sizes := []int{0, 1, 15, 16, 80, len(file) - 1}
	for size := 512; size < len(file); size += 512 {
		sizes = append(sizes, size)
	}
	for size := page; size < len(file); size += page {
		sizes = append(sizes, size-1, size+1)
	}
	for _, size := range sizes {
		if verdict(t, root, file[:size], values) {
			t.Errorf("%d of %d bytes pass for a ledger", size, len(file))
		}
	}
	if !verdict(t, root, file, values) {
		t.Error("the whole file is found damaged")
	}
	if !verdict(t, root, append(bytes.Clone(file), make([]byte, 3*page+5)...), values) {
		t.Error("a file with room at its end is found damaged")
	}
}

// TestFlippedBits flips bits everywhere: in what is in use they are found, and elsewhere they do no harm.
func TestFlippedBits(t *testing.T) {
	file, values := sample(t, 60)
	root := prepared(t)
	rnd := rand.New(rand.NewPCG(4, 4))
	found, harmless := 0, 0
	for at := rnd.IntN(16); at < len(file); at += 1 + rnd.IntN(96) {
		spoilt := bytes.Clone(file)
		spoilt[at] ^= 1 << rnd.IntN(8)
		if verdict(t, root, spoilt, values) {
			harmless++
		} else {
			found++
		}
	}
	t.Logf("%d flips were found, %d were harmless", found, harmless)
	if found < 150 || harmless < 150 {
		t.Error("the flips miss something")
	}
}

// TestScrambled puts wrong bytes, wrong numbers and wrong pages in many places: page numbers that lead to themselves,
// elements that reach beyond the file, lengths of gigabytes.
func TestScrambled(t *testing.T) {
	file, values := sample(t, 300)
	root := prepared(t)
	rnd := rand.New(rand.NewPCG(5, 5))
	page := os.Getpagesize()
	pages := len(file) / page
	pageAt := func(i int) int { return i * page }
	for range 1200 {
		spoilt := bytes.Clone(file)
		for range 1 + rnd.IntN(3) {
			p := rnd.IntN(pages)
			switch rnd.IntN(6) {
			case 0: // another page of the file
				copy(spoilt[pageAt(p):pageAt(p+1)], file[pageAt(rnd.IntN(pages)):])
			case 1: // the same, under the right number
				q := rnd.IntN(pages)
				copy(spoilt[pageAt(p)+8:pageAt(p+1)], file[pageAt(q)+8:])
			case 2: // zeroes
				clear(spoilt[pageAt(p):pageAt(p+1)])
			case 3: // noise
				for i := pageAt(p); i < pageAt(p)+1+rnd.IntN(page); i++ {
					spoilt[i] = byte(rnd.IntN(256))
				}
			case 4: // a number in the header or the first elements
				at := pageAt(p) + 2*rnd.IntN(64)
				native.PutUint16(spoilt[at:], uint16([]int{0, 1, 0xFFFF, 0x7FFF, p, rnd.IntN(pages)}[rnd.IntN(6)]))
			case 5:
				at := pageAt(p) + 8*rnd.IntN(32)
				native.PutUint64(spoilt[at:], []uint64{0, 1<<63 - 1, 1 << 40, ^uint64(0), uint64(p), uint64(rnd.IntN(pages))}[rnd.IntN(6)])
			}
		}
		verdict(t, root, spoilt, values)
	}
}

// TestCycles makes the first element of each branch page lead to the page itself, to its parent, and to another's child:
// bbolt would follow that until the stack overflows.
func TestCycles(t *testing.T) {
	file, values := sample(t, 900)
	root := prepared(t)
	page := os.Getpagesize()
	branches := 0
	for id := 2; id < len(file)/page; id++ {
		if p := file[id*page:]; native.Uint16(p[8:]) != branchPage || native.Uint64(p) != uint64(id) {
			continue
		}
		branches++
		for target := uint64(2); target < uint64(len(file)/page); target += 61 {
			for _, to := range []uint64{uint64(id), target} {
				spoilt := bytes.Clone(file)
				native.PutUint64(spoilt[id*page+pageHeader+8:], to)
				verdict(t, root, spoilt, values)
			}
		}
	}
	if branches == 0 {
		t.Error("there is no branch page")
	}
}

// TestOlderPage puts each page back as it was some changes before: no account passes as it was before its last code was
// used. (A meta page of the change before makes a whole ledger of that time, which nobody could tell from one.)
func TestOlderPage(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	for i := range 50 {
		mustPut(t, l, fmt.Sprint("user", i), used(1))
	}
	var versions [][]byte
	for step := range int64(4) {
		mustPut(t, l, "user7", used(1, 10+step))
		file, err := os.ReadFile(root.LedgerFile())
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, file)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	newest := versions[3]
	for v, older := range versions[:3] {
		for at := 0; at < len(older); at += page {
			if at < 2*page && v > 0 {
				continue
			}
			mixed := bytes.Clone(newest)
			copy(mixed[at:at+page], older[at:])
			if err := os.WriteFile(root.LedgerFile(), mixed, 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := tryOpen(t, root, start, &disktest.FS{})
			if err != nil {
				continue
			}
			if mustGet(t, l, "user7").Usable(token, 13, 0) == nil {
				t.Errorf("with page %d of version %d the last used step is usable", at/page, v)
			}
			_ = l.Close()
		}
	}
}

func TestOtherFiles(t *testing.T) {
	root := prepared(t)
	other := root.LedgerFile() + ".other"
	db, err := bbolt.Open(other, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func(fn func(tx *bbolt.Tx) error) []byte {
		t.Helper()
		if err := db.Update(fn); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	files := map[string][]byte{
		"zeroes":                 make([]byte, 1<<16),
		"text":                   []byte(strings.Repeat("This is not a ledger.\n", 4000)),
		"empty":                  {},
		"bbolt without a bucket": write(func(*bbolt.Tx) error { return nil }),
		"bbolt with another bucket": write(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("kine"))
			return err
		}),
	}
	files["bbolt with a bucket in a bucket"] = write(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(accountsBucket)
		if err == nil {
			_, err = b.CreateBucket([]byte("alice"))
		}
		return errors.Join(err, tx.DeleteBucket([]byte("kine")))
	})
	files["another format"] = write(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(accountsBucket); err != nil {
			return err
		}
		_, err := tx.CreateBucket(accountsBucket)
		b, e := tx.CreateBucket(headBucket)
		return errors.Join(err, e, put(b, headKey, seal(headKey, []byte(`{"format":3,"more":true}`))))
	})
	_ = db.Close()
	for name, file := range files {
		if verdict(t, root, file, nil) {
			t.Errorf("%s: passes for a ledger", name)
		}
	}
}

// TestDamageLater damages the file while it is open: every operation is refused from then on, at once, and nothing hangs.
func TestDamageLater(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"truncated":      func(path string) error { return os.Truncate(path, 0) },
		"cut in half":    func(path string) error { return os.Truncate(path, int64(8*os.Getpagesize())) },
		"made of zeroes": func(path string) error { return errors.Join(os.Truncate(path, 0), os.Truncate(path, 1<<20)) },
		"overwritten": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{0xA5}, 1<<20), 0)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			l := mustOpen(t, root, start, &disktest.FS{})
			for i := range 300 {
				mustPut(t, l, fmt.Sprint("user", i), used(1))
			}
			if err := spoil(root.LedgerFile()); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range 8 { // some may still be answered from memory, but no account may pass for empty
					a, err := l.Get(fmt.Sprint("user", i*37))
					if err == nil && a.Usable(token, 1, 0) == nil {
						t.Error("a used step is usable")
					}
				}
				var damage *DamagedError
				if err := l.Put("user5", used(2)); !errors.As(err, &damage) {
					t.Errorf("Put: %v", err)
				}
				if _, err := l.Get("user5"); !errors.As(err, &damage) {
					t.Errorf("Get: %v", err)
				}
				if err := l.Save(false, start); !errors.As(err, &damage) {
					t.Errorf("Save: %v", err)
				}
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("it hangs")
			}
		})
	}
}
