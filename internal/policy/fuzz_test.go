package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// FuzzParse parses two files, the second over the first. Whatever they are:
// what is refused is refused with file and line; what is accepted is the same
// policy when it is written down and read again; and it can decide and explain.
func FuzzParse(f *testing.F) {
	f.Add(everything, "")
	f.Add("", everything)
	for _, text := range seeds(f) {
		f.Add(text, "[codes]\nwindow = 2\n")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		p, err := Parse(files("first", first, "second", second))
		if err != nil {
			checkProblems(t, err, map[string]string{"first": first, "second": second})
			return
		}
		text := written(p)
		again, err := Parse(files("again", text))
		if err != nil {
			t.Fatalf("%v\nin\n%s", err, text)
		}
		if rewritten := written(again); rewritten != text {
			t.Fatalf("got\n%s\nthen\n%s", text, rewritten)
		}
		p.Warnings()
		req := Request{User: "alice", Service: "sshd", Source: "10.1.2.3", Groups: func() ([]string, error) { return []string{"sudo"}, nil }}
		checkExplained(t, p, req, time.Unix(1800000000, 0))
	})
}

// seeds are the files of testdata/problems, which have something of everything.
func seeds(f *testing.F) []string {
	f.Helper()
	paths, err := filepath.Glob("testdata/problems/*.toml")
	if err != nil || len(paths) == 0 {
		f.Fatal(err, paths)
	}
	var texts []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

// checkProblems holds every problem against the text that it is about.
func checkProblems(t *testing.T, err error, texts map[string]string) {
	t.Helper()
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("got %T %v, want Problems", err, err)
	}
	for _, p := range problems {
		text, ok := texts[p.File]
		if !ok || p.Line < 1 || p.Line > strings.Count(text, "\n")+1 {
			t.Errorf("%+v is nowhere", p)
		}
		if !strings.HasSuffix(p.Text, ".") || !printable(p.String()) {
			t.Errorf("%+v is no sentence", p)
		}
	}
}

// written is a policy as TOML.
func written(p *Policy) string {
	var b strings.Builder
	for _, s := range p.Settings() {
		fmt.Fprintf(&b, "%s = %s\n", s.Name, s.Value)
	}
	for i := range p.Delegates {
		b.WriteString("[[delegate]]\n")
		for _, s := range p.Delegates[i].Settings() {
			fmt.Fprintf(&b, "%s = %s\n", s.Name, s.Value)
		}
	}
	for i := range p.Rules {
		b.WriteString("[[rule]]\n")
		for _, s := range p.Rules[i].Settings() {
			fmt.Fprintf(&b, "%s = %s\n", s.Name, s.Value)
		}
	}
	return b.String()
}

// FuzzKeyLines holds keyLines against the decoder.
func FuzzKeyLines(f *testing.F) {
	f.Add(everything)
	f.Add("a = \"\"\"\n\\\"\"\" \"\"\"\"\"\nb = { c = ['''\n]'''], \"d\\\"\" . e = 1 }\n[[f]]\ng = 1")
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		var values map[string]any
		if strings.Count(doc, "\n") > 100 || invalidUTF8([]byte(doc)) >= 0 {
			return
		}
		_, deep := keyLines(doc)
		if deep > 0 {
			return
		}
		if _, err := toml.Decode(doc, &values); err != nil {
			return
		}
		checkAgainstDecoder(t, doc)
	})
}

// TestBounds: the decoder is recursive, and a stack that overflows cannot be
// recovered from; its memory grows with the square of the length of keys.
func TestBounds(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, maxFile/2/len(s)-10) }
	for name, text := range map[string]string{
		"arrays":         "\nx = " + fill("["),
		"tables":         "\nx = " + fill("{a="),
		"arrays, tables": "\nx = " + fill("[{a="),
		"closed":         "\nx = " + fill("[") + fill("]"),
		"lines":          "\nx = {\n" + strings.Repeat("\na={", 20),
		"dots":           "\n" + fill("a.") + "a = 1",
		"dotted table":   "\n[" + fill("a.") + "a]",
		"long key":       "\n" + fill("a") + " = 1",
		"long table":     "\n[" + fill("a") + "]\n" + fill("a = 1\n"),
		"quoted":         "\n[\"" + fill("a") + "\"]",
		"unquoted":       "\n\"" + fill("a"),
		"beyond":         "\nx = \"" + fill("a") + fill("b") + strings.Repeat("c", 100) + "\"",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(files("f", text))
			checkProblems(t, err, map[string]string{"f": text})
			t.Log(err)
			if what := err.Error(); !strings.Contains(what, "too deeply") && !strings.Contains(what, "larger than 256 KiB") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWithinBounds: what is just within them is read.
func TestWithinBounds(t *testing.T) {
	for _, text := range []string{
		"x = " + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
		"x = " + strings.Repeat("{a=", maxDepth) + "1" + strings.Repeat("}", maxDepth),
		"x" + strings.Repeat(".x", maxDepth-1) + " = 1",
		strings.Repeat("x", maxKey-1) + " = 1",
	} {
		checkAgainstDecoder(t, text)
	}
}
