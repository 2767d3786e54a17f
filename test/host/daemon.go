package host

import (
	"net"
	"os"
	"path/filepath"
	"strings"
)

// The host's own paths, which the private host has for itself (DESIGN §6).
const (
	configDir  = "/etc/sallyport"
	stateDir   = "/var/lib/sallyport"
	runtimeDir = "/run/sallyport"
)

// Daemon is sallyportd on the private host's own paths.
type Daemon struct {
	t       T
	process *Process
	logs    []string // of the processes before
}

// Policy replaces /etc/sallyport/sallyport.toml. A running daemon has to be told to reload.
func Policy(t T, toml string) {
	t.Helper()
	if err := os.MkdirAll(configDir, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	WriteFile(t, filepath.Join(configDir, "sallyport.toml"), toml, 0o644)
}

// Fresh takes all of Sallyport's files away, now and at the end of the test, as on the day it is installed. toml is
// the policy.
func Fresh(t T, toml string) {
	t.Helper()
	wipe := func() {
		for _, dir := range []string{configDir, stateDir, runtimeDir} {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	wipe()
	t.Cleanup(wipe)
	Policy(t, toml)
}

// StartDaemon makes a Fresh host and starts the daemon on it.
func StartDaemon(t T, toml string) *Daemon {
	t.Helper()
	Fresh(t, toml)
	d := &Daemon{t: t}
	d.Start()
	return d
}

// DaemonOn is a daemon that is not started, on the files that are there.
func DaemonOn(t T) *Daemon { return &Daemon{t: t} }

// Start starts the daemon and waits until both its sockets take connections.
func (d *Daemon) Start() {
	d.t.Helper()
	d.process = Start(d.t, Build(d.t).Daemon)
	Eventually(d.t, "sallyportd is ready or ends", func() bool { return DaemonAnswers() || !d.process.Running() })
	if !d.process.Running() {
		d.t.Fatalf("sallyportd ended:\n%s", d.process.Log())
	}
}

// DaemonAnswers reports whether a daemon takes connections on both its sockets.
func DaemonAnswers() bool {
	return answers("unixpacket", filepath.Join(runtimeDir, "pam")) && answers("unix", filepath.Join(runtimeDir, "io.sallyport"))
}

func answers(network, path string) bool {
	c, err := net.Dial(network, path)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// Kill ends the daemon with SIGKILL.
func (d *Daemon) Kill() {
	d.t.Helper()
	d.process.Kill()
	d.logs = append(d.logs, d.process.Log())
}

// Stop ends the daemon in good order.
func (d *Daemon) Stop() {
	d.t.Helper()
	if status := d.process.Terminate(); status != 0 {
		d.t.Fatalf("sallyportd ended with status %d on SIGTERM:\n%s", status, d.process.Log())
	}
	d.logs = append(d.logs, d.process.Log())
}

// PID is the process ID of the daemon.
func (d *Daemon) PID() int { return d.process.PID() }

// Log is what the daemon, with those before it, has printed.
func (d *Daemon) Log() string {
	return strings.Join(append(d.logs[:len(d.logs):len(d.logs)], d.process.Log()), "")
}

// LoseRun takes away what a power loss takes: /run/sallyport. The daemon must not run.
func LoseRun(t T) {
	t.Helper()
	if err := os.RemoveAll(runtimeDir); err != nil {
		t.Fatalf("%v", err)
	}
}
