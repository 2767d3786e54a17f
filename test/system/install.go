package system

import (
	"path/filepath"

	"sallyport/test/host"
)

// Install puts what make build has left into the guest, as make install does, and starts the socket.
func (g *Guest) Install() {
	g.t.Helper()
	repository, err := host.Repository()
	if err != nil {
		g.t.Fatalf("%v", err)
	}
	stage := filepath.Join(g.t.TempDir(), "stage")
	host.Output(g.t, "make", "-C", repository, "install", "DESTDIR="+stage)
	g.Copy(stage, "/")
	g.Run("systemctl daemon-reload && systemctl enable --now sallyportd.socket")
}
