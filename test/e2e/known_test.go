package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"sallyport/test/host"
)

// The tests of known_*_test.go are each named for a way in which another program of this kind has failed. Those that stand
// elsewhere are in docs/peers.md.

// record is where a user's second factor is kept.
func record(name string) string { return "/var/lib/sallyport/users/" + name + ".toml" }

// openStack is a stack in which whoever the module does not refuse gets in: an answer of PAM_IGNORE is a login.
func openStack(t *testing.T, options ...string) {
	t.Helper()
	host.PAM(t, service, "auth required pam_permit.so", host.Module(t, "auth", "required", options...), "account required pam_permit.so")
}

// comesIn reports whether a login with a code, if one is asked for, gets in.
func comesIn(t *testing.T, name, code string) bool {
	t.Helper()
	x := pamtester(t, name, "authenticate")
	if m := x.Meet(codePrompt + "$"); m != nil {
		x.Reply(code)
		x.Meet("(?s)successfully authenticated|wrong|used|" + codePrompt + ".*" + codePrompt + "$")
	}
	in := strings.Contains(x.Text(), "successfully authenticated")
	x.Close()
	return in
}

// CVE-2025-23013: pam_u2f answered PAM_IGNORE where it ran out of memory or could not change its privileges, so that a
// stack with anything that succeeded let the login in without the second factor.
func TestKnownCVE202523013(t *testing.T) {
	log := host.StartSyslog(t)
	d := host.StartDaemon(t, require("always"))
	openStack(t)
	alice := enrolled(t, "alice")
	whole, err := os.ReadFile(record("alice"))
	if err != nil {
		t.Fatal(err)
	}
	d.Stop()
	const ledgerFile = "/run/sallyport/ledger.db"
	ledger, err := os.ReadFile(ledgerFile)
	if err != nil {
		t.Fatal(err)
	}
	code := alice.app.Code() // is used by no error
	mend := func(mode os.FileMode) {
		host.WriteFile(t, record("alice"), string(whole), mode)
		host.Output(t, "chown", "root:root", record("alice"))
		host.Output(t, "chmod", fmt.Sprintf("%o", mode), record("alice"))
		host.Policy(t, require("always"))
	}
	for name, spoil := range map[string]func(){
		"the record is cut off":         func() { host.WriteFile(t, record("alice"), string(whole[:len(whole)/2]), 0o600) },
		"the record is the user's own":  func() { host.Output(t, "chown", "alice", record("alice")) },
		"the record is open to others":  func() { host.Output(t, "chmod", "0644", record("alice")) },
		"the policy cannot be read":     func() { host.Policy(t, "enabeld = true\n") },
		"the policy is anybody's":       func() { host.Output(t, "chmod", "0666", "/etc/sallyport/sallyport.toml") },
		"the policy denies by itself":   func() { host.Policy(t, "on_daemon_failure = \"deny\"\n"+require("always")) },
		"the ledger is another program": func() { host.WriteFile(t, ledgerFile, "no ledger", 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			spoil()
			if comesIn(t, "alice", code) {
				t.Error("an error is a login")
			}
			mend(0o600)
			host.Output(t, "chmod", "0644", "/etc/sallyport/sallyport.toml")
			host.WriteFile(t, ledgerFile, string(ledger), 0o600)
		})
	}
	t.Run("no descriptors are left", func(t *testing.T) {
		cmd := host.Command("prlimit", "--nofile=4", "pamtester", "-v", service, "alice", "authenticate")
		cmd.Stdin = strings.NewReader(code + "\n")
		if out, err := cmd.CombinedOutput(); err == nil || strings.Contains(string(out), "successfully") {
			t.Errorf("an error is a login:\n%s", out)
		}
	})
	if log.Text() == "" {
		t.Error("nobody is told")
	}
	d.Start()
	if !comesIn(t, "alice", code) {
		t.Error("the right code, after all that: refused")
	}
}

// CVE-2021-31924: where the prompt for the PIN was cancelled pam_u2f went on without it.
func TestKnownCVE202131924(t *testing.T) {
	host.StartDaemon(t, require("always"))
	openStack(t)
	enrolled(t, "alice")
	for name, leave := range map[string]func(x *host.Terminal){
		"end of file": func(x *host.Terminal) { x.Type("\x04") },
		"interrupted": func(x *host.Terminal) { x.Interrupt() },
		"hung up":     func(x *host.Terminal) { x.Signal(syscall.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			x := pamtester(t, "alice", "authenticate", "acct_mgmt")
			x.Expect(codePrompt)
			leave(x)
			if x.Wait() == 0 || strings.Contains(x.Text(), "successfully") {
				t.Errorf("a cancelled prompt is a login:\n%s", x.Text())
			}
		})
	}
	t.Run("nobody to ask", func(t *testing.T) {
		out, err := host.Command("pamtester", "-v", service, "alice", "authenticate").CombinedOutput() // its input is /dev/null
		if err == nil || strings.Contains(string(out), "successfully") {
			t.Errorf("a prompt that nobody sees is a login:\n%s", out)
		}
	})
}

