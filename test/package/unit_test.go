// Package pack holds the units and the packages to what they promise, with systemd's, Debian's and RPM's own tools.
package pack

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const top = "../.."

// output runs a program that must succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// tree is a root with the units in it, as "make install PREFIX=/usr" leaves them, and what they start.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, unit := range []string{"sallyportd.service", "sallyportd.socket"} {
		text := strings.ReplaceAll(read(t, filepath.Join(top, "systemd", unit)), "@prefix@", "/usr")
		write(t, filepath.Join(root, "usr/lib/systemd/system", unit), text, 0o644)
	}
	for _, program := range []string{"usr/sbin/sallyportd", "bin/kill"} {
		write(t, filepath.Join(root, program), "#!/bin/sh\n", 0o755)
	}
	output(t, "cp", "-a", "/lib/systemd/system/.", filepath.Join(root, "usr/lib/systemd/system"))
	return root
}

// dropIn puts one of the examples where it says itself.
func dropIn(t *testing.T, root, conf string) {
	t.Helper()
	write(t, filepath.Join(root, "etc/systemd/system/sallyportd.service.d", conf), read(t, filepath.Join(top, "systemd", conf)), 0o644)
}

const network, chrony = "sallyport-network.conf", "sallyport-chrony.conf"

// TestUnitsVerify has systemd read the units, alone and with the examples.
func TestUnitsVerify(t *testing.T) {
	root := tree(t)
	for _, with := range []string{"", chrony, network} {
		if with != "" {
			dropIn(t, root, with)
		}
		if out := output(t, "systemd-analyze", "verify", "--man=no", "--root="+root, "sallyportd.socket", "sallyportd.service"); out != "" {
			t.Errorf("with %q: %s", with, out)
		}
	}
}

// check is a line of systemd-analyze's.
type check struct {
	Set  bool   `json:"set"`
	Name string `json:"name"`
}

// security is systemd-analyze's view of the service: what it may do, by check. Where the score is above most tenths,
// the test fails.
func security(t *testing.T, root, most string) map[string]bool {
	t.Helper()
	analyze := func(args ...string) []byte {
		args = append([]string{"security", "--offline=true", "--no-pager", "--root=" + root}, args...)
		out, err := exec.Command("systemd-analyze", append(args, "sallyportd.service")...).Output()
		if err != nil {
			t.Errorf("systemd-analyze %q: %v\n%s", args, err, out)
		}
		return out
	}
	t.Log(regexp.MustCompile(`Overall .*`).FindString(string(analyze("--threshold=" + most))))
	var checks []check
	if err := json.Unmarshal(analyze("--json=short"), &checks); err != nil {
		t.Fatal(err)
	}
	safe := map[string]bool{}
	for _, c := range checks {
		safe[c.Name] = c.Set
	}
	return safe
}

// TestSandbox holds the service to a score of 1.5, to no network, and to the capabilities whose use the unit explains.
func TestSandbox(t *testing.T) {
	root := tree(t)
	safe := security(t, root, "15")
	for _, name := range []string{"PrivateNetwork=", "IPAddressDeny=", "RestrictAddressFamilies=~AF_(INET|INET6)", "NoNewPrivileges="} {
		if !safe[name] {
			t.Errorf("%s is not safe", name)
		}
	}
	text := read(t, filepath.Join(top, "systemd/sallyportd.service"))
	set := regexp.MustCompile(`(?m)^CapabilityBoundingSet=(.*)$`).FindStringSubmatch(text)
	if set == nil {
		t.Fatal("the unit bounds no capabilities")
	}
	for name := range strings.FieldsSeq(set[1]) {
		if !regexp.MustCompile(`(?m)^#   ` + name + `  +\S`).MatchString(text) {
			t.Errorf("the unit does not say why it needs %s", name)
		}
	}
	dropIn(t, root, chrony)
	if with := security(t, root, "16"); with["CapabilityBoundingSet=~CAP_(DAC_*|FOWNER|IPC_OWNER)"] || !with["PrivateNetwork="] {
		t.Error("chrony's drop-in does not give what chronyc needs, or more")
	}
	dropIn(t, root, network)
	if open := security(t, root, "25"); open["PrivateNetwork="] || open["IPAddressDeny="] || open["RestrictAddressFamilies=~AF_(INET|INET6)"] {
		t.Error("the network's drop-in does not open it")
	}
}

// TestTmpfiles makes the directories that the module needs without the daemon, with the modes that it trusts.
func TestTmpfiles(t *testing.T) {
	root := t.TempDir()
	conf, err := filepath.Abs(filepath.Join(top, "systemd/sallyport.tmpfiles"))
	if err != nil {
		t.Fatal(err)
	}
	if out := output(t, "systemd-tmpfiles", "--root="+root, "--create", conf); out != "" {
		t.Error(out)
	}
	for path, want := range map[string]os.FileMode{"run/sallyport": 0o755, "var/lib/sallyport": 0o700, "var/lib/sallyport/users": 0o700} {
		info, err := os.Stat(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("/%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
	}
}
