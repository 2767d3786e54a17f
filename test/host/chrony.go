package host

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// StartChrony starts a real chronyd that goes by one time server and never touches this machine's clock (-x). It waits
// until chronyd has chosen the server.
func StartChrony(t T, server string) *Process {
	t.Helper()
	unpackChrony(t)
	address, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatalf("%v", err)
	}
	const dir = "/run/chrony"
	if err := os.RemoveAll(dir); err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatalf("%v", err)
	}
	// With maxslewrate what is wrong stays wrong, as far as chronyd knows, instead of being slewed away.
	lines := []string{
		fmt.Sprintf("server %s port %s iburst minpoll 0 maxpoll 0", address, port), "maxslewrate 1", "cmdport 0", "pidfile /run/chrony/chronyd.pid",
	}
	config := t.TempDir() + "/chrony.conf"
	WriteFile(t, config, strings.Join(lines, "\n")+"\n", 0o644)
	p := Start(t, "/usr/sbin/chronyd", "-x", "-d", "-u", "root", "-f", config)
	Eventually(t, "chronyd has chosen the server or ends", func() bool {
		out, _ := Command("/usr/bin/chronyc", "-c", "-n", "tracking").CombinedOutput()
		return strings.HasSuffix(strings.TrimSpace(string(out)), ",Normal") || !p.Running()
	})
	if !p.Running() {
		t.Fatalf("chronyd ended:\n%s", p.Log())
	}
	return p
}

// unpackChrony puts the programs of Debian's package into the private host. On the machine they are not installed: they
// would take the place of what keeps its clock.
func unpackChrony(t T) {
	t.Helper()
	if _, err := os.Stat("/usr/sbin/chronyd"); err == nil {
		return
	}
	root, err := Repository()
	if err != nil {
		t.Fatalf("%v", err)
	}
	dir := t.TempDir()
	Output(t, "dpkg-deb", "--extract", filepath.Join(root, "build", "chrony.deb"), dir)
	Overlay(t, "/usr")
	Output(t, "cp", "-a", dir+"/usr/.", "/usr")
}
