package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const catalog = "../../systemd/sallyport.catalog"

// installed is the catalogue in a tree of its own, taken in as the package's trigger does it, and what of it is there.
func installed(t *testing.T) (root string, ids []string) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, "usr/lib/systemd/catalog")
	text, err := os.ReadFile(catalog)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.Base(catalog)), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := journalctl(t, root, "--update-catalog"); out != "" {
		t.Errorf("journalctl --update-catalog says:\n%s", out)
	}
	for line := range strings.Lines(journalctl(t, root, "--list-catalog")) {
		id, title, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(title, "Sallyport: ") || len(title) > 80 {
			t.Errorf("%s is listed as %q", id, title)
		}
		ids = append(ids, id)
	}
	return root, ids
}

func journalctl(t *testing.T, root string, args ...string) string {
	t.Helper()
	out, err := exec.Command("journalctl", append([]string{"--root=" + root, "--no-pager"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("journalctl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestCatalog has "journalctl -x" explain every kind, and none that is not there.
func TestCatalog(t *testing.T) {
	root, ids := installed(t)
	known := map[string]Kind{}
	for k, a := range kinds {
		known[a.id] = k
		if !slices.Contains(ids, a.id) {
			t.Errorf("%s: systemd/sallyport.catalog has no entry for %s", k, a.id)
			continue
		}
		checkEntry(t, k, journalctl(t, root, "--dump-catalog", a.id))
	}
	for _, id := range ids {
		if known[id] == "" {
			t.Errorf("systemd/sallyport.catalog explains %s, which no kind has", id)
		}
	}
	if text, err := os.ReadFile(catalog); err != nil || strings.Count(string(text), "\n-- ") != len(ids) {
		t.Errorf("systemd/sallyport.catalog has an entry twice (error %v)", err)
	}
}

var fieldName = regexp.MustCompile(`\bSALLYPORT_[A-Z]+\b`)

// checkEntry holds an entry to what it needs, and to fields that events have.
func checkEntry(t *testing.T, k Kind, entry string) {
	t.Helper()
	head, text, _ := strings.Cut(entry, "\n\n")
	if !strings.Contains(head, "\nSubject: ") || !strings.Contains(head, "\nDocumentation: man:") || len(text) < 40 {
		t.Errorf("%s: the entry does not say enough:\n%s", k, entry)
	}
	if strings.Contains(entry, "@") { // what was typed must not become part of a command that an admin copies
		t.Errorf("%s: the entry has a value of the event put in:\n%s", k, entry)
	}
	for _, name := range fieldName.FindAllString(text, -1) {
		source, err := os.ReadFile("event.go")
		if err != nil || !strings.Contains(string(source), `"`+name+`"`) {
			t.Errorf("%s: no event has the field %s (error %v)", k, name, err)
		}
	}
}