// oidc-pam#160: a limit for each uid of who connects counted all logins as root's, so one client that failed often enough
// kept everybody out. All logins are root's here, too.
func TestKnownOIDCPAM160(t *testing.T) {
	host.StartDaemon(t, require("always"))
	openStack(t)
	alice := enrolled(t, "alice")
	enrolled(t, "bob")
	for range 700 { // connections of root's that say nothing
		c, err := net.Dial("unixpacket", "/run/sallyport/pam")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for _, name := range []string{"bob", "nobody-at-all"} {
		for range 10 {
			if comesIn(t, name, "000000") {
				t.Fatalf("%s is let in with a wrong code", name)
			}
		}
	}
	if !comesIn(t, "alice", alice.app.Code()) {
		t.Error("who fails as somebody else keeps alice out")
	}
}

// oidc-pam#119: the module passed over every option that it did not know, and so did what nobody had configured.
func TestKnownOIDCPAM119(t *testing.T) {
	host.StartDaemon(t, require("never"))
	host.AddUser(t, "alice")
	for _, option := range []string{"operation=sudo", "target_user=alice", "nullok", "Debug", "root=relative", "root=", "debug=1", "split_password=yes"} {
		t.Run(option, func(t *testing.T) {
			openStack(t, option)
			if comesIn(t, "alice", "") {
				t.Error("an option that does nothing is passed over")
			}
		})
	}
}

// oidc-pam#122: the account phase said success to everybody, and a stack with "account sufficient" looked no further: not
// at expired accounts, nor at /etc/nologin.
func TestKnownOIDCPAM122(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	host.PAM(t, service, host.Module(t, "auth", "required"), "auth required pam_permit.so",
		host.Module(t, "account", "sufficient"), "account required pam_deny.so")
	alice := enrolled(t, "alice")
	host.AddUser(t, "bob")
	for _, name := range []string{"alice", "bob"} { // who has given no code, and who needs none
		if x := pamtester(t, name, "acct_mgmt"); x.Wait() == 0 {
			t.Errorf("the account of %s is good though the next line says no:\n%s", name, x.Text())
		}
	}
	host.PAM(t, service, host.Module(t, "auth", "required"), host.Module(t, "account", "required"), "account required pam_deny.so")
	x := pamtester(t, "alice", "authenticate", "acct_mgmt")
	x.Answer(codePrompt, alice.app.Code())
	x.Expect("successfully authenticated")
	if x.Wait() == 0 {
		t.Errorf("with the line that the manual has, a code that was given overrules the next one:\n%s", x.Text())
	}
}

// CVE-2024-9313: in authd's module the name could change between who proved and who was let in, so that a user of a
// broker came in as another. (TestAccountAfterLogin of the C half changes the name in the handle; this one asks the daemon.)
func TestKnownCVE20249313(t *testing.T) {
	host.StartDaemon(t, require("always"))
	openStack(t)
	alice, bob := enrolled(t, "alice"), enrolled(t, "bob")
	code := alice.app.Code()
	if comesIn(t, "bob", code) {
		t.Error("alice's code is bob's")
	}
	ctl := host.Build(t).Ctl
	for _, order := range [][]string{{"enroll", "bob"}, {"remove", "bob", "--yes"}, {"recovery-codes", "bob", "--yes"}, {"rename", "bob", "Phone", "x"}} {
		x := host.Open(t, alice.command(ctl, order...))
		if x.Wait() == 0 {
			t.Errorf("alice may %v:\n%s", order, x.Text())
		}
	}
	if !comesIn(t, "bob", bob.app.Code()) {
		t.Error("bob's own code is refused")
	}
}

// CVE-2019-12210: pam_u2f left its debug file open, and everything that the login started could write to it. Nothing
// of ours is open in what su starts, which closes nothing itself, with a daemon and with the Go half.
func TestKnownCVE201912210(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	host.Insert(t, "su", host.Module(t, "auth", "required", "debug"), host.Module(t, "account", "required", "debug"), host.Module(t, "session", "required", "debug"))
	alice := enrolled(t, "alice")
	bob := &person{User: host.AddUser(t, "bob")}
	for _, away := range []bool{false, true} {
		if away {
			d.Kill()
		}
		x := host.Open(t, bob.command("su", "alice", "-c", "ls -l /proc/self/fd; "+greet))
		x.Answer(passwordPrompt, host.Password)
		x.Answer(codePrompt, alice.app.Code())
		x.Expect(inside)
		entered(t, x)
		if leaked := regexp.MustCompile(`-> '?(socket:|\S*sallyport).*`).FindAllString(x.Text(), -1); leaked != nil {
			t.Errorf("without a daemon: %v: what su starts has %v", away, leaked)
		}
	}
}

// pam_oath makes a file beside its users' for a lock. Where the login that holds it is killed, it stays, and nobody gets in
// any more until somebody removes it by hand.
func TestKnownLockLeftByAKill(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	openStack(t)
	alice := enrolled(t, "alice")
	for _, dir := range []string{"/var/lib/sallyport/users", "/var/lib/sallyport", "/run/sallyport"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries { // what such a lock, or half a write, could be called
			for _, suffix := range []string{".lock", ".lck", ".tmp", ".new", "~"} {
				host.WriteFile(t, filepath.Join(dir, e.Name()+suffix), "", 0o600)
			}
		}
	}
	x := pamtester(t, "alice", "authenticate")
	x.Expect(codePrompt)
	d.Kill() // in the middle of her login, with the ledger's lock
	x.Reply(alice.app.Code())
	entered(t, x)
	half := pamtester(t, "alice", "authenticate") // the Go half has the lock in its turn, and is killed with its host
	half.Expect(codePrompt)
	half.Signal(syscall.SIGKILL)
	half.Wait()
	if !comesIn(t, "alice", alice.app.Code()) {
		t.Error("after the kills nobody gets in without a daemon")
	}
	d.Start()
	if !comesIn(t, "alice", alice.app.Code()) {
		t.Error("after the kills nobody gets in")
	}
}
