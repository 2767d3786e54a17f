package host

import (
	"os"
	"os/exec"
)

// journald is where systemd has it, with and without a merged /usr.
const journald = "/usr/lib/systemd/systemd-journald"

// StartJournal runs systemd's journald on the private host, until the end of the test. It keeps its files in /run.
func StartJournal(t T) {
	t.Helper()
	const dir, files = "/run/systemd/journal", "/run/log"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		_ = os.RemoveAll(dir)
		_ = os.RemoveAll(files)
	})
	p := Start(t, journald)
	Eventually(t, "journald answers or ends", func() bool {
		return exec.Command("journalctl", "--sync").Run() == nil || !p.Running()
	})
	if !p.Running() {
		t.Fatalf("journald ended:\n%s", p.Log())
	}
}
