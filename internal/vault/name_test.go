package vault

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/disk/disktest"
)

func TestImpossibleUserNames(t *testing.T) {
	_, v := newVault(t)
	for _, user := range []string{"", "a/b", "../x", "a\nb", "a\x00b", "\xff", strings.Repeat("a", 257)} {
		if _, err := v.Get(user, 1); err == nil || errors.Is(err, ErrNotEnrolled) {
			t.Errorf("Get(%q) = %v, want an error that lets nobody in", user, err)
		}
		if err := v.Delete(user); err == nil {
			t.Errorf("Delete(%q) is content", user)
		}
	}
	long := strings.Repeat("-", 100) // is 400 bytes in a file's name
	if _, err := v.Get(long, 1); !errors.Is(err, ErrNotEnrolled) {
		t.Errorf("Get of a name that no file can have = %v", err)
	}
	if err := v.Put(simple(long, 1)); err == nil {
		t.Error("Put of a name that no file can have is content")
	}
	must(t, v.Delete(long))
}

func TestUsers(t *testing.T) {
	files, v := newVault(t)
	for range v.Users() {
		t.Error("a user before the first")
	}
	want := []string{".hidden", "alice", "bob-2", "zoë@example.org", `DOM\carol`}
	for _, user := range want {
		must(t, v.Put(simple(user, 1)))
	}
	odd := []string{"x.toml~", "README", `\xzz.toml`, ".toml", "-.toml", `\x61.toml`, `a\x.toml`, `a\x4.toml`, `\x2D.toml`}
	for _, name := range odd {
		files.Put(root.Users()+"/"+name, nil)
	}
	files.Put(root.Users()+"/.tmp-ABC", nil)

	var users, bad []string
	for user, err := range v.Users() {
		var damaged *DamagedError
		switch {
		case err == nil:
			users = append(users, user)
		case errors.As(err, &damaged):
			bad = append(bad, filepath.Base(damaged.Path))
		default:
			t.Fatal(err)
		}
	}
	slices.Sort(users)
	slices.Sort(bad)
	slices.Sort(want)
	slices.Sort(odd)
	if !slices.Equal(users, want) {
		t.Errorf("users %q, want %q", users, want)
	}
	if !slices.Equal(bad, odd) {
		t.Errorf("damaged names %q, want %q", bad, odd)
	}
	for range v.Users() {
		break
	}
}

func TestUsersOnFailingDisk(t *testing.T) {
	files, v := newVault(t)
	must(t, v.Put(alice()))
	broken := errors.New("input/output error")
	files.FailNext(disktest.ReadDir, broken)
	var last error
	for _, err := range v.Users() {
		last = err
	}
	if !errors.Is(last, broken) {
		t.Errorf("Users ends with %v", last)
	}
}

func TestNamesAreSystemds(t *testing.T) {
	program, err := exec.LookPath("systemd-escape")
	if err != nil {
		t.Fatalf("%v: run make deps", err)
	}
	names := []string{"alice", ".", "..", ".a", "a.b", "a-b", "a_b", "a:b", `DOM\alice`,
		"alice@example.org", "zoë", " ", "$(id)", "a'b\"c", "名前", "-", "~", "A.Z0:9_"}
	for c := byte(0x20); c < 0x7f; c++ {
		if c != '/' {
			names = append(names, string(rune(c)), "x"+string(rune(c)))
		}
	}
	for _, name := range names {
		out, err := exec.Command(program, "--", name).Output()
		must(t, err)
		want := strings.TrimSuffix(string(out), "\n") + ".toml"
		if got := fileName(name); got != want {
			t.Errorf("fileName(%q) = %q, systemd says %q", name, got, want)
		}
		if user, err := userOf(want); user != name {
			t.Errorf("userOf(%q) = %q, %v", want, user, err)
		}
	}
}
