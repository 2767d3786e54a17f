package ledger

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/disk/disktest"
)

func window(user, id string) Window {
	return Window{
		ID: id, Session: "s-" + id, User: user, UID: 1000, Service: "sshd", Source: "192.0.2.7", TTY: "ssh",
		PID: 4711, Start: 99, Opened: start.Round(0).UTC(),
	}
}

func TestWindowsOutliveTheProcess(t *testing.T) {
	root, files := newRoot(t), &disktest.FS{}
	l := mustOpen(t, root, start, files)
	a, b, c := window("alice", "a"), window("alice", "b"), window("alice2", "c")
	a.Order, a.Opened = 2, a.Opened.Add(-time.Second) // newer than b, though its ID comes first, and the clock was set back
	b.Ending, b.Notice = b.Opened.Add(time.Minute), "Go."
	if err := l.PutWindows(a, b, c); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start, files)
	for user, want := range map[string][]Window{"alice": {b, a}, "alice2": {c}, "al": nil, "": {b, a, c}} {
		got, err := l.Windows(user)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("windows of %q: %+v, %v; want %+v", user, got, err, want)
		}
	}
	for _, want := range []bool{true, false} {
		if was, err := l.DeleteWindow("alice", "a"); err != nil || was != want {
			t.Errorf("deleting: was there %v, %v", was, err)
		}
	}
	if got, _ := l.Windows("alice"); len(got) != 1 {
		t.Errorf("%d windows are left, want 1", len(got))
	}
}

// TestWindowsDieWithTheMachine: no copy has them.
func TestWindowsDieWithTheMachine(t *testing.T) {
	root, files := newRoot(t), &disktest.FS{}
	l := mustOpen(t, root, start, files)
	if err := l.PutWindows(window("alice", "a")); err != nil {
		t.Fatal(err)
	}
	if err := l.Save(true, start); err != nil {
		t.Fatal(err)
	}
	if err := l.PutWindows(window("alice", "b")); !errors.Is(err, ErrClosed) {
		t.Errorf("a window after the clean copy: %v", err)
	}
	if _, err := l.DeleteWindow("alice", "a"); !errors.Is(err, ErrClosed) {
		t.Errorf("the end of one after it: %v", err)
	}
	if err := errors.Join(l.Close(), os.RemoveAll(root.Runtime())); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start, files)
	if got, err := l.Windows(""); err != nil || len(got) != 0 {
		t.Errorf("after a restart of the machine: %+v, %v", got, err)
	}
}

// TestLedgerWithoutSessions is one that an older version began, and an intruder in the bucket.
func TestLedgerWithoutSessions(t *testing.T) {
	root, files := newRoot(t), &disktest.FS{}
	l := mustOpen(t, root, start, files)
	if got, err := l.Windows("alice"); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := l.PutWindows(window("alice", "a")); err != nil {
		t.Fatal(err)
	}
	err := l.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(sessionsBucket)
		value, err := encodeWindow(&Window{ID: "x", Session: "x", User: "mallory", Service: "sshd", Source: "x", PID: 2, Start: 1})
		if err != nil {
			return err
		}
		return put(b, []byte("alice/x"), value)
	})
	if err != nil {
		t.Fatal(err)
	}
	var broken *DamagedError
	if _, err := l.Windows("alice"); !errors.As(err, &broken) {
		t.Errorf("a window with another's key: %v", err)
	}
}

func TestWindowsAreBounded(t *testing.T) {
	l := mustOpen(t, newRoot(t), start, &disktest.FS{})
	for name, change := range map[string]func(*Window){
		"no ID": func(w *Window) { w.ID = "" }, "no session": func(w *Window) { w.Session = "" },
		"no source": func(w *Window) { w.Source = "" }, "a long source": func(w *Window) { w.Source = strings.Repeat("x", 257) },
		"a long terminal": func(w *Window) { w.TTY = strings.Repeat("x", 257) },
		"process 1":       func(w *Window) { w.PID = 1 }, "no process": func(w *Window) { w.PID = 0 }, "no start": func(w *Window) { w.Start = 0 },
	} {
		w := window("alice", "a")
		change(&w)
		if err := l.PutWindows(window("alice", "b"), w); err == nil {
			t.Errorf("%s: is kept", name)
		}
	}
	if got, _ := l.Windows(""); len(got) != 0 {
		t.Errorf("%d windows were kept of what was refused as a whole", len(got))
	}
	var many []Window
	for i := range maxWindows {
		many = append(many, window("alice", fmt.Sprintf("w%d", i)))
	}
	if err := l.PutWindows(many...); err != nil {
		t.Fatal(err)
	}
	if err := l.PutWindows(many[0], window("bob", "b")); err != nil {
		t.Errorf("a change of one that is there, and another's: %v", err)
	}
	if err := l.PutWindows(window("alice", "one too many")); !errors.Is(err, ErrTooManyWindows) {
		t.Errorf("one too many: %v", err)
	}
}

func TestPermit(t *testing.T) {
	a := &Account{}
	if a.Permitted("sshd", "192.0.2.7", nil, start) {
		t.Error("permitted without a yes")
	}
	a.Permit("sshd", "192.0.2.7", []string{"a", "b"}, start)
	for name, ok := range map[string]bool{
		"another source":  a.Permitted("sshd", "192.0.2.8", []string{"a"}, start),
		"another service": a.Permitted("login", "192.0.2.7", []string{"a"}, start),
	} {
		if ok {
			t.Errorf("%s is permitted", name)
		}
	}
	if !a.Permitted("sshd", "192.0.2.7", []string{"b"}, start.Add(time.Minute)) {
		t.Error("not permitted after a yes")
	}
	if a.Permitted("sshd", "192.0.2.7", []string{"b"}, start.Add(time.Minute)) {
		t.Error("one yes permits twice")
	}
	for name, test := range map[string]struct {
		sessions []string
		at       time.Time
	}{
		"a session that nobody was told of": {[]string{"a", "c"}, start},
		"too late":                          {[]string{"a"}, start.Add(permitFor)},
		"a clock that was set back":         {[]string{"a"}, start.Add(-time.Second)},
	} {
		a.Permit("sshd", "192.0.2.7", []string{"a", "b"}, start)
		if a.Permitted("sshd", "192.0.2.7", test.sessions, test.at) {
			t.Errorf("%s: permitted", name)
		}
	}
	for i := range 2 * maxPermits {
		a.Permit("sshd", fmt.Sprint(i), nil, start)
	}
	if err := a.validate(); err != nil {
		t.Error(err)
	}
	if !a.prune(start.Add(permitFor)) || len(a.Permits) != 0 || !a.empty() {
		t.Errorf("%d permits outlive their time", len(a.Permits))
	}
}
