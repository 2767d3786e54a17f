package doctor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocs holds docs/doctor.md to the findings that there are.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, made []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, m[1])
	}
	for _, pattern := range []string{"*.go", "../rollout/*.go"} {
		files, _ := filepath.Glob(pattern) // it is well formed
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			id := regexp.MustCompile(`(?:ID: |checkSkipped\(|\.ID, at\.\w+ = |found\.ID, found\.What = |(?:sshd|root)Finding\([^"]*)"([a-z]+-[a-z-]+)"`)
			for _, m := range id.FindAllStringSubmatch(string(source), -1) {
				made = append(made, m[1])
			}
		}
	}
	slices.Sort(listed)
	slices.Sort(made)
	made = slices.Compact(made)
	if !slices.Equal(listed, made) {
		t.Errorf("docs/doctor.md lists\n%s\nand there are\n%s", strings.Join(listed, " "), strings.Join(made, " "))
	}
}
