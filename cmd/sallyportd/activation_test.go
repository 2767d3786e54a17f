package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketActivation hands both sockets over, as systemd does, and stops the daemon: the sockets stay.
func TestSocketActivation(t *testing.T) {
	root := tree(t)
	pam, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: root.PamSocket(), Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	others, err := net.ListenUnix("unix", &net.UnixAddr{Name: root.VarlinkSocket(), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for _, l := range []*net.UnixListener{others, pam} { // they are told apart in any order
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		defer l.Close()
		files = append(files, f)
	}
	asked := make(chan error, 1)
	go func() { _, err := status(root); asked <- err }() // waits in the socket for the daemon
	p := run(t, root, []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=sallyportd:sallyportd"}, files...)
	if err := <-asked; err != nil {
		t.Fatalf("asking over systemd's socket: %v", err)
	}
	p.signal(unix.SIGTERM)
	if got := p.wait(); got != 0 {
		t.Errorf("exit status %d, want 0", got)
	}
	for _, path := range []string{root.PamSocket(), root.VarlinkSocket()} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("systemd's socket is gone: %v", err)
		}
	}

	t.Run("one socket", func(t *testing.T) {
		p := run(t, root, []string{"LISTEN_FDS=1"}, files[0])
		if got := p.wait(); got != 1 || !strings.Contains(p.log.String(), "ListenSequentialPacket") {
			t.Errorf("exit status %d, and: %s", got, p.log)
		}
	})
}

// TestSystemdSocketActivate has systemd's own tool start the daemon: it passes one kind of socket only, which the
// daemon must refuse by name.
func TestSystemdSocketActivate(t *testing.T) {
	root := tree(t)
	cmd := exec.Command("systemd-socket-activate", "-l", root.VarlinkSocket(), "--fdname=sallyportd", program, "--root", string(root))
	log := &output{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	eventually(t, "the daemon refuses one socket of two", func() bool {
		if c, err := net.Dial("unix", root.VarlinkSocket()); err == nil {
			_ = c.Close()
		}
		return strings.Contains(log.String(), "must pass two")
	})
}
