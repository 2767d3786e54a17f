package doctor_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/doctor"
	"sallyport/test/host"
)

const sshdConfig = "/etc/ssh/sshd_config"

// readmeHost is the private host with what the README has an admin do: the daemon, PAM, and Debian's sshd_config.
func readmeHost(t *testing.T, policy string) *host.Daemon {
	t.Helper()
	d := host.StartDaemon(t, policy)
	host.Protect(t, "sshd")
	shipped, err := os.ReadFile(sshdConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.WriteFile(t, sshdConfig, string(shipped), 0o644) })
	host.WriteFile(t, sshdConfig, "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n"+
		"AuthenticationMethods keyboard-interactive publickey,keyboard-interactive\n"+string(shipped), 0o644)
	return d
}

// live examines the host. Whether its clock is synchronised is not the test's to say, so the kernel is asked.
func live(t *testing.T, users ...string) []doctor.Finding {
	t.Helper()
	all := examine(t, doctor.Patient{Users: users, Now: time.Now()})
	var timex unix.Timex
	state, err := unix.Adjtimex(&timex)
	if err != nil {
		t.Fatal(err)
	}
	clock := func(f doctor.Finding) bool { return f.ID == "clock-unsynchronised" }
	if got, want := slices.ContainsFunc(all, clock), state == unix.TIME_ERROR; got != want {
		t.Errorf("it finds that the clock is not synchronised: %v, and the kernel %v", got, want)
	}
	return slices.DeleteFunc(all, clock)
}

func TestReadmeHost(t *testing.T) {
	readmeHost(t, "")
	if found := live(t, "alice"); len(found) > 0 {
		t.Errorf("nothing is wrong, and it finds %+v", found)
	}
}

// TestLiveIllnesses breaks what only a host that runs has.
func TestLiveIllnesses(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		spoil        func(*host.Daemon)
		want         string
		effect       doctor.Effect
		mends        bool // by a command that works without systemd
	}{
		{"the daemon is down", "", func(d *host.Daemon) { d.Kill() }, "daemon-down", doctor.Warns, false},
		{"the daemon is down, and the policy denies then", "on_daemon_failure = \"deny\"\n", func(d *host.Daemon) { d.Kill() },
			"daemon-down policy-warning", doctor.LocksOut, false},
		{"the daemon hangs", "", func(d *host.Daemon) { host.Freeze(t, d.PID()) }, "daemon-down", doctor.Warns, false},
		{"a socket is not for everybody", "", func(*host.Daemon) { host.Output(t, "chmod", "0600", "/run/sallyport/pam") }, "socket-mode", doctor.LocksOut, true},
		{"a socket is somebody's", "", func(*host.Daemon) { host.Output(t, "chown", "1", "/run/sallyport/pam") }, "socket-mode", doctor.LocksOut, true},
		{"sshd has never been started", "", func(*host.Daemon) { host.Output(t, "rmdir", "/run/sshd") }, "sshd-config", doctor.Warns, true},
		{"one user's block", "", func(*host.Daemon) {
			shipped, _ := os.ReadFile(sshdConfig)
			host.WriteFile(t, sshdConfig, string(shipped)+"\nMatch User root\n\tKbdInteractiveAuthentication no\n\tAuthenticationMethods publickey\n", 0o644)
		}, "", "", false},
		{"root's block, and root needs a code", always, func(*host.Daemon) {
			shipped, _ := os.ReadFile(sshdConfig)
			host.WriteFile(t, sshdConfig, string(shipped)+"\nMatch User root\n\tAuthenticationMethods publickey\n", 0o644)
		}, "sshd-key-refused unenrolled-always", doctor.LocksOut, false},
		{"UsePAM", "", func(*host.Daemon) {
			shipped, _ := os.ReadFile(sshdConfig)
			host.WriteFile(t, sshdConfig, strings.Replace(string(shipped), "UsePAM yes", "UsePAM no", 1), 0o644)
		}, "sshd-usepam", doctor.LetsPast, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := readmeHost(t, test.policy)
			t.Cleanup(func() { host.Output(t, "mkdir", "-p", "/run/sshd") })
			test.spoil(d)
			found := live(t)
			if got := strings.Join(ids(found), " "); got != test.want || got != "" && found[0].Effect != test.effect {
				t.Fatalf("found %q, want %q (%s): %+v", got, test.want, test.effect, found)
			}
			if !test.mends {
				return
			}
			apply(t, found[0].Mend)
			if again := live(t); len(again) > 0 {
				t.Errorf("after the mend %+v there is %+v", found[0].Mend, again)
			}
		})
	}
}

// TestRootIsRefused shows with the real sshd what sshd-root-refused says: "prohibit-password" forbids root the question
// behind its key, too.
func TestRootIsRefused(t *testing.T) {
	host.PAM(t, "sshd", "auth required pam_permit.so", "account required pam_permit.so", "session required pam_permit.so")
	key := t.TempDir() + "/key"
	host.Output(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	host.Output(t, "install", "-D", "-m", "0600", key+".pub", "/root/.ssh/authorized_keys")
	t.Cleanup(func() { host.Output(t, "rm", "-r", "/root/.ssh") })
	for permit, want := range map[string]bool{"prohibit-password": false, "yes": true} {
		s := host.StartSSHD(t, "AuthenticationMethods publickey,keyboard-interactive", "PermitRootLogin "+permit)
		out, err := s.Client("ssh", "-i", key, "-o", "BatchMode=no", "root@127.0.0.1", "true").CombinedOutput()
		if got := err == nil; got != want {
			t.Errorf("PermitRootLogin %s lets root in with key and code: %v, want %v\n%s", permit, got, want, out)
		}
	}
}
