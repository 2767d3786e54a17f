package test

import (
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers is DESIGN §9's table, from the top down. A package may import those of the layers below its own, and of its
// own only what siblings says.
var layers = [][]string{
	{"cmd/*", "cgo/*"},
	{"internal/server", "internal/client", "internal/doctor", "internal/rollout"},
	{"internal/api", "internal/api/*"},
	{"internal/verifier", "internal/clock/monitor"},
	{"internal/session/logind"},
	{"internal/login", "internal/enroll", "internal/session"},
	{"internal/policy", "internal/vault", "internal/ledger", "internal/audit", "internal/wire", "internal/qr", "internal/transfer"},
	{"internal/otp", "internal/clock", "internal/disk", "internal/pamstack", "internal/sshdconfig", "internal/passwd"},
}

// siblings are the imports inside one layer.
var siblings = map[string]string{
	"internal/rollout": "internal/doctor", // what it does has to please the doctor
	"internal/login":   "internal/enroll", // a login may hold a set-up
}

// heavy is what must stay out of the module, which every process that logs somebody in loads.
var heavy = []string{"github.com/varlink/", "github.com/spf13/", "net/http", "github.com/beevik/", "github.com/godbus/", "sallyport/internal/clock/monitor", "sallyport/internal/server", "sallyport/internal/client", "sallyport/internal/api"}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "sallyport/")
		from := layer(name)
		if from < 0 {
			if !strings.HasPrefix(name, "test") && !strings.Contains(name, "/disktest") && !strings.Contains(name, "/sessiontest") && !strings.Contains(name, "/wire/") && !strings.Contains(name, "/ctest") {
				t.Errorf("%s has no layer: give it one in this table", name)
			}
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, "sallyport/")
			if !ours || siblings[name] == target {
				continue
			}
			if to := layer(target); to <= from {
				t.Errorf("%s imports %s, which is not below it", name, target)
			}
		}
	}
}

func TestModuleIsLean(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "sallyport/cgo/pam_sallyport" {
			continue
		}
		for _, dep := range p.Deps {
			if slices.ContainsFunc(heavy, func(h string) bool { return strings.HasPrefix(dep, h) }) {
				t.Errorf("the module links %s", dep)
			}
		}
		return
	}
	t.Error("the module is not among the packages")
}

func TestNoPackageIsCalledUtil(t *testing.T) {
	for _, p := range packages(t) {
		if base := path.Base(p.ImportPath); slices.Contains([]string{"util", "utils", "common", "helpers", "misc"}, base) {
			t.Errorf("%s: name it for what it holds", p.ImportPath)
		}
	}
}

// layer is the index of a package's layer; -1: it has none.
func layer(name string) int {
	return slices.IndexFunc(layers, func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := path.Match(pattern, name)
			return ok
		})
	})
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "sallyport/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}
