package verifier

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asked is a user database of one user in one group, which counts the questions.
type asked struct {
	uid   uint32
	err   error
	times int
}

func (a *asked) Lookup(string) (uint32, error) { a.times++; return a.uid, a.err }
func (a *asked) Name(uint32) (string, error)   { a.times++; return "alice", a.err }
func (a *asked) Groups(string) ([]string, error) {
	a.times++
	return []string{"staff"}, a.err
}

// newRecentOf keeps answers of a database that is in a file, which has been as it is for an hour.
func newRecentOf(t *testing.T, from Directory) (r *Recent, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(file, []byte("alice"), 0o600); err != nil {
		t.Fatal(err)
	}
	return RecentOf(from, Kernel{time.Now, unix.Stat}, file), file
}

// lookup looks alice up until the answer is kept: a file that has just changed is not believed at first.
func lookup(t *testing.T, r *Recent, a *asked) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		before := a.times
		if uid, err := r.Lookup("alice"); err != nil || uid != a.uid {
			t.Fatalf("Lookup = %d, %v, want %d", uid, err, a.uid)
		}
		if a.times == before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no answer is ever kept")
		}
	}
}

// TestRecentSeesAChange has a user change after it was looked up: the files tell, and where they do not, the time does.
func TestRecentSeesAChange(t *testing.T) {
	a := &asked{uid: 1000}
	r, file := newRecentOf(t, a)
	lookup(t, r, a)

	a.uid = 1001
	if err := os.WriteFile(file, []byte("alicf"), 0o600); err != nil { // as long as before
		t.Fatal(err)
	}
	r.looked = r.looked.Add(-lookEvery)
	if uid, err := r.Lookup("alice"); err != nil || uid != 1001 {
		t.Errorf("after the file was rewritten: %d, %v", uid, err)
	}
	lookup(t, r, a)

	a.uid = 1002
	other := file + ".new"
	if err := os.WriteFile(other, []byte("alicf"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, file); err != nil {
		t.Fatal(err)
	}
	r.looked = r.looked.Add(-lookEvery)
	if uid, err := r.Lookup("alice"); err != nil || uid != 1002 {
		t.Errorf("after the file was replaced: %d, %v", uid, err)
	}
	lookup(t, r, a)

	a.uid = 1003
	kept := r.uids.kept["alice"]
	kept.at = kept.at.Add(-recentFor)
	r.uids.kept["alice"] = kept
	if uid, err := r.Lookup("alice"); err != nil || uid != 1003 {
		t.Errorf("after two seconds: %d, %v", uid, err)
	}
}

// TestRecentKeepsNoFailure: whoever was not there, or could not be asked for, is asked for again.
func TestRecentKeepsNoFailure(t *testing.T) {
	a := &asked{uid: 1000}
	r, _ := newRecentOf(t, a)
	lookup(t, r, a)
	for _, failure := range []error{ErrUnknownUser, errors.New("the user database does not answer")} {
		a.err = failure
		if _, err := r.Groups("alice"); !errors.Is(err, failure) {
			t.Errorf("Groups = %v, want %v", err, failure)
		}
		if _, err := r.Name(1000); !errors.Is(err, failure) {
			t.Errorf("Name = %v, want %v", err, failure)
		}
	}
	a.err = nil
	if groups, err := r.Groups("alice"); err != nil || len(groups) != 1 {
		t.Errorf("once it answers: %v, %v", groups, err)
	}
	if name, err := r.Name(1000); err != nil || name != "alice" {
		t.Errorf("once it answers: %q, %v", name, err)
	}
}

// TestRecentIsBounded looks more people up than are kept.
func TestRecentIsBounded(t *testing.T) {
	a := &asked{uid: 1000}
	r, _ := newRecentOf(t, a)
	lookup(t, r, a)
	for i := range uint32(2 * recentMost) {
		if _, err := r.Name(i); err != nil {
			t.Fatal(err)
		}
		if n := len(r.names.kept); n > recentMost {
			t.Fatalf("%d answers are kept", n)
		}
	}
	if len(r.names.kept) == 0 {
		t.Error("none is kept")
	}
}

// TestRecentWaitsForFilesToSettle: while another change could leave the files the same times, nothing is kept.
func TestRecentWaitsForFilesToSettle(t *testing.T) {
	r, file := newRecentOf(t, &asked{})
	for range 100 {
		if err := os.WriteFile(file, []byte("alice"), 0o600); err != nil {
			t.Fatal(err)
		}
		written := time.Now()
		if _, settled := r.look(); settled && time.Since(written) < settles-20*time.Millisecond {
			t.Fatal("a file that has just been written counts as settled")
		}
	}
}
