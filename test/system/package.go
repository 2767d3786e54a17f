package system

import (
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

// CopyPackages puts both packages into a directory of the guest's: /root/VERSION.
func (g *Guest) CopyPackages() (dir string) {
	g.t.Helper()
	stage := g.t.TempDir()
	for _, name := range []string{"sallyport", "libpam-sallyport"} {
		host.Output(g.t, "cp", packageFile(g.t, name), stage)
	}
	dir = "/root/" + PackageVersion(g.t)
	g.Copy(stage, dir)
	return dir
}

// InstallPage installs the page for Cockpit, beside the other packages.
func (g *Guest) InstallPage() {
	g.t.Helper()
	stage := g.t.TempDir()
	host.Output(g.t, "cp", packageFile(g.t, "cockpit-sallyport"), stage)
	g.Copy(stage, "/root/page")
	g.InstallPackages("/root/page")
}

// apt is apt's front end for scripts; what a package asks gets its default, and so does dpkg's question whether to keep a
// changed file.
const apt = "DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --option Dpkg::Use-Pty=0 --option Dpkg::Options::=--force-confold "

// InstallPackages installs a directory of packages as an admin does, without the network: what they depend on is there.
func (g *Guest) InstallPackages(dir string) string {
	g.t.Helper()
	return g.Run(apt + "install " + dir + "/*.deb")
}
