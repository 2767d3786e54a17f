package system

import (
	"fmt"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m, Container, Previous) }

// protected is a guest with the packages of make deb, and ssh protected as the README says.
func protected(t *testing.T) *Guest {
	t.Helper()
	g := Boot(t)
	g.InstallPackages(g.CopyPackages())
	g.ProtectSSH()
	return g
}

// people are users with a second factor. Each has two codes left for now.
func people(g *Guest, n int) []*Person {
	g.t.Helper()
	var all []*Person
	for i := range n {
		all = append(all, g.AddUser(fmt.Sprintf("user%d", i)).Enroll())
	}
	return all
}

// property is one of a unit's (systemctl(1), show).
func property(g *Guest, unit, name string) string {
	g.t.Helper()
	return strings.TrimSpace(g.Run(fmt.Sprintf("systemctl show --property=%s --value %s", name, unit)))
}
