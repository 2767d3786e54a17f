package system

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sallyport/test/host"
)

// Previous is the release that upgrades begin with. Its sources are in testdata/previous.tar.xz rather than looked up in
// the repository's history, which a clone need not have, and it is built rather than played by recorded packets: so its
// module, daemon, maintainer scripts and files are the real ones. It is what git has at 4e4ac41, from before sessions and
// the clock, without the tests:
//
//	git ls-tree -r --name-only $C | grep -vE '_test\.go$|/testdata/|^test/|/ctest/|^\.ci|\.txt$' | xargs git archive $C | xz -9e
//
// The first release takes its place.
const Previous = Release("previous")

// Release is packages of ours from before.
type Release string

// previousVersion sorts before every version of ours.
const previousVersion = "0.0.1~previous"

// dir is where the packages are.
func (r Release) dir() (string, error) {
	sources, err := r.sources()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(sources)
	if err != nil {
		return "", err
	}
	top, err := cache()
	sum := sha256.Sum256(text)
	return filepath.Join(top, string(r)+"-"+hex.EncodeToString(sum[:8])), err
}

func (r Release) sources() (string, error) {
	root, err := host.Repository()
	return filepath.Join(root, "test/system/testdata", string(r)+".tar.xz"), err
}

func (r Release) ensure() error {
	dir, err := r.dir()
	if err != nil {
		return err
	}
	return ensure(string(r), dir, r.build)
}

// build fills a directory with the packages, as make deb does. It takes half a minute, most of it the compiler's.
func (r Release) build(dir string) error {
	sources, err := r.sources()
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	for _, line := range []string{
		"tar -xJf " + sources,
		"cp -r packaging/debian debian",
		"sed -i '1s/(.*)/(" + previousVersion + ")/' debian/changelog",
		`GOCACHE=$(go env GOCACHE) GOMODCACHE=$(go env GOMODCACHE) dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo`,
	} {
		cmd := exec.Command("/bin/sh", "-c", line)
		cmd.Dir = tree
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", line, err, out)
		}
	}
	return os.RemoveAll(tree)
}

// CopyPrevious puts the packages of Previous into a directory of the guest's.
func (g *Guest) CopyPrevious() (dir string) {
	g.t.Helper()
	from, err := Previous.dir()
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	if found, err := filepath.Glob(filepath.Join(from, "*.deb")); err != nil || len(found) != 2 {
		g.t.Fatalf("%d packages in %s, want 2: name Previous in system.Main", len(found), from)
	}
	dir = "/root/" + previousVersion
	g.Copy(from, dir)
	return dir
}

// ProtectPreviousSSH is ProtectSSH for Previous, whose README had no session line yet.
func (g *Guest) ProtectPreviousSSH() {
	g.t.Helper()
	var lines strings.Builder
	for line := range strings.Lines(block(g.t, "README.md", "pam")) {
		if !strings.HasPrefix(line, "session") {
			lines.WriteString(line)
		}
	}
	g.protectSSH(lines.String())
}
