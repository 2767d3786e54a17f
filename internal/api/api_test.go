package api

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated runs the generator on a copy of each interface and compares what it writes with what is committed.
func TestGenerated(t *testing.T) {
	files, err := filepath.Glob("*/*.varlink")
	if err != nil || len(files) != 3 {
		t.Fatalf("found the interfaces %q, %v; want three", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			copied := filepath.Join(t.TempDir(), filepath.Base(file))
			if err := os.WriteFile(copied, source, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "run", "github.com/varlink/go/cmd/varlink-go-interface-generator", copied).CombinedOutput()
			if err != nil {
				t.Fatalf("generator: %v\n%s", err, out)
			}
			name := filepath.Base(filepath.Dir(file)) + ".go"
			want, err := os.ReadFile(filepath.Join(filepath.Dir(copied), name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(filepath.Dir(file), name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what %s gives; run: go generate ./internal/api/...", name, file)
			}
		})
	}
}
