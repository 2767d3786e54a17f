package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestQuick measures everything once. It looks at no time: those of a machine that is busy with tests say nothing.
func TestQuick(t *testing.T) {
	root, err := host.Repository()
	if err != nil {
		t.Fatal(err)
	}
	plots := filepath.Join(root, "test", "out", "bench-quick") // below the repository, which the private host keeps
	if err := os.RemoveAll(plots); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "./test/bench", "-quick", "-plots", plots)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	report := string(out)
	for _, section := range []string{
		"One right code, one login at a time", "Eight right codes at a time", "A code that is refused",
		"One right code, with others enrolled", "Verify over kept connections", "The daemon",
		"The module in the process that logs people in", "A real ssh login",
	} {
		if !strings.Contains(report, section) {
			t.Errorf("no section %q", section)
		}
	}
	for line := range strings.Lines(report) {
		if strings.Contains(line, "right codes refused") && !strings.Contains(line, " met") {
			t.Errorf("right codes were refused: %s", line)
		}
	}
	if drawn, _ := filepath.Glob(filepath.Join(plots, "*.svg")); len(drawn) != 4 {
		t.Errorf("%d plots, want 4", len(drawn))
	}
}
