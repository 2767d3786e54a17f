package ctest

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
)

// These tests are of the module as it is shipped, its Go half asleep in it, with the daemon and without.

const (
	enrolled  = "nobody" // users that every host has
	stranger  = "daemon"
	nobodyUID = 65534
)

// home is a tree with the state of Sallyport, where the user "nobody" has a token.
type home struct {
	*tree
	key  otp.Key
	next int64 // counter of the token, which is HOTP's: many logins need many codes
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{tree: newTree(t, whole)}
	for _, d := range []string{"etc/sallyport", "var/lib/sallyport/users"} {
		if err := os.MkdirAll(filepath.Join(h.root, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if h.key, err = otp.Generate(rand.Reader, otp.HOTP, "SHA1", 6, 0); err != nil {
		t.Fatal(err)
	}
	files, root := &disk.OS{}, disk.Root(h.root)
	now := time.Now().Truncate(time.Second)
	err = vault.Open(files, root, vault.LoadKeys(files, root, "")).Put(&vault.Record{
		User: enrolled, UID: nobodyUID, Created: now,
		Tokens: []vault.Token{{ID: "0123456789abcdef", Label: "test", Key: h.key, Confirmed: now}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// code is the next right code.
func (h *home) code(t *testing.T) string {
	t.Helper()
	c, err := h.key.Code(h.next)
	if err != nil {
		t.Fatal(err)
	}
	h.next++
	return c
}

var daemonProgram = sync.OnceValues(func() (string, error) {
	program := filepath.Join(scratch, "sallyportd")
	if out, err := exec.Command("go", "build", "-o", program, "sallyport/cmd/sallyportd").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building sallyportd: %w\n%s", err, out)
	}
	return program, nil
})

// daemon runs sallyportd on the tree.
func (h *home) daemon(t *testing.T) (stop func()) {
	t.Helper()
	program, err := daemonProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--root", h.root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	t.Cleanup(stop)
	said := bufio.NewScanner(out)
	for said.Scan() {
		if strings.Contains(said.Text(), "daemon started") || h.listening() {
			go func() {
				for said.Scan() {
				}
			}()
			return stop
		}
	}
	t.Fatalf("sallyportd --root %s ended at once", h.root)
	return nil
}

func (h *home) listening() bool {
	_, err := os.Stat(filepath.Join(h.root, "run/sallyport/pam"))
	return err == nil
}

// TestSleeping: one thread and the host's own signal dispositions when the module is loaded, after logins by the daemon
// and after logins by the Go half; login checks that of every host.
func TestSleeping(t *testing.T) {
	for _, tt := range []struct {
		name   string
		daemon bool
	}{{"daemon up", true}, {"daemon gone", false}} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			if tt.daemon {
				h.daemon(t)
			}
			right := h.code(t)
			h.login(t, "user="+enrolled, "answer="+right, "--", "auth", "acct", "open", "close").wantCalls(t,
				"auth 0", "acct 0", "open 0", "close 0")
			h.login(t, "user="+enrolled, "answer="+right, "--", "auth", "acct").wantCalls(t, "auth 7", "acct 6")
			h.login(t, "user="+stranger, "--", "auth", "acct").wantCalls(t, "auth 16", "acct 16")
		})
	}
}

// TestForkedLogins: sshd loads the module and forks for the login.
func TestForkedLogins(t *testing.T) {
	tests := []struct {
		name   string
		logins int
		daemon bool
	}{{"daemon up", 2000, true}, {"daemon gone", 500, false}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			if tt.daemon {
				h.daemon(t)
			}
			// Three answers that cannot be a code: a whole dialogue, and nobody is locked out.
			h.login(t, "user="+enrolled, "answer=password", fmt.Sprintf("fork=%d", tt.logins), "parallel=8", "--", "auth").want(t,
				fmt.Sprintf("ended %d %d", authErr, tt.logins))
			h.login(t, "user="+enrolled, "answer="+h.code(t), "fork=1", "--", "auth").wantCalls(t, "auth 0", "ended 0 1")
		})
	}
}

// TestTwoWakes: sshd tries the password in one process and the code in a child of it.
func TestTwoWakes(t *testing.T) {
	h := newHome(t)
	h.login(t, "user="+enrolled, "answer=password", "--", "auth", "auth", "auth").wantCalls(t, "auth 7", "auth 7", "auth 7")
	h.login(t, "user="+enrolled, "answer=password", "answer=password", "answer=password", "answer="+h.code(t),
		"--", "auth", "auth", "acct", "open").wantCalls(t, "auth 7", "auth 0", "acct 0", "open 0")
}

// TestHosts that do with their children and threads what they like, with the daemon gone.
func TestHosts(t *testing.T) {
	for _, host := range []string{"sigchld=handle", "sigchld=ignore", "sigchld=nocldwait", "sigchld=block", "threads=4", "ruid=65534"} {
		t.Run(host, func(t *testing.T) {
			h := newHome(t)
			h.login(t, "user="+enrolled, "answer="+h.code(t), host, "--", "auth", "acct", "open", "close").wantCalls(t,
				"auth 0", "acct 0", "open 0", "close 0")
			h.login(t, "user="+enrolled, "answer=password", host, "times=20", "--", "auth").wantCalls(t,
				slices.Repeat([]string{"auth 7"}, 20)...)
		})
	}
}

// TestHostsThatCannotWakeIt: a clear denial, and the host goes on.
func TestHostsThatCannotWakeIt(t *testing.T) {
	tests := []struct {
		name string
		host []string
		log  string
	}{
		{"little memory", []string{"as=100000000"}, "the Go half ended"},
		{"no processes", []string{"nproc=0", "uid=65534"}, "fork"},
		{"clone is forbidden", []string{"noclone"}, "fork"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			o := h.login(t, append(tt.host, "user="+enrolled, "answer="+h.code(t), "--", "auth", "acct", "open")...)
			o.want(t, "auth 9", "acct 9", "open 14")
			o.logged(t, tt.log)
			o.logged(t, "no verifier")
		})
	}
	t.Run("not root", func(t *testing.T) {
		h := newHome(t)
		h.login(t, "uid=65534", "user="+enrolled, "answer="+h.code(t), "--", "auth", "acct").wantCalls(t, "auth 9", "acct 9")
	})
}

