package e2e

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sallyport/test/host"
)

// traced starts the daemon under strace, which tells of each call that has a path. (-D: the daemon is our child.)
func traced(t *testing.T, to string) *host.Process {
	t.Helper()
	p := host.Start(t, "strace", "-D", "-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file", "-o", to, host.Build(t).Daemon)
	host.Eventually(t, "the daemon takes calls", host.DaemonAnswers)
	return p
}

// pathsIn are the paths in a trace whose calls succeeded.
func pathsIn(t *testing.T, trace string) []string {
	t.Helper()
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:<(/[^>]*)>, )?"([^"]+)"`)
	var all []string
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, "= -1 ") {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(line, -1) { // a directory's descriptor, if any, and a name
			if dir, name := m[1], m[2]; filepath.IsAbs(name) {
				all = append(all, name)
			} else if dir != "" {
				all = append(all, filepath.Join(dir, name))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// writableBy returns the first part of a path that somebody else than root may change; "" where there is none.
func writableBy(path string) string {
	for ; path != "/"; path = filepath.Dir(path) {
		st, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if err != nil || !ok || sys.Uid != 0 || st.Mode()&0o022 != 0 && st.Mode()&fs.ModeSymlink == 0 && st.Mode()&fs.ModeDevice == 0 && st.Mode()&fs.ModeSocket == 0 {
			return path
		}
	}
	return ""
}

// CVE-2024-47191: pam_oath, as root, made and renamed files in the home of who logged in, and followed the links that it
// found there: to /etc/shadow. oidc-pam#91 wrote authorized_keys the same way. Here nothing that root opens, makes or
// renames is where somebody else could have put a link.
func TestKnownCVE202447191(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	host.Fresh(t, require("always"))
	daemon := traced(t, trace)
	openStack(t)
	alice := enrolled(t, "alice")
	secret := "/root/known-secret"
	host.WriteFile(t, secret, "root's", 0o600)
	for _, name := range []string{".google_authenticator", ".google_authenticator~", "users.oath", ".sallyport", ".config", ".ssh"} {
		if err := os.Symlink(secret, filepath.Join(alice.HomeDir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if !comesIn(t, "alice", alice.app.Code()) {
		t.Fatal("the right code is refused")
	}
	x := host.Open(t, alice.command(host.Build(t).Ctl, "recovery-codes"))
	x.Answer("A current code or a recovery code: ", alice.app.Code())
	x.Wait()
	if status := daemon.Terminate(); status != 0 {
		t.Fatalf("the daemon ended with status %d", status)
	}
	var paths []string
	host.Eventually(t, "the trace has alice's record", func() bool {
		paths = pathsIn(t, trace)
		return slices.Contains(paths, record("alice"))
	})
	t.Logf("%d paths", len(paths))
	if writableBy(filepath.Join(alice.HomeDir, "x")) == "" {
		t.Fatal("alice's home passes for root's")
	}
	for _, path := range paths {
		if part := writableBy(path); part != "" && !strings.HasPrefix(path, "/proc/") && !strings.HasPrefix(path, "/dev/") {
			t.Errorf("root opens %s, and %s is not root's alone", path, part)
		}
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "root's" {
		t.Errorf("%s holds %q, %v", secret, text, err)
	}
	_ = os.Remove(secret)
}

// CVE-2019-12209: pam_u2f, as root, followed a link in place of the user's file, and said in its debug output what was
// in there. A record that is a link, or has a second name, is not read: it denies that user, and says nothing.
func TestKnownCVE201912209(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	openStack(t)
	alice, bob := enrolled(t, "alice"), enrolled(t, "bob")
	d.Stop()
	for name, link := range map[string]func(string, string) error{"a symbolic link": os.Symlink, "another user's, by a hard link": os.Link} {
		t.Run(name, func(t *testing.T) {
			if err := errors.Join(os.Rename(record("alice"), record("alice")+"-aside"), link(record("bob"), record("alice"))); err != nil {
				t.Fatal(err)
			}
			d.Start()
			if comesIn(t, "alice", bob.app.Code()) {
				t.Error("alice comes in with bob's code")
			}
			d.Stop()
			if log := d.Log(); !strings.Contains(log, record("alice")) {
				t.Errorf("the log does not name the file:\n%s", log)
			} else {
				tellsNothing(t, "the log", log, "secret =")
			}
			if err := os.Rename(record("alice")+"-aside", record("alice")); err != nil {
				t.Fatal(err)
			}
		})
	}
	d.Start()
	if !comesIn(t, "alice", alice.app.Code()) {
		t.Error("the record that is put back is refused")
	}
}

// CVE-2013-7322: pam_oath looked for the user's line by its beginning, found the one that was commented out, wrote the used
// code there, and took the same code again.
func TestKnownCVE20137322(t *testing.T) {
	host.StartDaemon(t, require("always"))
	openStack(t)
	for _, name := range []string{"al", "alice"} {
		host.AddUser(t, name)
	}
	host.AddUser(t, "alic")
	users := "#HOTP alice - 00000000000000000000\nHOTP alic - 1111111111111111111111111111111111111111\n" +
		"HOTP alice - 3132333435363738393031323334353637383930\nHOTP al - 2222222222222222222222222222222222222222\n"
	host.WriteFile(t, "/etc/users.oath", users, 0o600)
	t.Cleanup(func() { _ = os.Remove("/etc/users.oath") })
	imports(t, 0, "oath", "/etc/users.oath", "--apply")
	before := map[string]string{}
	for _, name := range []string{"al", "alic"} {
		data, err := os.ReadFile(record(name))
		if err != nil {
			t.Fatal(err)
		}
		before[name] = string(data)
	}
	first, second := "755224", "287082" // RFC 4226, Appendix D
	for _, code := range []string{first, second} {
		if !comesIn(t, "alice", code) {
			t.Fatalf("the right code %s is refused", code)
		}
		if comesIn(t, "alice", code) {
			t.Errorf("the code %s is taken twice", code)
		}
	}
	for name, text := range before {
		if data, err := os.ReadFile(record(name)); err != nil || string(data) != text {
			t.Errorf("alice's login changed the record of %s (%v)", name, err)
		}
	}
}

// google-authenticator-libpam#13: on a full disk nobody could log in, not even to make room. #177: it left the user's file
// empty, and then nobody could log in at all.
func TestKnownGA13And177(t *testing.T) {
	host.Fresh(t, require("always"))
	if err := os.MkdirAll("/var/lib/sallyport", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", "/var/lib/sallyport", "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount("/var/lib/sallyport", unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d := host.DaemonOn(t)
	d.Start()
	t.Cleanup(d.Kill)
	openStack(t)
	alice := enrolled(t, "alice")
	before, err := os.ReadFile(record("alice"))
	if err != nil {
		t.Fatal(err)
	}
	full := host.Command("dd", "if=/dev/zero", "of=/var/lib/sallyport/full", "bs=1k")
	if out, err := full.CombinedOutput(); err == nil {
		t.Fatalf("the disk is not full: %s", out)
	}
	t.Run("issue 13, disk full", func(t *testing.T) {
		if !comesIn(t, "alice", alice.app.Code()) {
			t.Error("a full disk keeps alice out")
		}
	})
	t.Run("issue 177, the file is never empty", func(t *testing.T) {
		if comesIn(t, "alice", alice.recovery[0]) {
			t.Error("a recovery code is taken that cannot be put down as used")
		}
		if now, err := os.ReadFile(record("alice")); err != nil || string(now) != string(before) {
			t.Errorf("the record has changed: %d bytes instead of %d, %v", len(now), len(before), err)
		}
		if err := os.Remove("/var/lib/sallyport/full"); err != nil {
			t.Fatal(err)
		}
		if !comesIn(t, "alice", alice.recovery[0]) || comesIn(t, "alice", alice.recovery[0]) {
			t.Error("with room again, a recovery code is not good once")
		}
	})
	t.Run("issue 177, an empty file keeps out its user only", func(t *testing.T) {
		bob := enrolled(t, "bob")
		host.WriteFile(t, record("alice"), "", 0o600)
		if comesIn(t, "alice", alice.app.Code()) {
			t.Error("an empty record is a login")
		}
		if !comesIn(t, "bob", bob.app.Code()) {
			t.Error("alice's empty record keeps bob out")
		}
		if !strings.Contains(d.Log(), record("alice")) {
			t.Errorf("the log does not name the file:\n%s", d.Log())
		}
	})
}
