// Package removal removes the packages' PAM module on a private host, with Debian's own pam-auth-update.
package removal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

const (
	inUse = "../../packaging/pam/pam-in-use.sh"
	spare = "/opt/sallyport/pam_sallyport.so" // another module than the package's
)

// pamDirectory puts a host's PAM files where they are, and the module, and what the package has besides.
func pamDirectory(t *testing.T, files map[string]string) (module string) {
	t.Helper()
	host.Fresh(t, "")
	host.Overlay(t, "/usr")
	host.Overlay(t, "/var/cache")
	modules, err := filepath.Glob("/usr/lib/*/security/pam_unix.so")
	if err != nil || len(modules) != 1 {
		t.Fatalf("PAM's modules are %q, error %v", modules, err)
	}
	module = filepath.Join(filepath.Dir(modules[0]), "pam_sallyport.so")
	install(t, modules[0], module)
	install(t, inUse, "/usr/libexec/sallyport/pam-in-use")
	install(t, "../../packaging/debian/pam-config", "/usr/share/pam-configs/sallyport")
	// pam_systemd's profile has priority 0, as many have.
	host.WriteFile(t, "/usr/share/pam-configs/other", "Name: Other\nDefault: yes\nPriority: 0\nSession-Type: Additional\nSession:\n\toptional pam_keyinit.so\n", 0o644)
	if err := os.MkdirAll("/var/lib/pam", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join("/etc/pam.d", name)
		host.WriteFile(t, path, text, 0o644)
		t.Cleanup(func() { _ = os.Remove(path) })
	}
	update(t, "--force") // the private host's own files are not as Debian writes them
	return module
}

// update has pam-auth-update(8) write the common files.
func update(t *testing.T, args ...string) {
	t.Helper()
	host.Output(t, "env", append([]string{"DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package"}, args...)...)
}

func install(t *testing.T, from, to string) {
	t.Helper()
	host.Output(t, "install", "-D", from, to)
}

// prerm is the package's script as dpkg calls it before a removal; how it ends, and what it says.
func prerm(t *testing.T) (refused bool, says string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "../../packaging/debian/libpam-sallyport.prerm", "remove")
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	t.Logf("%v\n%s", err, out)
	return err != nil, string(out)
}

// TestLinesThatNameTheModule: whatever means the package's module is found, and nothing else.
func TestLinesThatNameTheModule(t *testing.T) {
	module := pamDirectory(t, map[string]string{
		"a":         "# auth required pam_sallyport.so\nauth required pam_unix.so # pam_sallyport.so\n\nauth required " + spare + "\n",
		"b":         "auth [success=1 default=die] pam_sallyport.so debug\n  -session optional pam_sallyport.so", // no newline at the end
		"c.pam-old": "auth required pam_sallyport.so\n",
		"d":         "auth required pam_not_sallyport.so\n",
	})
	host.WriteFile(t, "/etc/pam.d/e", "auth required "+strings.TrimPrefix(module, "/usr")+"\n", 0o644)
	t.Cleanup(func() { _ = os.Remove("/etc/pam.d/e") })
	got := host.Output(t, "/usr/libexec/sallyport/pam-in-use", module)
	want := "  /etc/pam.d/b:1: auth [success=1 default=die] pam_sallyport.so debug\n" +
		"  /etc/pam.d/b:2: -session optional pam_sallyport.so\n" +
		"  /etc/pam.d/e:1: auth required " + strings.TrimPrefix(module, "/usr") + "\n"
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRefused: a line that an admin wrote keeps the module, and what pam-auth-update has switched on stays on.
func TestRefused(t *testing.T) {
	pamDirectory(t, map[string]string{"panel": "@include common-auth\nauth required pam_sallyport.so\n"})
	update(t, "--enable", "sallyport")
	refused, says := prerm(t)
	if !refused || !strings.Contains(says, "  /etc/pam.d/panel:2: auth required pam_sallyport.so\n") {
		t.Errorf("refused: %v, and it says:\n%s", refused, says)
	}
	if common := read(t, "/etc/pam.d/common-auth"); !strings.Contains(common, "pam_sallyport.so") {
		t.Errorf("the second factor is off all the same:\n%s", common)
	}
}

// TestRefusedWhereCommonIsByHand: pam-auth-update leaves a file alone that is none of its own, and so the module stays.
func TestRefusedWhereCommonIsByHand(t *testing.T) {
	pamDirectory(t, nil)
	update(t, "--enable", "sallyport")
	const file, own = "/etc/pam.d/common-auth", "auth\trequisite\tpam_unix.so\nauth\trequired\tpam_sallyport.so\n"
	host.WriteFile(t, file, own, 0o644)
	if refused, says := prerm(t); !refused || !strings.Contains(says, file+":2: ") {
		t.Errorf("refused: %v, and it says:\n%s", refused, says)
	}
	if text := read(t, file); text != own {
		t.Errorf("%s is\n%s", file, text)
	}
}

// TestTakenOut: what pam-auth-update has switched on it switches off, and then the module may go.
func TestTakenOut(t *testing.T) {
	pamDirectory(t, nil)
	update(t, "--enable", "sallyport")
	stands(t, "common-auth", "pam_unix.so")
	stands(t, "common-account", "pam_unix.so")
	stands(t, "common-session", "pam_unix.so")
	if text := read(t, "/etc/pam.d/common-session-noninteractive"); strings.Contains(text, "pam_sallyport") {
		t.Errorf("cron's sessions count:\n%s", text)
	}
	if refused, says := prerm(t); refused {
		t.Errorf("it refuses:\n%s", says)
	}
	for _, name := range []string{"common-auth", "common-account", "common-session"} {
		if common := read(t, filepath.Join("/etc/pam.d", name)); strings.Contains(common, "pam_sallyport") || !strings.Contains(common, "pam_unix.so") {
			t.Errorf("%s:\n%s", name, common)
		}
	}
}

// stands fails where the module does not come last in a file, behind another one.
func stands(t *testing.T, name, behind string) {
	t.Helper()
	text := read(t, filepath.Join("/etc/pam.d", name))
	_, rest, found := strings.Cut(text, behind)
	_, rest, ours := strings.Cut(rest, "pam_sallyport.so")
	if !found || !ours || strings.Contains(rest, "pam_") {
		t.Errorf("%s has not the module at its end:\n%s", name, text)
	}
}

// TestOffByDefault: the package alone changes no stack.
func TestOffByDefault(t *testing.T) {
	pamDirectory(t, nil)
	before := read(t, "/etc/pam.d/common-auth")
	update(t)
	if after := read(t, "/etc/pam.d/common-auth"); strings.Contains(after, "pam_sallyport") {
		t.Errorf("common-auth was\n%s\nand is\n%s", before, after)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
