package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

// installed puts the module where make install does, and starts the daemon and Debian's own sshd.
func installed(t *testing.T, policy string, lines ...string) *host.SSHD {
	t.Helper()
	host.Overlay(t, "/usr")
	host.Output(t, "install", "-D", "-m", "0644", host.Build(t).Module, "/usr/local/lib/security/pam_sallyport.so")
	host.StartDaemon(t, policy)
	host.WriteFile(t, "/etc/sudoers.d/test", "alice ALL=(ALL) NOPASSWD: "+host.Build(t).Ctl+"\n", 0o440)
	t.Cleanup(func() { _ = os.Remove("/etc/sudoers.d/test") })
	return host.StartSystemSSHD(t, lines...)
}

// setUpHost runs sallyportctl setup, which must end with that status.
func setUpHost(t *testing.T, want int, args ...string) string {
	t.Helper()
	cmd := host.Command(host.Build(t).Ctl, append([]string{"setup"}, args...)...)
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("setup %s: status %d (%v), want %d\n%s", strings.Join(args, " "), got, err, want, out)
	}
	return string(out)
}

// configuration is every file that setup may change.
func configuration(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"/etc/pam.d/*", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*"} {
		paths, _ := filepath.Glob(pattern) // it is well formed
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(data) + host.Output(t, "stat", "-c", "%a %u %g", path)
		}
	}
	return all
}

// same fails the test where the configuration is not as it was.
func same(t *testing.T, before map[string]string) {
	t.Helper()
	now := configuration(t)
	for path, text := range before {
		if now[path] != text {
			t.Errorf("%s was:\n%s\nand is:\n%s", path, text, now[path])
		}
	}
	for path := range now {
		if _, was := before[path]; !was {
			t.Errorf("%s is new", path)
		}
	}
}

func TestSetupSSH(t *testing.T) {
	s := installed(t, "")
	alice := enrolled(t, "alice", "sudo")
	before := configuration(t)
	confirm := "sudo " + host.Build(t).Ctl + " setup ssh --confirm"

	old := host.Open(t, s.Client("ssh", "-tt", "alice@127.0.0.1"))
	old.Answer("password: ", host.Password) // Debian's sshd asks by itself, and for no code
	old.Expect(`\$ `)

	out := setUpHost(t, 0, "ssh")
	if !strings.Contains(out, "+auth     required  /usr/local/lib/security/pam_sallyport.so\n") || !strings.Contains(out, "\n+AuthenticationMethods ") {
		t.Errorf("the change is not shown:\n%s", out)
	}
	same(t, before)

	out = setUpHost(t, 0, "ssh", "--apply", "--confirm-within", "10m")
	if !strings.Contains(out, "setup ssh --confirm") {
		t.Errorf("it does not say how to confirm:\n%s", out)
	}
	s.AwaitReload(t, 1)
	if out = setUpHost(t, 0, "ssh", "--apply"); !strings.Contains(out, "Everything is in place") {
		t.Errorf("a second time:\n%s", out)
	}
	if out = setUpHost(t, 1, "ssh", "--confirm"); !strings.Contains(out, "no new login") {
		t.Errorf("confirmed from no login:\n%s", out)
	}
	old.Type(confirm + "\n")
	old.Expect("This is no new login")

	x := login(t, host.Open(t, s.Client("ssh", "-tt", "alice@127.0.0.1", confirm+" && "+greet)), alice.app.Code())
	x.Expect("The setup of ssh stays")
	x.Expect(inside)
	entered(t, x)

	// The timer comes to nothing now.
	var saved struct{ ID string }
	data, err := os.ReadFile("/var/lib/sallyport/setup/ssh.json")
	if err != nil || json.Unmarshal(data, &saved) != nil || saved.ID == "" {
		t.Fatalf("what is kept: %s, %v", data, err)
	}
	setUpHost(t, 0, "ssh", "--rollback", saved.ID)
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))

	setUpHost(t, 0, "ssh", "--revert")
	same(t, before)
	s.AwaitReload(t, 2)
	if out = setUpHost(t, 0, "ssh", "--revert"); !strings.Contains(out, "no setup of ssh to undo") {
		t.Errorf("undone twice:\n%s", out)
	}
	x = ssh(t, s, "alice")
	x.Answer("password: ", host.Password)
	x.Expect(inside)
	entered(t, x)
}

// What nobody confirms is undone, though the terminal has gone.
func TestSetupRollsBack(t *testing.T) {
	s := installed(t, "")
	before := configuration(t)
	host.AddUser(t, "bob")
	x := host.Open(t, host.Command(host.Build(t).Ctl, "setup", "ssh", "--apply", "--confirm-within", "3s"))
	entered(t, x)
	x.Close()
	if !exists("/etc/ssh/sshd_config.d/00-sallyport.conf") {
		t.Error("it was not set up")
	}
	host.Eventually(t, "the setup is undone", func() bool { return !exists("/var/lib/sallyport/setup/ssh.json") })
	same(t, before)
	s.AwaitReload(t, 2)
	x = ssh(t, s, "bob")
	x.Answer("password: ", host.Password)
	x.Expect(inside)
	entered(t, x)
}

func TestSetupRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		policy string
		spoil  string // a line of sshd_config
		says   string
		forced int // the exit status with --force
	}{
		"root would be locked out":           {require("always"), "", "unenrolled-always", 0},
		"sshd does not take its own":         {"", "UsePAN yes", "sshd-config", 1},
		"a block keeps a user from the code": {require("always"), "PermitRootLogin no\nMatch User alice\nAuthenticationMethods publickey\nMatch all", "sshd-key-refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := installed(t, test.policy)
			enrolled(t, "alice")
			if test.spoil != "" {
				shipped, err := os.ReadFile("/etc/ssh/sshd_config")
				if err != nil {
					t.Fatal(err)
				}
				host.WriteFile(t, "/etc/ssh/sshd_config", string(shipped)+test.spoil+"\n", 0o644)
			}
			before := configuration(t)
			if out := setUpHost(t, 1, "ssh", "--apply"); !strings.Contains(out, test.says) {
				t.Errorf("it says:\n%s", out)
			}
			same(t, before)
			setUpHost(t, test.forced, "ssh", "--apply", "--force", "--no-reload")
			if test.forced != 0 {
				same(t, before)
				if exists("/var/lib/sallyport/setup/ssh.json") {
					t.Error("what was never in place is kept")
				}
			} else {
				setUpHost(t, 0, "ssh", "--revert", "--no-reload")
				same(t, before)
			}
			if strings.Contains(s.Log(), "SIGHUP") {
				t.Errorf("sshd was reloaded:\n%s", s.Log())
			}
		})
	}
}

// A file that somebody has changed since is not overwritten, or kept.
func TestSetupKeepsOthersChanges(t *testing.T) {
	installed(t, "")
	before := configuration(t)
	setUpHost(t, 0, "ssh", "--apply")
	const file = "/etc/pam.d/sshd"
	applied, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := append(bytes.Clone(applied), "# somebody's\n"...)
	host.WriteFile(t, file, string(changed), 0o644)
	if out := setUpHost(t, 1, "ssh", "--revert"); !strings.Contains(out, file) || !strings.Contains(out, "Nothing was undone") {
		t.Errorf("it says:\n%s", out)
	}
	if now, _ := os.ReadFile(file); !bytes.Equal(now, changed) || !exists("/etc/ssh/sshd_config.d/00-sallyport.conf") {
		t.Error("it has undone something")
	}
	setUpHost(t, 0, "ssh", "--revert", "--force")
	same(t, before)
	copies, _ := filepath.Glob("/var/lib/sallyport/setup/sshd.replaced-*") // it is well formed
	if len(copies) != 1 {
		t.Fatalf("copies: %q", copies)
	}
	if kept, _ := os.ReadFile(copies[0]); !bytes.Equal(kept, changed) {
		t.Errorf("it has kept:\n%s", kept)
	}
}

// Where sshd_config includes no drop-ins first, its own first lines are the place.
func TestSetupWithoutDropIns(t *testing.T) {
	s := installed(t, "")
	alice := enrolled(t, "alice")
	const file = "/etc/ssh/sshd_config"
	shipped, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	host.WriteFile(t, file, strings.Replace(string(shipped), "\nInclude ", "\nPasswordAuthentication yes\nInclude ", 1), 0o600)
	before := configuration(t)
	setUpHost(t, 0, "ssh", "--apply")
	if exists("/etc/ssh/sshd_config.d/00-sallyport.conf") {
		t.Error("it has made a drop-in that does not count")
	}
	s.AwaitReload(t, 1)
	entered(t, login(t, ssh(t, s, "alice"), alice.app.Code()))
	setUpHost(t, 0, "ssh", "--revert")
	same(t, before)
}

func TestSetupSudo(t *testing.T) {
	installed(t, "")
	alice := enrolled(t, "alice", "sudo")
	before := configuration(t)
	setUpHost(t, 0, "sudo", "--apply", "--confirm-within", "10m")
	confirm := []string{"-k", host.Build(t).Ctl, "setup", "sudo", "--confirm"}
	if err := os.Remove("/etc/sudoers.d/test"); err != nil { // so that sudo asks
		t.Fatal(err)
	}
	x := alice.sudo(t, confirm...)
	x.Answer(`password for alice: `, host.Password)
	x.Answer(codePrompt, alice.app.Code())
	x.Expect("The setup of sudo stays")
	entered(t, x)
	setUpHost(t, 0, "sudo", "--revert")
	same(t, before)
	x = alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, host.Password)
	x.Expect(inside)
	entered(t, x)
}

// Without Cockpit there is nothing to set up.
func TestSetupCockpit(t *testing.T) {
	installed(t, "")
	before := configuration(t)
	if _, err := exec.LookPath("cockpit-bridge"); err == nil || exists("/etc/pam.d/cockpit") {
		t.Skip("this machine has Cockpit")
	}
	if out := setUpHost(t, 1, "cockpit", "--apply"); !strings.Contains(out, `no PAM service "cockpit"`) {
		t.Errorf("it says:\n%s", out)
	}
	// A vendor's file stays as it is; the host's own comes before it.
	host.Output(t, "mkdir", "-p", "/usr/lib/pam.d")
	host.WriteFile(t, "/usr/lib/pam.d/cockpit", "@include common-auth\n@include common-account\n", 0o644)
	setUpHost(t, 0, "cockpit", "--apply")
	got, err := os.ReadFile("/etc/pam.d/cockpit")
	const module = "/usr/local/lib/security/pam_sallyport.so\n"
	if want := "@include common-auth\nauth     required  " + module + "account  required  " + module +
		"session  required  " + module + "@include common-account\n"; err != nil || string(got) != want {
		t.Errorf("/etc/pam.d/cockpit: %v\n%s", err, got)
	}
	setUpHost(t, 0, "cockpit", "--revert")
	same(t, before)
}
