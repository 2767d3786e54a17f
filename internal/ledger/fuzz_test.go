package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"testing"
	"time"

	"sallyport/internal/disk/disktest"
)

// FuzzDecodeAccount gives the contents of an account, whose checksum is right. What passes can be used and stored, and is
// read again as it was.
func FuzzDecodeAccount(f *testing.F) {
	for _, a := range []*Account{{}, used(1, 2, 3), wide} {
		value, err := encodeAccount("alice", a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value[sumSize:])
	}
	f.Add([]byte(`{"tokens":{"t":{"steps":[9,1],"past":[[1,2],[4,4]]}}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := decodeAccount([]byte("alice"), seal([]byte("alice"), content))
		if err != nil {
			return
		}
		value, err := encodeAccount("alice", a)
		if err != nil {
			if len(content) < maxAccount/8 { // escapes make it longer
				t.Fatalf("read, then not stored: %v", err)
			}
			return
		}
		again, err := decodeAccount([]byte("alice"), value)
		if err != nil {
			t.Fatalf("stored, then not read: %v", err)
		}
		stored, err := encodeAccount("alice", again)
		if err != nil || !bytes.Equal(stored, value) {
			t.Errorf("it is stored as\n%s, then as\n%s (%v)", value, stored, err)
		}
		a.Correct(start)
		for id := range a.Tokens {
			a.Use(id, 70)
			if !errors.Is(a.Usable(id, 70, 2), ErrReplayed) {
				t.Errorf("the step that was just used is usable: %s", content)
			}
		}
		a.Use("new", 70)
		a.Accept("sshd", "10.0.0.1", start)
		a.Fail("10.0.0.1", start, limits)
		a.prune(start)
		if _, err := encodeAccount("alice", a); err != nil && len(content) < maxAccount/8 {
			t.Errorf("after a login it is not stored: %v", err)
		}
	})
}

// FuzzDecodeWindow gives the contents of a session's window, whose checksum is right.
func FuzzDecodeWindow(f *testing.F) {
	w := Window{ID: "1", Session: "1", User: "alice", UID: 1000, Service: "sshd", Source: "10.0.0.1", PID: 42, Start: 7, Opened: start}
	value, err := encodeWindow(&w)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value[sumSize:])
	f.Fuzz(func(t *testing.T, content []byte) {
		w, err := decodeWindow([]byte("alice/1"), seal([]byte("alice/1"), content))
		if err != nil {
			return
		}
		if string(w.key()) != "alice/1" || w.PID <= 1 || w.Start == 0 {
			t.Errorf("this passes for a window of alice's: %+v", w)
		}
		value, err := encodeWindow(&w)
		if err != nil && len(content) < maxWindow/8 {
			t.Fatalf("read, then not stored: %v", err)
		}
		if again, e := decodeWindow([]byte("alice/1"), value); err == nil && (e != nil || again.Opened.Compare(w.Opened) != 0) {
			t.Errorf("stored, then read as %+v, %v", again, e)
		}
	})
}

// FuzzDecodeSaved gives what stands behind the first line of a saved copy, which is right.
func FuzzDecodeSaved(f *testing.F) {
	l := mustOpen(f, newRoot(f), start, &disktest.FS{})
	mustPut(f, l, "alice", used(1, 2))
	mustPut(f, l, "wide", wide)
	data, err := l.encode(start)
	if err != nil {
		f.Fatal(err)
	}
	_, body, _ := bytes.Cut(data, []byte("\n"))
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeSaved(sealSaved(body))
		if err != nil {
			return
		}
		if len(s.accounts) != s.Accounts {
			t.Errorf("%d accounts instead of %d", len(s.accounts), s.Accounts)
		}
		if newest := s.newest(start); newest.Before(start) || newest.After(start.Add(maxAhead+SaveEvery)) {
			t.Errorf("by it a code may have been used at %s", newest)
		}
		for _, a := range s.accounts {
			a.Account.prune(start)
			if _, err := encodeAccount(string(a.User), a.Account); err != nil && len(body) < maxAccount/8 {
				t.Errorf("an account cannot be stored: %v", err)
			}
		}
	})
}

// FuzzCheck changes a good ledger in up to 64 places, eight bytes at a time, and mends the checksums of its meta pages,
// as damage never would. Whatever it is then, opening it hangs nobody and ends no process, and what opens can be read from
// one end to the other and written to.
func FuzzCheck(f *testing.F) {
	page := os.Getpagesize()
	file := smallLedger(f)
	root := prepared(f)
	for _, edit := range [][2]uint64{{0, 0}, {uint64(page) + 16, 3}, {2 * uint64(page), 1 << 40}, {3*uint64(page) + 16, ^uint64(0)}} {
		f.Add(binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint32(nil, uint32(edit[0])), edit[1]))
	}
	f.Fuzz(func(t *testing.T, edits []byte) {
		spoilt := bytes.Clone(file)
		for n := 0; n < 64 && len(edits) >= 12; n, edits = n+1, edits[12:] {
			at := int(native.Uint32(edits)) % (len(spoilt) - 8)
			copy(spoilt[at:], edits[4:12])
		}
		for _, at := range []int{0, page} {
			h := fnv.New64a()
			_, _ = h.Write(spoilt[at+pageHeader:][:56])
			native.PutUint64(spoilt[at+pageHeader+56:], h.Sum64())
		}
		if err := os.WriteFile(root.LedgerFile(), spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := tryOpen(t, root, start.Add(time.Hour), &disktest.FS{})
		if err != nil {
			var damage *DamagedError
			if !errors.As(err, &damage) {
				t.Fatalf("%v", err)
			}
			return
		}
		defer func() { _ = l.Close() }()
		if err := l.each(func(user, value []byte) error { _, _ = decodeAccount(user, value); return nil }); err != nil {
			t.Errorf("it was opened, then not read: %v", err)
		}
		_, _ = l.Windows("")
		mustPut(t, l, "new", used(1))
	})
}

// smallLedger is the file of a ledger with a few users.
func smallLedger(t testing.TB) []byte {
	t.Helper()
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	for _, user := range []string{"alice", "bob", "carol"} {
		mustPut(t, l, user, used(1, 2))
	}
	if err := l.Delete("bob"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(root.LedgerFile())
	if err != nil {
		t.Fatal(err)
	}
	return file
}
