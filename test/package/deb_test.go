package pack

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sallyport/internal/api"
)

var update = flag.Bool("update", false, "write testdata anew")

// debs are the packages' names.
var debs = []string{"sallyport", "libpam-sallyport", "cockpit-sallyport"}

// builtDir is a directory with the packages, built once for all tests; TestMain removes it.
var builtDir = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sallyport-deb-")
	if err != nil {
		return "", err
	}
	made = append(made, dir)
	return dir, makeDeb(dir)
})

var made []string // directories to remove at the end

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	for _, dir := range made {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// makeDeb is "make deb" into a directory of its own.
func makeDeb(dir string, env ...string) error { return makeTarget("deb", "DEBDIR="+dir, env...) }

func makeTarget(target, setting string, env ...string) error {
	cmd := exec.Command("make", "-C", top, target, setting)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = &buildError{out, err}
	}
	return err
}

type buildError struct {
	output []byte
	err    error
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + string(e.output) }

func built(t *testing.T) string {
	t.Helper()
	dir, err := builtDir()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// deb is the file of a package, which has the version of the program.
func deb(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(built(t), name+"_"+api.Version+"_*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, error %v", name, found, err)
	}
	return found[0]
}

// TestDebReproducible builds once more, in another place, time zone and language, for a user who shows nobody anything.
func TestDebReproducible(t *testing.T) {
	again := filepath.Join(t.TempDir(), "somewhere/else")
	if err := makeDeb(again, "TZ=Pacific/Kiritimati", "LC_ALL=C.UTF-8", "DEB_BUILD_OPTIONS=parallel=1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range debs {
		one := read(t, deb(t, name))
		other := read(t, filepath.Join(again, filepath.Base(deb(t, name))))
		if one != other {
			t.Errorf("%s is not the same twice (%d and %d bytes)", name, len(one), len(other))
		}
	}
}

// TestLintian wants no errors and no warnings.
func TestLintian(t *testing.T) {
	changes, err := filepath.Glob(filepath.Join(built(t), "*.changes"))
	if err != nil || len(changes) != 1 {
		t.Fatalf("%q, error %v", changes, err)
	}
	out := output(t, "lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", changes[0])
	if out = strings.TrimSpace(strings.ReplaceAll(out, "running with root privileges is not recommended!", "")); out != "" {
		t.Error(out)
	}
}

// TestDebHardened holds the programs to what a compiler and a linker can do. Go's own code has no stack protector and no
// fortified functions: it checks bounds instead.
func TestDebHardened(t *testing.T) {
	root := unpacked(t, debs...)
	general := []string{"--nostackprotector", "--nofortify", "--nocfprotection"}
	for path, options := range map[string][]string{
		"usr/sbin/sallyportd":  general,
		"usr/bin/sallyportctl": general,
		"lib/*/security/*.so":  {"--nopie", "--nocfprotection"},
	} {
		files, err := filepath.Glob(filepath.Join(root, path))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %q, error %v", path, files, err)
			continue
		}
		output(t, "hardening-check", append(options, files[0])...)
	}
}

// unpacked is a root with the packages' files in it.
func unpacked(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		output(t, "dpkg-deb", "-x", deb(t, name), root)
	}
	return root
}

// control is the directory of a package's scripts.
func control(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	output(t, "dpkg-deb", "-e", deb(t, name), dir)
	return dir
}

// fileLine takes mode, owner and path out of a line of "dpkg-deb -c".
var fileLine = regexp.MustCompile(`^(\S+) (\S+) +\d+ \S+ \S+ \.(/\S*)`)

// TestDebFiles holds the packages to their lists of files; the documents may come and go.
func TestDebFiles(t *testing.T) {
	for _, name := range debs {
		var files []string
		for line := range strings.Lines(output(t, "dpkg-deb", "-c", deb(t, name))) {
			m := fileLine.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("%q", line)
			}
			if !strings.HasSuffix(m[3], "/") && !strings.HasPrefix(m[3], "/usr/share/doc/") {
				files = append(files, m[1]+" "+m[2]+" "+m[3])
			}
		}
		compare(t, filepath.Join("testdata", name+".files"), strings.Join(files, "\n")+"\n")
	}
	const conffiles = "/etc/apparmor.d/usr.sbin.sallyportd\n/etc/sallyport/sallyport.toml\n"
	if got := read(t, filepath.Join(control(t, "sallyport"), "conffiles")); got != conffiles {
		t.Errorf("conffiles: %q", got)
	}
}

// compare holds a text to a file of the test's.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		write(t, file, got, 0o644)
	}
	if want := read(t, file); got != want {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// scripts are a package's maintainer scripts.
func scripts(t *testing.T, name string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		path := filepath.Join(control(t, name), script)
		if text, err := os.ReadFile(path); err == nil {
			found[path] = string(text)
		}
	}
	return found
}

// TestDebScripts has shellcheck read the maintainer scripts, and debhelper's parts in them.
func TestDebScripts(t *testing.T) {
	n := 0
	for _, name := range debs {
		for path := range scripts(t, name) {
			n++
			// dh_apparmor's part has backticks that are not quoted, and confmodule is not there to be read.
			output(t, "shellcheck", "-S", "warning", "-e", "SC1091,SC2046", path)
		}
	}
	if n != 5 {
		t.Errorf("%d maintainer scripts", n)
	}
}

// TestUpgradeKeepsSockets: what a script stops or restarts the sockets with, it does in a removal only. Logins wait in
// them while the daemon restarts.
func TestUpgradeKeepsSockets(t *testing.T) {
	restarted := false
	for path, text := range scripts(t, "sallyport") {
		condition := ""
		for line := range strings.Lines(text) {
			switch line = strings.TrimSpace(line); {
			case strings.HasPrefix(line, "if ["):
				condition = line
			case strings.Contains(line, "deb-systemd-invoke start "), !strings.Contains(line, "deb-systemd-invoke "):
			case strings.Contains(line, "sallyportd.socket") && !strings.Contains(condition, `"$1" = remove`):
				t.Errorf("%s: %s\nunder: %s", filepath.Base(path), line, condition)
			case strings.Contains(line, "$_dh_action 'sallyportd.service'"):
				restarted = strings.Contains(text, "_dh_action=restart")
			}
		}
	}
	if !restarted {
		t.Error("an upgrade does not restart the daemon")
	}
}

// TestAppArmor has the parser compile the profile as it is installed.
func TestAppArmor(t *testing.T) {
	profile := filepath.Join(unpacked(t, "sallyport"), "etc/apparmor.d/usr.sbin.sallyportd")
	out := output(t, "apparmor_parser", "--skip-kernel-load", "--skip-cache", "--warn=all", "--names", profile)
	if !slices.Contains(strings.Fields(out), "sallyportd") {
		t.Errorf("the parser says:\n%s", out)
	}
}

// TestChangelogs: the package's version is the program's.
func TestChangelogs(t *testing.T) {
	first, _, _ := bytes.Cut([]byte(read(t, filepath.Join(top, "packaging/debian/changelog"))), []byte("\n"))
	if !bytes.HasPrefix(first, []byte("sallyport ("+api.Version+") ")) {
		t.Errorf("%s; internal/api.Version is %s", first, api.Version)
	}
}
