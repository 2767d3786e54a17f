package host

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// SSHD is the machine's OpenSSH server on a loopback port, with host keys of its own.
type SSHD struct {
	*Process
	Port  int
	known string // known_hosts
}

// sshdConfig is what a test's lines are followed by: of each keyword sshd takes the first (sshd_config(5)).
const sshdConfig = `
ListenAddress 127.0.0.1:%d
HostKey %s
PidFile none
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
StrictModes yes
UseDNS no
PrintMotd no
MaxStartups 200
LogLevel VERBOSE
Subsystem sftp internal-sftp
`

// StartSSHD starts sshd with lines of sshd_config(5).
func StartSSHD(t T, lines ...string) *SSHD {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "host_key")
	Output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
	// A port that is free now may be taken when sshd comes to it, on a network that is shared.
	for range 5 {
		port := freePort(t)
		config := filepath.Join(dir, "sshd_config")
		WriteFile(t, config, strings.Join(lines, "\n")+fmt.Sprintf(sshdConfig, port, key), 0o600)
		s := &SSHD{Process: Start(t, "/usr/sbin/sshd", "-D", "-e", "-f", config), Port: port, known: filepath.Join(dir, "known_hosts")}
		listening := func() bool { return strings.Contains(s.Log(), fmt.Sprintf("listening on 127.0.0.1 port %d", port)) }
		Eventually(t, "sshd listens or ends", func() bool { return listening() || !s.Running() })
		if listening() {
			WriteFile(t, s.known, fmt.Sprintf("[127.0.0.1]:%d %s", port, Output(t, "cat", key+".pub")), 0o600)
			return s
		}
		if !strings.Contains(s.Log(), "Address already in use") {
			t.Fatalf("sshd does not start:\n%s", s.Log())
		}
	}
	t.Fatalf("sshd found no free port")
	return nil
}

func freePort(t T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Client is ssh, scp or sftp with options that lead it to this server, and args. The server's name is 127.0.0.1.
func (s *SSHD) Client(program string, args ...string) *exec.Cmd {
	options := []string{"-F", "none"}
	for _, o := range []string{
		fmt.Sprintf("Port=%d", s.Port), "UserKnownHostsFile=" + s.known, "StrictHostKeyChecking=yes", "IdentitiesOnly=yes",
		"IdentityAgent=none", "ConnectTimeout=20",
	} {
		options = append(options, "-o", o)
	}
	return Command(program, append(options, args...)...)
}

// StartSystemSSHD starts sshd as the host's service does, on /etc/ssh/sshd_config as Debian ships it, with lines of
// sshd_config(5) at its end. The file is put back at the end of the test.
func StartSystemSSHD(t T, lines ...string) *SSHD {
	t.Helper()
	const config = "/etc/ssh/sshd_config"
	Output(t, "ssh-keygen", "-A")
	shipped, err := os.ReadFile(config)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { WriteFile(t, config, string(shipped), 0o644) })
	port := freePort(t)
	lines = append(lines, fmt.Sprintf("ListenAddress 127.0.0.1:%d", port), "LogLevel VERBOSE")
	WriteFile(t, config, string(shipped)+strings.Join(lines, "\n")+"\n", 0o644)
	s := &SSHD{Process: Start(t, "/usr/sbin/sshd", "-D", "-e"), Port: port, known: filepath.Join(t.TempDir(), "known_hosts")}
	listening := fmt.Sprintf("listening on 127.0.0.1 port %d", port)
	Eventually(t, "sshd listens", func() bool { return strings.Contains(s.Log(), listening) && exists("/run/sshd.pid") })
	WriteFile(t, s.known, fmt.Sprintf("[127.0.0.1]:%d %s", port, Output(t, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")), 0o600)
	return s
}

// AwaitReload waits until sshd listens again after its nth SIGHUP.
func (s *SSHD) AwaitReload(t T, n int) {
	t.Helper()
	Eventually(t, "sshd listens again", func() bool { return strings.Count(s.Log(), "Server listening on ") == n+1 })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
