package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sallyport/internal/clock"
	"sallyport/internal/disk/disktest"
)

// everything is an account in which no field that is stored is zero.
func everything() *Account {
	at := start.Add(123456789)
	a := used(1000, 1001, 5, 1<<40, -7)
	a.Tokens["another"] = &TokenUse{Past: []Range{{-1 << 40, -5}, {7, 1 << 50}}, Fresh: true}
	a.Sources = []SourceState{{"10.0.0.5", 3, at, at.Add(1), 2, at.Add(2), 5, at.Add(3)}, {Source: "ö", Last: at}}
	a.Wrong = []time.Time{at, at.Add(time.Hour)}
	a.Known = []Known{{"sshd", "10.0.0.5", at, 7}, {"", "local", at.Add(-1), 0}}
	a.Last = Last{at, "sudo", "local"}
	a.Phone = &clock.Sample{Device: "another", At: at, Step: 55555555, Period: 30 * time.Second, Learned: -2, Booted: at.Add(-time.Hour)}
	a.Permits = []Permit{{"sshd", "10.0.0.5", at, []string{"a", "b"}}}
	a.UID, a.Owned = 1<<32-2, true
	return a
}

func TestBinaryAccount(t *testing.T) {
	for name, a := range map[string]*Account{"everything": everything(), "nothing": {Tokens: map[string]*TokenUse{}}} {
		var got Account
		if err := readAccount(appendAccount(nil, a), &got); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(&got, a) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, &got, a)
		}
	}
	for _, v := range []any{Account{}, TokenUse{}, SourceState{}, Known{}, Last{}, Permit{}, clock.Sample{}} {
		if fields := map[string]int{"Account": 10, "TokenUse": 3, "SourceState": 8, "Known": 4, "Last": 3, "Permit": 4, "Sample": 6}; reflect.TypeOf(v).NumField() != fields[reflect.TypeOf(v).Name()] {
			t.Errorf("%T has another field: the form must have it, and everything() too", v)
		}
	}
}

// TestBinaryAccountIsStrict: of an account that is cut off, or has more to it, nothing is believed.
func TestBinaryAccountIsStrict(t *testing.T) {
	whole := appendAccount(nil, everything())
	for n := 1; n < len(whole); n++ {
		if err := readAccount(whole[:n], &Account{}); err == nil {
			t.Errorf("the first %d of %d bytes pass for an account", n, len(whole))
		}
	}
	if err := readAccount(append(whole, 0), &Account{}); err == nil {
		t.Error("a byte too many passes")
	}
	for _, content := range []string{"", "\x02", "\x00", "{}x"} {
		if _, err := decodeAccount([]byte("u"), seal([]byte("u"), []byte(content))); err == nil {
			t.Errorf("%q passes for an account", content)
		}
	}
}

// TestEarlierVersion has a daemon of an earlier version, which wrote JSON, leave its ledger to this one in the middle of
// the day: what it has used stays used.
func TestEarlierVersion(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	content, err := json.Marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	err = l.update(func(accounts *bbolt.Bucket) error {
		return put(accounts, []byte("alice"), seal([]byte("alice"), content))
	})
	if err == nil {
		err = l.enter(func() error {
			h := l.head
			h.Format = formatJSON
			return l.putHead(h)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l = mustOpen(t, root, start, &disktest.FS{})
		a := mustGet(t, l, "alice")
		if !reflect.DeepEqual(a, everything()) {
			t.Errorf("the account is %+v", a)
		}
		if s, err := l.Samples(); err != nil || s["alice"] != *a.Phone {
			t.Errorf("the samples are %v, %v", s, err)
		}
		if l.head.Format != format {
			t.Errorf("the ledger has format %d: an earlier version would take it for its own", l.head.Format)
		}
		mustPut(t, l, "alice", a)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChangesTogether has one of the changes that are committed together fail: the others are made, and are in the file.
func TestChangesTogether(t *testing.T) {
	root := newRoot(t)
	l := mustOpen(t, root, start, &disktest.FS{})
	broken := errors.New("broken")
	var all []*change
	for i := range 10 {
		user := []byte(fmt.Sprint("user", i))
		value, err := encodeAccount(string(user), used(int64(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, &change{fn: func(accounts *bbolt.Bucket) error {
			if i == 7 {
				return broken
			}
			return put(accounts, user, value)
		}})
	}
	l.mu.Lock()
	l.commit(all)
	l.mu.Unlock()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = mustOpen(t, root, start, &disktest.FS{})
	for i, c := range all {
		if wrong := i == 7; !c.done || errors.Is(c.err, broken) != wrong || !wrong && c.err != nil {
			t.Errorf("change %d: done %v, error %v", i, c.done, c.err)
		}
		if got := mustGet(t, l, fmt.Sprint("user", i)).Usable(token, int64(i), 0); (got == nil) != (i == 7) {
			t.Errorf("user%d, in the file: %v", i, got)
		}
	}
}
