package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/disk"
)

// tree writes files below a new directory, given as path, content, ...
func tree(t *testing.T, pathAndText ...string) disk.Root {
	t.Helper()
	root := t.TempDir()
	for i := 0; i < len(pathAndText); i += 2 {
		path := filepath.Join(root, pathAndText[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(pathAndText[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return disk.Root(root)
}

func TestLoadNothing(t *testing.T) {
	p, err := Load(tree(t))
	if err != nil {
		t.Fatal(err)
	}
	if written(p) != written(defaultPolicy()) {
		t.Errorf("got\n%s", written(p))
	}
}

func TestLoadOrder(t *testing.T) {
	rule := "[[rule]]\nlimit = 1\n"
	root := tree(t,
		"usr/lib/sallyport/b.toml", "issuer = \"vendor b\"\n[codes]\nwindow = 2\nattempts = 1\n"+rule,
		"usr/lib/sallyport/a.toml", "issuer = \"vendor a\"\n[codes]\nwindow = 1\n"+rule,
		"etc/sallyport/sallyport.toml", "issuer = \"main\"\n[codes]\nattempts = 2\n"+rule,
		"etc/sallyport/other.toml", "not read",
		"etc/sallyport/sallyport.d/20.toml", "issuer = \"20\"\n"+rule,
		"etc/sallyport/sallyport.d/100.toml", "issuer = \"100\"\n"+rule,
		"etc/sallyport/sallyport.d/.30.toml", "not read",
		"etc/sallyport/sallyport.d/30.toml~", "not read",
		"etc/sallyport/sallyport.d/README", "not read",
	)
	p, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if p.Issuer != "20" || p.Codes != (Codes{2, 2}) {
		t.Errorf("got issuer %q, codes %v", p.Issuer, p.Codes)
	}
	var order []string
	for _, r := range p.Rules {
		order = append(order, strings.TrimPrefix(r.File, string(root)))
	}
	want := "/etc/sallyport/sallyport.d/20.toml /etc/sallyport/sallyport.d/100.toml /etc/sallyport/sallyport.toml " +
		"/usr/lib/sallyport/b.toml /usr/lib/sallyport/a.toml"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("rules are tried in the order of\n%s, want\n%s", got, want)
	}
}

// TestLoadProblems: a file that is not to be trusted is not read, and what is
// wrong with the others is reported with it.
func TestLoadProblems(t *testing.T) {
	const main, dropIn = "etc/sallyport/sallyport.toml", "etc/sallyport/sallyport.d/x.toml"
	for _, test := range []struct {
		name  string
		spoil func(root string) error
		want  string // ROOT stands for the tree
	}{
		{"writable file", func(root string) error { return os.Chmod(filepath.Join(root, main), 0o666) },
			`ROOT/` + main + `: "ROOT/` + main + `" has mode 0666: others may write it. Run: chmod go-w 'ROOT/` + main + `'`},
		{"writable directory", func(root string) error { return os.Chmod(filepath.Join(root, "etc/sallyport/sallyport.d"), 0o777) },
			`ROOT/etc/sallyport/sallyport.d: "ROOT/etc/sallyport/sallyport.d" has mode 0777: others may change what is in it. Run: chmod go-w 'ROOT/etc/sallyport/sallyport.d'`},
		{"link", func(root string) error {
			return os.Symlink("x.toml", filepath.Join(root, "etc/sallyport/sallyport.d/y.toml"))
		},
			`ROOT/etc/sallyport/sallyport.d/y.toml: "ROOT/etc/sallyport/sallyport.d/y.toml" is a symbolic link`},
		{"directory", func(root string) error { return os.Mkdir(filepath.Join(root, "usr/lib/sallyport/y.toml"), 0o755) },
			`ROOT/usr/lib/sallyport/y.toml: "ROOT/usr/lib/sallyport/y.toml" is not a regular file`},
		{"too large", func(root string) error { return os.Truncate(filepath.Join(root, main), 10<<20) },
			`ROOT/` + main + `:1: This file is larger than 256 KiB.`},
		{"no directory", func(root string) error {
			return errors.Join(os.RemoveAll(filepath.Join(root, "etc/sallyport/sallyport.d")), os.WriteFile(filepath.Join(root, "etc/sallyport/sallyport.d"), nil, 0o644))
		},
			`ROOT/etc/sallyport/sallyport.d: "ROOT/etc/sallyport/sallyport.d" is not a directory`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, main, "[lockout]\nlock = \"1h\"\n", dropIn, "[lockout]\nlock_max = \"30m\"\n",
				"usr/lib/sallyport/a.toml", "enable = true\n")
			if err := test.spoil(string(root)); err != nil {
				t.Fatal(err)
			}
			_, err := Load(root)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			got := strings.ReplaceAll(err.Error(), string(root), "ROOT")
			if !strings.Contains(got, test.want) {
				t.Errorf("got\n%s\nwithout\n%s", got, test.want)
			}
			if !strings.Contains(got, `ROOT/usr/lib/sallyport/a.toml:1: Unknown key "enable"`) {
				t.Errorf("got\n%s\nwithout the problem of the other file", got)
			}
			if strings.Contains(got, "longer than") {
				t.Errorf("got\n%s\nthough lock and lock_max are not both known", got)
			}
		})
	}
}

// TestVanishedFile: a drop-in that was there a moment ago is not taken for one
// that nobody wrote.
func TestVanishedFile(t *testing.T) {
	var l loader
	path := filepath.Join(t.TempDir(), "x.toml")
	l.file(path, true)
	if l.problems != nil {
		t.Errorf("an optional file gave %v", l.problems)
	}
	l.file(path, false)
	if len(l.problems) != 1 || l.problems[0].File != path {
		t.Errorf("got %v", l.problems)
	}
}
