package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestPeersPage: each test that docs/peers.md and docs/security.md name is one of the tree's, and each row names one or
// says why not. So is each fuzz target of the tree in docs/security.md.
func TestPeersPage(t *testing.T) {
	root, err := host.Repository()
	if err != nil {
		t.Fatal(err)
	}
	grep := exec.Command("grep", "-rhoE", "--include=*_test.go", `^func (Test|Fuzz)[A-Za-z0-9_]+`, "cmd", "cgo", "internal", "test")
	grep.Dir = root
	out, err := grep.Output()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		there[strings.TrimPrefix(strings.TrimSpace(line), "func ")] = true
	}
	named := map[string]bool{}
	for _, page := range []string{"docs/peers.md", "docs/security.md"} {
		text, err := os.ReadFile(root + "/" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)`").FindAllStringSubmatch(string(text), -1) {
			if named[name[1]] = true; !there[name[1]] {
				t.Errorf("%s names %s, which is no test", page, name[1])
			}
		}
		if page == "docs/peers.md" {
			checkRows(t, string(text))
		}
	}
	for name := range there {
		if strings.HasPrefix(name, "Fuzz") && !named[name] {
			t.Errorf("docs/security.md does not say what %s is for", name)
		}
	}
}

// checkRows fails for a row whose second column says nothing.
func checkRows(t *testing.T, text string) {
	t.Helper()
	rows := 0
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") {
			continue
		}
		if rows++; len(cells) != 2 || len(strings.TrimSpace(cells[1])) < 8 {
			t.Errorf("this row has no test and no reason: %s", line)
		}
	}
	if rows < 60 {
		t.Errorf("docs/peers.md has %d rows", rows)
	}
}
