package panel

import (
	"sallyport/test/host"
	"sallyport/test/system"
)

// Boot boots a guest with the packages of make deb, the page among them, whose Cockpit and sudo ask for codes as
// sallyportctl sets them up.
func Boot(t host.T) *system.Guest {
	t.Helper()
	g := system.BootPanel(t)
	g.InstallPackages(g.CopyPackages())
	g.InstallPage()
	g.Run("sallyportctl setup cockpit --apply")
	g.Run("sallyportctl setup sudo --apply")
	return g
}
