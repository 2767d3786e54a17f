package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestKeyLines(t *testing.T) {
	for _, test := range []struct {
		name, doc string
		want      string // key=line ...
	}{
		{"empty", "", ""},
		{"blank", "\n \t\r\n# comment = 1\n", ""},
		{"plain", "a = 1\n\nb = 2", "a=1 b=3"},
		{"tables", "[a]\nb = 1\n[ c . d ] # x\n\ne = 2\n[[f]]\ng = 3\n[[f]]\n", "a=1 a.b=2 c.d=3 c.d.e=5 f=6 f.g=7 f=8"},
		{"dotted", "a.b . c = 1\na.d=2", "a.b.c=1 a.d=2"},
		{"quoted keys", "\"a]=b\" = 1\n['c]#'.\"d\\\"]\"]\n'' = 2", "\"a]=b\"=1 \"c]#\".\"d\\\"]\"=2 \"c]#\".\"d\\\"]\".\"\"=3"},
		{"strings", "a = \"x = 1 # [b]\\\" \\\\\"\nb = '\\'\nc = \"\"\nd = ''", "a=1 b=2 c=3 d=4"},
		{"multi-line string", "a = \"\"\"\nx = 1\n\\\"\"\" \"\" \\\n  [y]\"\"\"\"\"\nb = '''\nz = 1\n\\''''\nc = 3", "a=1 b=5 c=8"},
		{"empty multi-line", "a = \"\"\"\"\"\"\nb = ''''''\nc = 1", "a=1 b=2 c=3"},
		{"array", "a = [ # ]\n  \"]\", # x = 1\n  [1, 2],\n  '''\n]''',\n]\nb = 2", "a=1 b=7"},
		{"inline table", "a = { b = 1, c.d = \"}\", e = { f = [ { g = 1 } ] } }\nh = 1", "a=1 a.b=1 a.c.d=1 a.e=1 a.e.f=1 a.e.f.g=1 h=2"},
		{"split inline table", "a = { # }\n  b = 1,\n\n  c = 2\n}\nd = 3", "a=1 a.b=2 a.c=4 d=6"},
		{"scalars", "a = 1979-05-27 07:32:00Z # x\nb = -inf\nc = [true,0x1F]\nd = 1e5", "a=1 b=2 c=3 d=4"},
		{"line ends", "a = 1\r\n[b]\r\nc = '''x\r\ny'''\r\nd = 2\r\n", "a=1 b=2 b.c=3 b.d=5"},
		{"mark", "\ufeff[a]\nb = 1", "a=1 a.b=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			keys, lines := keysAndLines(t, test.doc)
			var got []string
			for i := range keys {
				got = append(got, fmt.Sprintf("%s=%d", keys[i], lines[i]))
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got  %v\nwant %s", got, test.want)
			}
		})
	}
}

// keysAndLines decodes a document; there must be as many lines as keys.
func keysAndLines(t *testing.T, doc string) ([]toml.Key, []int) {
	t.Helper()
	var values map[string]any
	meta, err := toml.Decode(doc, &values)
	if err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	keys := meta.Keys()
	lines, deep := keyLines(doc)
	if deep > 0 {
		t.Fatalf("%q is too deep at line %d", doc, deep)
	}
	if len(keys) != len(lines) {
		t.Fatalf("%q has the keys %v, but on the lines %v", doc, keys, lines)
	}
	return keys, lines
}

// checkAgainstDecoder holds the lines of a document's keys against the decoder:
// of a beginning of the document that is itself TOML, it must know as many keys
// as are on those lines.
func checkAgainstDecoder(t *testing.T, doc string) {
	t.Helper()
	_, lines := keysAndLines(t, doc)
	for n := range strings.Count(doc, "\n") + 1 {
		begin := firstLines(doc, n)
		if strings.HasSuffix(begin, "\r\n") {
			begin = strings.TrimSuffix(begin, "\r\n") + "\n" // a comment that is cut off before its \n must not end in \r
		}
		var values map[string]any
		meta, err := toml.Decode(begin, &values)
		if err != nil {
			continue
		}
		on := 0
		for _, line := range lines {
			if line <= n {
				on++
			}
		}
		if on != len(meta.Keys()) {
			t.Fatalf("%q: the first %d lines have %d keys, but were said to have %d (%v)", doc, n, len(meta.Keys()), on, lines)
		}
	}
}

