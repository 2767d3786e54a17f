package ctest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"sallyport/internal/wire"
)

// impostorEnv makes this test program a verifier that grants everything, on the socket that it names.
const impostorEnv = "SALLYPORT_CTEST_IMPOSTOR"

// impostor runs a granting verifier as a user that is not root, where the daemon's socket is.
func impostor(t *testing.T, tr *tree) {
	t.Helper()
	const nobody = 65534
	dir := filepath.Join(tr.root, "run/sallyport")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(tr.root, "impostor") // where that user can read it
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = []string{impostorEnv + "=" + filepath.Join(dir, "pam")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the impostor does not listen: %v", err)
	}
}

// beImpostor is the program that impostor runs.
func beImpostor(path string) error {
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	os.Stdout.WriteString("listening\n")
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return err
		}
		// Unasked, so that the module could read it. It may have hung up already.
		_ = wire.NewConn(c).Write(wire.Reply{Verdict: wire.Granted, PasswordLength: -1}.Packet(), soon())
	}
}
