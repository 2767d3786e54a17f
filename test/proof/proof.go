// Package proof has the tests that attack Sallyport run long for make prove, and keeps what those runs find in
// docs/security.md.
package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sallyport/test/host"
)

// Long reports whether tests are to take the time that they want: make prove says so.
func Long() bool { return os.Getenv("SALLYPORT_PROVE") != "" }

// Rounds is how many of them a test does.
func Rounds(short, long int) int {
	if Long() {
		return long
	}
	return short
}

// Table is what a run finds, as Markdown shows it.
type Table struct {
	head []string
	rows [][]string
}

// NewTable is a table without rows.
func NewTable(head ...string) *Table { return &Table{head: head} }

// Row adds one, with a cell for each column.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(t.head))
	for i := range row {
		row[i] = strings.NewReplacer("|", "\\|", "\n", " ").Replace(fmt.Sprint(cells[i]))
	}
	t.rows = append(t.rows, row)
}

func (t *Table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	b.WriteString(strings.Repeat("| --- ", len(t.head)) + "|\n")
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}

// Keep logs a table and, in a long run, puts it into docs/security.md: between the two comments that name it.
func Keep(t host.T, name string, table *Table) {
	t.Helper()
	t.Logf("%s:\n%s", name, table)
	if !Long() {
		return
	}
	top, err := host.Repository()
	if err != nil {
		t.Fatalf("%v", err)
	}
	path := filepath.Join(top, "docs", "security.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	begin, end := fmt.Sprintf("<!-- %s: by make prove -->\n", name), fmt.Sprintf("<!-- end of %s -->", name)
	before, rest, ok1 := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no %q with a %q behind it", path, begin, end)
	}
	host.WriteFile(t, path, before+begin+table.String()+end+after, 0o644)
}