// TestKeyLinesOfRandomDocuments writes random documents in all the ways that
// TOML allows, and knows where it put the keys.
func TestKeyLinesOfRandomDocuments(t *testing.T) {
	for seed := range uint64(1000) {
		w := writer{rand: rand.New(rand.NewPCG(seed, 0)), line: 1}
		w.document()
		doc := w.text.String()
		keys, lines := keysAndLines(t, doc)
		if !reflect.DeepEqual(lines, w.lines) {
			t.Fatalf("seed %d:\n%s\nkeys %v are on the lines %v, not %v", seed, doc, keys, w.lines, lines)
		}
		checkAgainstDecoder(t, doc)
	}
}

// writer writes TOML and notes the lines of keys.
type writer struct {
	rand  *rand.Rand
	text  strings.Builder
	line  int
	lines []int
	names int
}

func (w *writer) put(s string) {
	w.text.WriteString(s)
	w.line += strings.Count(s, "\n")
}

func (w *writer) one(of ...string) string { return of[w.rand.IntN(len(of))] }

// space puts what may stand between tokens where line ends may.
func (w *writer) space() {
	w.put(w.one("", "", " ", "\t", "\n", "\r\n", "# c = ]}\"'\n", " # [x]\n\n"))
}

// name puts a key that was not used before.
func (w *writer) name() {
	w.names++
	n := w.names
	w.put(w.one(
		fmt.Sprintf("k%d", n), fmt.Sprintf("k%d . x", n), fmt.Sprintf(`"k%d]=#"`, n), fmt.Sprintf(`'k%d"['`, n),
		fmt.Sprintf(`"k%d\"".'y]'`, n), fmt.Sprintf("%d", n)))
}

func (w *writer) document() {
	for range w.rand.IntN(8) {
		w.space()
		w.put("\n")
		if w.rand.IntN(3) == 0 {
			w.lines = append(w.lines, w.line)
			brackets := 1 + w.rand.IntN(2)
			w.put(strings.Repeat("[", brackets) + " ")
			w.name()
			w.put(strings.Repeat("]", brackets))
		} else {
			w.pair(3)
		}
		w.put(w.one("", " ", "# x = 1", "\r") + "\n")
	}
}

func (w *writer) pair(depth int) {
	w.lines = append(w.lines, w.line)
	w.name()
	w.put(w.one("=", " = "))
	w.value(depth)
}

func (w *writer) value(depth int) {
	if kind := w.rand.IntN(4); kind == 0 && depth > 0 {
		w.put("[")
		for range w.rand.IntN(4) {
			w.space()
			w.value(depth - 1)
			w.space()
			w.put(",")
		}
		w.space()
		w.put("]")
	} else if kind == 1 && depth > 0 {
		w.put("{")
		for i := range w.rand.IntN(4) {
			if i > 0 {
				w.put(",")
			}
			w.space()
			w.pair(depth - 1)
			w.space()
		}
		w.put("}")
	} else {
		w.put(w.one(
			"1", "-1_000", "1.5e3", "true", "inf", "2027-03-01", "2027-03-01 08:00:00+01:00", "08:00:00",
			`"x"`, `"\\"`, `"\"]}"`, `'\'`, `""`, `''`, `"#"`, `'''a'''`, `""""""`,
			"\"\"\"\n[x]\ny = 1\n\"\"\"", "\"\"\"\\\"\"\"\n\"\"\"\"\"", "'''\n'\n''''", "\"\"\"a\\\n  b\\\\\"\"\""))
	}
}
