package system

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// file is one that every guest has beside what its packages bring.
type file struct {
	Path, Text string
	Link       bool // Text is where a symbolic link leads
}

// doorPort is the port of the door.
const doorPort = 222

// furniture gives guests a name and the door: an sshd of the harness's own, by which its commands come in. It has
// neither PAM nor passwords nor anything of /etc/ssh, so what a test does to logins does not shut it.
func furniture() []file {
	return []file{
		{Path: "/etc/hostname", Text: "guest\n"},
		{Path: "/etc/hosts", Text: "127.0.0.1 localhost\n127.0.1.1 guest\n"},
		{Path: "/etc/door/sshd_config", Text: fmt.Sprintf(`Port %d
HostKey /etc/door/host_key
AuthorizedKeysFile /etc/door/authorized_keys
AuthenticationMethods publickey
UsePAM no
UseDNS no
MaxSessions 500
PidFile none
`, doorPort)},
		{Path: "/etc/systemd/system/door.service", Text: `[Unit]
Description=The test's own way in
[Service]
ExecStart=/usr/sbin/sshd -D -f /etc/door/sshd_config
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
KillMode=process
`},
		{Path: "/etc/systemd/system/multi-user.target.wants/door.service", Text: "/etc/systemd/system/door.service", Link: true},
		{Path: "/etc/systemd/system/rescue.target.wants/door.service", Text: "/etc/systemd/system/door.service", Link: true},
		{Path: "/etc/machine-id", Text: "5a11900700c0deb00700d1ab00005a11\n"}, // a container gets one of its own
		// Nobody's clock is set but by a test that wants it so.
		{Path: "/etc/systemd/system/chrony.service", Text: "/dev/null", Link: true},
		// No test is about these, and they wake at any time.
		{Path: "/etc/systemd/system/apt-daily.timer", Text: "/dev/null", Link: true},
		{Path: "/etc/systemd/system/apt-daily-upgrade.timer", Text: "/dev/null", Link: true},
		{Path: "/etc/systemd/system/e2scrub_reap.service", Text: "/dev/null", Link: true},
	}
}

func (f file) write(tree string) error {
	path := filepath.Join(tree, f.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if f.Link {
		return os.Symlink(f.Text, path)
	}
	return os.WriteFile(path, []byte(f.Text), 0o644)
}

// makeDoor makes the keys of the door. The private one stays beside the tree.
func makeDoor(dir, tree string) error {
	etc := filepath.Join(tree, "etc/door")
	if err := os.Mkdir(etc, 0o700); err != nil {
		return err
	}
	for _, key := range []string{filepath.Join(dir, "key"), filepath.Join(etc, "host_key")} {
		out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ssh-keygen: %w: %s", err, out)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(etc, "authorized_keys"), public, 0o600)
}
