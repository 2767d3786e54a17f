// Package system boots whole Debian systems for tests: their own systemd, logind, D-Bus, journal and sshd, with nothing
// of the machine's but its kernel (Boot and BootPanel, in systemd-nspawn, ready in a second or two) or not even that
// (BootMachine, in QEMU, with a clock, cgroup limits, reboots and power cuts, ready in a few seconds).
//
// A package whose tests use it says so in its TestMain:
//
//	func TestMain(m *testing.M) { system.Main(m, system.Container) }
//
// and a test is then:
//
//	g := system.Boot(t)
//	g.Install()
//	alice := g.AddUser("alice").Enroll()
//	alice.LogIn("id")
//	g.Run("systemctl restart sallyportd")
//	g.Journal("SALLYPORT_KIND=login-accepted")
//
// The images are built once, by mmdebstrap from wherever the machine's apt gets its packages, and kept in the user's
// cache directory (XDG_CACHE_HOME) under a name made of their recipe. The guests run in a private host (package host):
// its end is the end of their processes and mounts, whatever happens to the test.
package system

import (
	"fmt"
	"os"
	"testing"

	"sallyport/test/host"
)

// Part is what tests need and Main sees to: an Image, or a Release.
type Part interface{ ensure() error }

// Main sees to it that the parts are there, which takes minutes once and needs the network, and runs the tests of a
// package in a private host. It is for TestMain.
func Main(m *testing.M, parts ...Part) {
	if !host.Inside() {
		for _, part := range parts {
			if err := part.ensure(); err != nil {
				fmt.Fprintf(os.Stderr, "system: %v\n", err)
				os.Exit(1)
			}
		}
	}
	dir, err := cache()
	if err != nil {
		fmt.Fprintf(os.Stderr, "system: %v\n", err)
		os.Exit(1)
	}
	os.Exit(host.Run(host.Options{Keep: []string{dir}}, m.Run))
}
