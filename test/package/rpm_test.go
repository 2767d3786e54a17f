package pack

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/api"
)

// rpmDir is a directory with the RPM packages, built once for all tests.
var rpmDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sallyport-rpm-")
	if err != nil {
		return "", err
	}
	made = append(made, dir)
	return dir, makeTarget("rpm", "RPMDIR="+dir)
})

var rpms = []string{"sallyport", "sallyport-pam", "sallyport-selinux"}

// rpm is the file of a package.
func rpm(t *testing.T, name string) string {
	t.Helper()
	dir, err := rpmDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "RPMS/*", name+"-"+api.Version+"-*.rpm"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %q, error %v", name, files, err)
	}
	return files[0]
}

// TestRPMFiles holds the packages to their lists of files, with mode and owner; the documents may come and go.
func TestRPMFiles(t *testing.T) {
	const format = `[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]`
	for _, name := range rpms {
		var files []string
		for line := range strings.Lines(output(t, "rpm", "-qp", "--queryformat", format, rpm(t, name))) {
			if !strings.Contains(line, " /usr/share/doc/") {
				files = append(files, line)
			}
		}
		compare(t, filepath.Join("testdata", name+".rpmfiles"), strings.Join(files, ""))
	}
	if got := output(t, "rpm", "-qp", "--configfiles", rpm(t, "sallyport")); got != "/etc/sallyport/sallyport.toml\n" {
		t.Errorf("configuration files: %q", got)
	}
}

// TestRPMExamplesNeedNothing: whoever installs the package need not have PHP and Node for its documents.
func TestRPMExamplesNeedNothing(t *testing.T) {
	for line := range strings.Lines(output(t, "rpm", "-qp", "--requires", rpm(t, "sallyport"))) {
		if strings.Contains(line, "/node") || strings.Contains(line, "php") || strings.Contains(line, "python") {
			t.Errorf("the package needs %s", line)
		}
	}
}

// TestRPMLife installs the packages into a tree of their own and erases them: the tree is as the packages say, and the
// policy that was changed and the enrolments outlive them. (The scriptlets need a system; TestRPMScripts reads them.)
func TestRPMLife(t *testing.T) {
	root := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		return output(t, "rpm", append([]string{"--root", root}, args...)...)
	}
	install := []string{"--install", "--nodeps", "--noscripts"}
	for _, name := range rpms {
		install = append(install, rpm(t, name))
	}
	run("--initdb")
	run(install...)
	for _, name := range rpms {
		if out := run("--verify", "--nodeps", name); out != "" {
			t.Errorf("%s is not as it was packed:\n%s", name, out)
		}
	}
	policy, alice := filepath.Join(root, "etc/sallyport/sallyport.toml"), filepath.Join(root, "var/lib/sallyport/users/alice.toml")
	write(t, policy, "issuer = \"ours\"\n", 0o644)
	write(t, alice, "alice's", 0o600)
	run(append([]string{"--erase", "--nodeps", "--noscripts"}, rpms...)...)
	if kept := read(t, policy+".rpmsave"); kept != "issuer = \"ours\"\n" {
		t.Errorf("the policy after the removal: %q", kept)
	}
	if kept := read(t, alice); kept != "alice's" {
		t.Errorf("the enrolment after the removal: %q", kept)
	}
	for _, gone := range []string{"usr/sbin/sallyportd", "usr/bin/sallyportctl", "usr/share/doc/sallyport"} {
		if _, err := os.Stat(filepath.Join(root, gone)); err == nil {
			t.Errorf("the removal has left %s", gone)
		}
	}
}

// scriptlet is one of a package's, by the line that "rpm --scripts" puts in front.
var scriptlet = regexp.MustCompile(`(?m)^(\w+) scriptlet \(using (\S+)\):\n`)

func scriptlets(t *testing.T, name string) map[string]string {
	t.Helper()
	text := output(t, "rpm", "-qp", "--scripts", rpm(t, name))
	at := scriptlet.FindAllStringSubmatchIndex(text, -1)
	found := map[string]string{}
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		found[text[m[2]:m[3]]] = "#!" + text[m[4]:m[5]] + "\n" + text[m[1]:end]
	}
	return found
}

// TestRPMScripts has shellcheck read the scriptlets.
func TestRPMScripts(t *testing.T) {
	n := 0
	for _, name := range rpms {
		for what, text := range scriptlets(t, name) {
			n++
			path := filepath.Join(t.TempDir(), name+"-"+what)
			write(t, path, text, 0o755)
			output(t, "shellcheck", path)
		}
	}
	if n != 6 {
		t.Errorf("%d scriptlets", n)
	}
	for what, text := range scriptlets(t, "sallyport") {
		if strings.Contains(text, "restart sallyportd.socket") || what == "postuninstall" && !strings.Contains(text, "try-restart sallyportd.service") {
			t.Errorf("%s: an upgrade restarts the daemon, and leaves the sockets:\n%s", what, text)
		}
	}
}

// TestAuthselect adds the feature to a profile, twice, and looks where the module stands then.
func TestAuthselect(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"system-auth":   "auth sufficient pam_unix.so\nauth required pam_deny.so\n\naccount required pam_unix.so\naccount required pam_permit.so\n",
		"password-auth": "auth sufficient pam_unix.so\naccount\trequired pam_unix.so\nsession required pam_unix.so\n",
		"postlogin":     "auth required pam_ecryptfs.so {include if \"with-ecryptfs\"}\nsession optional pam_umask.so\n",
		"README":        "A profile.\n",
	} {
		write(t, filepath.Join(dir, name), text, 0o644)
	}
	for range 2 {
		output(t, filepath.Join(top, "packaging/pam/authselect-profile.sh"), dir)
	}
	const line = `^(\w+) +required +pam_sallyport\.so +\{include if "with-sallyport"\}$`
	for name, want := range map[string]string{"system-auth": "account", "password-auth": "account", "postlogin": "auth session"} {
		text := read(t, filepath.Join(dir, name))
		var types []string
		for _, m := range regexp.MustCompile("(?m)"+line).FindAllStringSubmatch(text, -1) {
			types = append(types, m[1])
		}
		if got := strings.Join(types, " "); got != want {
			t.Errorf("%s has the module for %q, want %q:\n%s", name, got, want, text)
		}
		if first := regexp.MustCompile(`(?m)^account.*$`).FindString(text); first != "" && !strings.Contains(first, "pam_sallyport.so") {
			t.Errorf("%s: %q comes before the module", name, first)
		}
	}
	if !strings.Contains(read(t, filepath.Join(dir, "README")), "with-sallyport::") {
		t.Error("the README does not explain the feature")
	}
}
