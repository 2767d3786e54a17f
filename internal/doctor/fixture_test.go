package doctor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/doctor"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

const modulePath = "/usr/local/lib/security/pam_sallyport.so"

// tree is a host's files in a directory of their own.
type tree struct {
	*testing.T
	root string
}

// healthy is Debian's files with what the README has an admin write, and alice, who is enrolled.
func healthy(t *testing.T) *tree {
	t.Helper()
	x := &tree{t, t.TempDir()}
	for _, dir := range []string{"etc/sallyport", "usr/local/lib/security", "var/lib/sallyport", "root", "usr/lib"} {
		x.mkdir(dir)
	}
	for _, path := range []string{"/etc/pam.d", "/etc/ssh"} {
		host.Output(t, "cp", "-a", path, filepath.Join(x.root, path))
	}
	host.Output(t, "install", "-m", "0644", host.Build(t).Module, filepath.Join(x.root, modulePath))
	x.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nalice:x:1001:1001::/home/alice:/bin/bash\n")
	x.write("etc/group", "root:x:0:\nalice:x:1001:\n")
	x.write("etc/shadow", "root:*:1::::::\nalice:!:1::::::\n")
	x.replace("etc/pam.d/sshd", "@include common-auth\n",
		"@include common-auth\n"+authLine("")+"\n"+accountLine()+"\n"+sessionLine+"\n")
	x.replace("etc/ssh/sshd_config", "",
		"UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\nAuthenticationMethods keyboard-interactive publickey,keyboard-interactive\n")
	x.enroll("alice", 1001)
	return x
}

func (x *tree) path(name string) string { return filepath.Join(x.root, name) }

func (x *tree) mkdir(name string) {
	x.Helper()
	if err := os.MkdirAll(x.path(name), 0o755); err != nil {
		x.Fatal(err)
	}
}

func (x *tree) write(name, text string) {
	x.Helper()
	host.WriteFile(x.T, x.path(name), text, 0o644)
}

func (x *tree) read(name string) string {
	x.Helper()
	data, err := os.ReadFile(x.path(name))
	if err != nil {
		x.Fatal(err)
	}
	return string(data)
}

// replace puts text in place of old, which must be there once; "" is the beginning of the file.
func (x *tree) replace(name, old, text string) {
	x.Helper()
	data := x.read(name)
	if old != "" && strings.Count(data, old) != 1 {
		x.Fatalf("%s has %q %d times:\n%s", name, old, strings.Count(data, old), data)
	}
	x.write(name, strings.Replace(data, old, text, 1))
}

func (x *tree) run(name string, args ...string) {
	x.Helper()
	host.Output(x.T, name, args...)
}

// enroll gives a user a second factor.
func (x *tree) enroll(user string, uid uint32) {
	x.Helper()
	files, root := new(disk.OS), disk.Root(x.root)
	secret, err := otp.ParseSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	if err != nil {
		x.Fatal(err)
	}
	key := otp.Key{Kind: otp.TOTP, Secret: secret, Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	record := &vault.Record{User: user, UID: uid, Created: time.Unix(1, 0), Tokens: []vault.Token{{ID: "0123456789abcdef", Label: "phone", Key: key, Confirmed: time.Unix(1, 0)}}}
	if err := vault.Open(files, root, vault.LoadKeys(files, root, "")).Put(record); err != nil {
		x.Fatal(err)
	}
}

func (x *tree) examine(users ...string) []doctor.Finding {
	x.Helper()
	return examine(x.T, doctor.Patient{Root: disk.Root(x.root), Users: users, Now: time.Now()})
}

func examine(t *testing.T, p doctor.Patient) []doctor.Finding {
	t.Helper()
	found, err := doctor.Examine(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ids(all []doctor.Finding) []string {
	var names []string
	for _, f := range all {
		names = append(names, f.ID)
	}
	slices.Sort(names)
	return names
}

// apply does what a finding says, and reports whether it says anything that a program can do.
func apply(t *testing.T, m doctor.Mend) bool {
	t.Helper()
	byFile := map[string][]doctor.Edit{}
	for _, e := range m.Edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	for file, edits := range byFile {
		applyEdits(t, file, edits)
	}
	if m.Command != "" {
		if out, err := exec.Command("/bin/sh", "-c", m.Command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", m.Command, err, out)
		}
	}
	return m.Command != "" || len(m.Edits) > 0
}

func applyEdits(t *testing.T, file string, edits []doctor.Edit) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := doctor.Change(string(data), edits)
	if err != nil {
		t.Fatal(err)
	}
	host.WriteFile(t, file, text, 0o644)
}
