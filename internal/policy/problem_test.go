package policy

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files of testdata that hold what is wanted")

// TestProblems parses each file in testdata/problems, or all files of each
// directory there, and holds what is reported against the file .want beside it.
func TestProblems(t *testing.T) {
	entries, err := os.ReadDir("testdata/problems")
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".toml")
		if strings.HasSuffix(name, ".want") {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			_, err := Parse(testFiles(t, filepath.Join("testdata/problems", e.Name())))
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			golden(t, filepath.Join("testdata/problems", name+".want"), problems.Error()+"\n")
		})
	}
	if tested < 20 {
		t.Errorf("only %d cases were found", tested)
	}
}

// testFiles reads a file, or the files of a directory in name order.
func testFiles(t *testing.T, path string) []File {
	t.Helper()
	var all []File
	err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(all, File{filepath.Base(path), data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden holds got against the content of a file.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant (%s)\n%s", got, file, want)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"window", "window", 0},
		{"windw", "window", 1},
		{"wnidow", "window", 1},
		{"windowss", "window", 2},
		{"", "window", 6},
		{"limit", "logout", 4},
		{strings.Repeat("x", 1000), strings.Repeat("x", 2000), 0},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) is %d, want %d", test.a, test.b, got, test.want)
		}
		if got := distance(test.b, test.a); got != test.want {
			t.Errorf("distance(%q, %q) is %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for _, test := range []struct {
		word   string
		others []string
		want   string
	}{
		{"window", []string{"widows", "windows", "winddows"}, `Did you mean "windows"?`},
		{"If_Enrolled", []string{"enroll", "if-enrolled"}, `Did you mean "if-enrolled"?`},
		{"x", []string{"who", "may"}, ""},
		{"", []string{"who", "may"}, ""},
	} {
		if got := didYouMean(test.word, test.others); got != test.want {
			t.Errorf("%q: got %s, want %s", test.word, got, test.want)
		}
	}
}

func TestProblemString(t *testing.T) {
	for _, test := range []struct {
		problem Problem
		want    string
	}{
		{Problem{"/etc/x", 3, "Text.", "Hint."}, "/etc/x:3: Text. Hint."},
		{Problem{"/etc/x", 0, "Text.", ""}, "/etc/x: Text."},
		{Problem{"/etc/x\n", 1, "Text.", ""}, `"/etc/x\n":1: Text.`},
	} {
		if got := test.problem.String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
