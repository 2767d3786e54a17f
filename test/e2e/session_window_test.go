package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sallyport/test/host"
)

// Two shells, scp and sftp from one desk are one session, and nobody notices anything.
func TestSessionOfOneDesk(t *testing.T) {
	d, alice := newDesk(t, "[sessions]\nexcess = \"deny\"\n")
	first := alice.shell("127.0.0.2")
	open(t, "a shell", "alice@127.0.0.2×1")
	if got := sessions(t)[0].Windows[0].Terminals; len(got) != 1 || !strings.HasPrefix(got[0], "pts/") {
		t.Errorf("it is on %v", got)
	}
	second := alice.shell("127.0.0.2")
	open(t, "two shells", "alice@127.0.0.2×2")

	dir := t.TempDir()
	local, batch := filepath.Join(dir, "local"), filepath.Join(dir, "batch")
	host.WriteFile(t, local, "by scp\n", 0o644)
	host.WriteFile(t, batch, "get sent "+dir+"/got\nbye\n", 0o644)
	if out, err := alice.s.Client("scp", alice.from("127.0.0.2", local, alice.target()+":sent")...).CombinedOutput(); err != nil {
		t.Errorf("scp: %v: %s", err, out)
	}
	if out, err := alice.s.Client("sftp", alice.from("127.0.0.2", "-b", batch, alice.target())...).CombinedOutput(); err != nil {
		t.Errorf("sftp: %v: %s", err, out)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "got")); string(text) != "by scp\n" {
		t.Errorf("sftp got %q, %v", text, err)
	}
	eventuallyOpen(t, "alice@127.0.0.2×2")

	for _, x := range []*host.Terminal{first, second} {
		x.Type(greet + "; exit\n")
		x.Expect(inside)
		x.Wait()
		if strings.Contains(x.Text(), "taken over") || strings.Contains(x.Text(), "already") {
			t.Errorf("somebody notices something:\n%s", x.Text())
		}
	}
	eventuallyOpen(t, "")
	for kind, want := range map[string]int{"session opened": 4, "session closed": 4, "session displaced": 0, "session refused": 0} {
		if got := strings.Count(d.Log(), kind); got != want {
			t.Errorf("%d × %s, want %d:\n%s", got, kind, want, d.Log())
		}
	}
}

// sshd opens a session for ssh -N, too, and one for all the shells of a ControlMaster.
func TestSessionOfAMaster(t *testing.T) {
	_, alice := newDesk(t, "")
	control := filepath.Join(t.TempDir(), "master")
	master := host.Open(t, alice.s.Client("ssh", alice.from("127.0.0.2", "-M", "-S", control, "-N", alice.target())...))
	host.Eventually(t, "the master listens", func() bool { return exists(control) })
	eventuallyOpen(t, "alice@127.0.0.2×1")
	var shells []*host.Terminal
	for range 3 {
		x := host.Open(t, alice.s.Client("ssh", "-o", "BatchMode=yes", "-S", control, alice.target()))
		x.Expect(`\$ `)
		shells = append(shells, x)
	}
	open(t, "three shells", "alice@127.0.0.2×1")
	if got := sessions(t)[0].Windows[0].Terminals; len(got) != 3 {
		t.Errorf("its terminals are %v, want 3", got)
	}
	for _, x := range shells {
		x.Type("exit\n")
		x.Wait()
	}
	open(t, "no shell but the master", "alice@127.0.0.2×1")
	if out, err := noPrompt(alice.s, "ssh", "-S", control, "-O", "exit", alice.target()).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	master.Wait()
	eventuallyOpen(t, "")
}

// A client that is killed, and one whose network is gone for sshd, leave no session.
func TestSessionOfAKilledClient(t *testing.T) {
	_, alice := newDesk(t, "", "ClientAliveInterval 1", "ClientAliveCountMax 1")
	x := alice.shell("127.0.0.2")
	x.Signal(syscall.SIGKILL)
	eventuallyOpen(t, "")
	x = alice.shell("127.0.0.2")
	x.Signal(syscall.SIGSTOP) // to sshd it is a client that does not answer any more
	eventuallyOpen(t, "")
}

// sshd's own process is killed, so that nobody closes the session: it vanishes with the process, and the journal says so.
func TestSessionOfAKilledLeader(t *testing.T) {
	d, alice := newDesk(t, "[sessions]\nexcess = \"deny\"\n")
	alice.shell("127.0.0.2")
	kill(t, leader(t), syscall.SIGKILL)
	eventuallyOpen(t, "")
	if !strings.Contains(d.Log(), "(its process has ended)") {
		t.Errorf("the log does not say so:\n%s", d.Log())
	}
	if out, err := alice.run("127.0.0.3", greet); err != nil || !strings.Contains(out, inside) {
		t.Errorf("from elsewhere: %v: %s", err, out)
	}
}

// A logout in one window ends the others, where the policy says so.
func TestSessionLogoutAll(t *testing.T) {
	_, alice := newDesk(t, "[sessions]\nlogout = \"all\"\n")
	first, second := alice.shell("127.0.0.2"), alice.shell("127.0.0.2")
	open(t, "two shells", "alice@127.0.0.2×2")
	first.Type("exit\n")
	first.Wait()
	second.Expect("This session was ended at ..:..: you logged out in another window.")
	second.Wait()
	eventuallyOpen(t, "")
}