// TestNothingGrows: 10,000 logins of one process with the daemon up, 300 with it gone.
func TestNothingGrows(t *testing.T) {
	const mostKiB = 128
	tests := []struct {
		name   string
		logins int
		daemon bool
	}{{"daemon up", 10000, true}, {"daemon gone", 300, false}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHome(t)
			if tt.daemon {
				h.daemon(t)
			}
			o := h.login(t, "user="+enrolled, "answer=password", fmt.Sprintf("times=%d", tt.logins), "--", "auth")
			o.wantCalls(t, slices.Repeat([]string{"auth 7"}, tt.logins)...)
			rss := o.rss(t)
			// The first states are of before and after the first login.
			if grown := rss[len(rss)-1] - rss[1]; grown > mostKiB {
				t.Errorf("it grew by %d KiB: %d", grown, rss)
			}
		})
	}
}

// TestDaemonKilled: a login that is under way when the daemon is killed goes on with the Go half.
func TestDaemonKilled(t *testing.T) {
	h := newHome(t)
	stop := h.daemon(t)
	h.install(t)
	cmd := exec.Command(h.host, "confdir="+h.confdir, "user="+enrolled, "answer="+h.code(t), "--", "pause", "auth")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		stop()
		in.Write([]byte("\n"))
	}()
	out := output(t, cmd)
	if !strings.Contains(out, "\nauth 0\n") {
		t.Errorf("it printed\n%s", out)
	}
}
