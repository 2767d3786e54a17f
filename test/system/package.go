package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sallyport/test/host"
)

// PackageVersion is that of what make deb has left.
func PackageVersion(t host.T) string {
	t.Helper()
	return strings.TrimSpace(host.Output(t, "dpkg-deb", "--field", packageFile(t, "sallyport"), "Version"))
}

// packageFile is one of the packages that make deb leaves.
func packageFile(t host.T, name string) string {
	t.Helper()
	repository, err := host.Repository()
	if err != nil {
		t.Fatalf("%v", err)
	}
	found, err := filepath.Glob(filepath.Join(repository, "build/deb", name+"_*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages %s in build/deb, want 1: run make deb", len(found), name)
	}
	return found[0]
}

// CopyPackages puts both packages into a directory of the guest's: /root/VERSION. Another version than PackageVersion
// are the same files under that number.
func (g *Guest) CopyPackages(version string) (dir string) {
	g.t.Helper()
	stage := g.t.TempDir()
	for _, name := range []string{"sallyport", "libpam-sallyport"} {
		file := packageFile(g.t, name)
		if version == PackageVersion(g.t) {
			host.Output(g.t, "cp", file, stage)
			continue
		}
		repack(g.t, file, filepath.Join(stage, name+"_"+version+"_amd64.deb"), version)
	}
	dir = "/root/" + version
	g.Copy(stage, dir)
	return dir
}

// repack makes the package of another version out of one.
func repack(t host.T, from, to, version string) {
	t.Helper()
	tree, err := os.MkdirTemp(t.TempDir(), "package-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	own := strings.TrimSpace(host.Output(t, "dpkg-deb", "--field", from, "Version"))
	host.Output(t, "dpkg-deb", "--raw-extract", from, tree)
	control := filepath.Join(tree, "DEBIAN/control")
	text, err := os.ReadFile(control)
	if err != nil {
		t.Fatalf("%v", err)
	}
	changed := strings.ReplaceAll(string(text), "Version: "+own+"\n", "Version: "+version+"\n")
	changed = strings.ReplaceAll(changed, fmt.Sprintf("(= %s)", own), fmt.Sprintf("(= %s)", version))
	host.WriteFile(t, control, changed, 0o644)
	host.Output(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, to)
}

// apt is apt's front end for scripts; what a package asks gets its default.
const apt = "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --option Dpkg::Use-Pty=0 "

// InstallPackages installs a directory of packages as an admin does, without the network: what they depend on is there.
func (g *Guest) InstallPackages(dir string) string {
	g.t.Helper()
	return g.Run(apt + "install " + dir + "/*.deb")
}
