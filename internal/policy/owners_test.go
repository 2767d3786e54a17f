package policy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ownersHost is a file of owners, and what was said about it.
type ownersHost struct {
	Owners
	path string
	said []string
}

func newOwnersHost(t *testing.T) *ownersHost {
	h := &ownersHost{path: filepath.Join(t.TempDir(), "owners")}
	h.Now = time.Now
	h.Unreadable = func(path string, err error) { h.said = append(h.said, fmt.Sprintf("%s: %v", filepath.Base(path), err)) }
	return h
}

func (h *ownersHost) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(h.path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOwnersFollowsTheFile: each change counts from the next question on, in the same instant, of the same length, in
// place or by a new file.
func TestOwnersFollowsTheFile(t *testing.T) {
	h := newOwnersHost(t)
	h.write(t, "#userowners v1\nalice: rita\n\n bob :ron\ncarl:rita\n")
	for account, want := range map[string]string{"alice": "rita", "bob": "ron", "carl": "rita", "dave": "", "": "", "#userowners v1": ""} {
		if got := h.Owner(h.path, account); got != want {
			t.Errorf("%q belongs to %q, want %q", account, got, want)
		}
	}
	for i, want := range []string{"rosa", "rita", "rosa", "rita"} {
		if i%2 == 0 {
			h.write(t, "alice: "+want+"\n")
		} else {
			next := h.path + ".new"
			if err := os.WriteFile(next, []byte("alice: "+want+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(next, h.path); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.Owner(h.path, "alice"); got != want {
			t.Errorf("after change %d alice belongs to %q, want %q", i, got, want)
		}
	}
	if h.said != nil {
		t.Errorf("it was said that %q", h.said)
	}
}

// TestOwnersIsReadOnce: a file that has settled is not read again while it is what it was.
func TestOwnersIsReadOnce(t *testing.T) {
	h := newOwnersHost(t)
	h.write(t, "alice: rita\n")
	h.Now = func() time.Time { return time.Now().Add(time.Hour) }
	h.Owner(h.path, "alice")
	h.files[h.path].owners["alice"] = "kept"
	if got := h.Owner(h.path, "alice"); got != "kept" {
		t.Errorf("it was read again, and says %q", got)
	}
	h.write(t, "alice: ron\n")
	if got := h.Owner(h.path, "alice"); got != "ron" {
		t.Errorf("it was changed, and is %q still", got)
	}
}

// TestOwnersGivesNothing by a file that is not as it must be, and says so, once for each state of the file.
func TestOwnersGivesNothing(t *testing.T) {
	for _, test := range []struct {
		name  string
		text  string
		spoil func(path string) error
		want  string
	}{
		{"missing", "", os.Remove, "no such file"},
		{"others may write it", "alice: rita\n", func(path string) error { return os.Chmod(path, 0o666) }, "has mode 0666"},
		{"the directory", "alice: rita\n", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }, "has mode 0777"},
		{"another's", "alice: rita\n", func(path string) error { return os.Chown(path, 1000, 0) }, "belongs to uid 1000"},
		{"a link", "alice: rita\n", func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		}, "is a symbolic link"},
		{"not whole", "alice: rita\nbob: rit", nil, "its last line is not complete"},
		{"no owner", "alice: rita\nbob\n", nil, `line 2 is not "account: owner"`},
		{"empty owner", "alice: rita\nbob:\n", nil, `line 2 is not`},
		{"three", "alice: rita\nbob: rita: ron\n", nil, `line 2 is not`},
		{"a group", "alice: rita\n@bob: rita\n", nil, `line 2 is not`},
		{"control", "alice: rita\nbo\x1bb: rita\n", nil, `line 2 is not`},
		{"twice", "alice: rita\nalice: ron\n", nil, `line 2 gives "alice" another owner`},
		{"too large", "alice: rita\n" + strings.Repeat("#\n", maxOwners/2), nil, "it is larger than 16 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newOwnersHost(t)
			h.write(t, test.text)
			if test.spoil != nil {
				if err := test.spoil(h.path); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				if got := h.Owner(h.path, "alice"); got != "" {
					t.Fatalf("alice belongs to %q", got)
				}
			}
			if len(h.said) != 1 || !strings.Contains(h.said[0], test.want) {
				t.Errorf("it was said that %q, want once %q", h.said, test.want)
			}
		})
	}
}

// TestOwnersMends: a file that is put right counts again.
func TestOwnersMends(t *testing.T) {
	h := newOwnersHost(t)
	h.write(t, "alice: rita\n")
	h.Owner(h.path, "alice")
	h.write(t, "alice rita\n")
	if got := h.Owner(h.path, "alice"); got != "" || len(h.said) != 1 {
		t.Errorf("alice belongs to %q, and it was said that %q", got, h.said)
	}
	h.write(t, "alice: ron\n")
	if got := h.Owner(h.path, "alice"); got != "ron" || len(h.said) != 1 {
		t.Errorf("alice belongs to %q, and it was said that %q", got, h.said)
	}
	// The file itself stays what it is here.
	h.Now = func() time.Time { return time.Now().Add(time.Hour) }
	dir, again := filepath.Dir(h.path), &Owners{Now: h.Now, Unreadable: h.Unreadable}
	for _, step := range []struct {
		mode os.FileMode
		want string
	}{{0o777, ""}, {0o755, "ron"}} {
		if err := os.Chmod(dir, step.mode); err != nil {
			t.Fatal(err)
		}
		if got := again.Owner(h.path, "alice"); got != step.want {
			t.Errorf("in a directory of mode %v alice belongs to %q, want %q", step.mode, got, step.want)
		}
	}
}

// FuzzParseOwners: whatever the file is, who has an owner by it and who that is are names, and the same file written
// down again says the same.
func FuzzParseOwners(f *testing.F) {
	for _, seed := range []string{"alice: carol\nbob: root\n", "# all\n\nalice:carol\n", "alice: carol\nalice: dave\n", "alice: @wheel\n", "alice: carol"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		owners, err := parseOwners(data)
		if err != nil {
			if !printable(err.Error()) {
				t.Errorf("this is shown: %q", err)
			}
			return
		}
		var again strings.Builder
		for account, owner := range owners {
			if checkMember(account) != nil || checkMember(owner) != nil || isGroup(account) || isGroup(owner) {
				t.Errorf("%q owns %q", owner, account)
			}
			fmt.Fprintf(&again, "%s: %s\n", account, owner)
		}
		if same, err := parseOwners([]byte(again.String())); err != nil || !maps.Equal(same, owners) {
			t.Errorf("%v became %v, %v", owners, same, err)
		}
	})
}
