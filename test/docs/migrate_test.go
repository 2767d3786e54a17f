package docs

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

const migrate = "../../docs/migrate.md"

// The same secret in the forms of the sources.
const (
	secretHex    = "3132333435363738393031323334353637383930"
	secretBase32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

// migrateFiles is what people come with, by path.
func migrateFiles() map[string]string {
	return map[string]string{
		"/etc/google-auth/alice":  secretBase32 + "\n\" TOTP_AUTH\n12345678\n",
		"/etc/users.oath":         "HOTP/T30 bob 1234 " + secretHex + "\n",
		"/root/tfa_userdata.json": `{"carol":{"secret":"` + secretBase32 + `"}}`,
		"/root/tokens.xml": `<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage><DeviceInfo><SerialNo>1000</SerialNo></DeviceInfo>` +
			`<Key Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>` +
			`<Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret></Data></Key></KeyPackage></KeyContainer>`,
		"/root/owners":   "1000 frank\n",
		"/root/keys":     "otpauth://totp/dora@example.org?secret=" + secretBase32 + "\n",
		"/root/key":      "otpauth://totp/dora@example.org?secret=" + secretBase32 + "\n",
		"/root/transfer": "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZSABKAEwAhABGAEgACjr4JKK%2B%2F%2F%2F%2F%2F8B\n",
	}
}

// TestMigrate runs every command of docs/migrate.md in its order, on a host whose users come from everywhere.
func TestMigrate(t *testing.T) {
	host.StartDaemon(t, "")
	people := []string{"alice", "bob", "carol", "dora", "erin", "frank"}
	for _, name := range people {
		host.AddUser(t, name)
	}
	u := host.AddUser(t, "henry")
	line := host.As(u, "google-authenticator", "-q", "-C", "-t", "-d", "-f", "-u", "-w", "3")
	host.Output(t, line[0], line[1:]...)
	for path, text := range migrateFiles() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		host.WriteFile(t, path, text, 0o600)
		t.Cleanup(func() { _ = os.Remove(path) })
	}
	t.Cleanup(func() { _ = os.Remove("/root/sallyport.age") })
	t.Setenv("PATH", filepath.Dir(host.Build(t).Ctl)+":"+os.Getenv("PATH"))
	for _, part := range parts(t, migrate) {
		switch part.kind {
		case "sh":
			for _, command := range part.lines {
				follow(t, command)
			}
		case "toml":
			host.Policy(t, strings.Join(part.lines, "\n")+"\n")
			follow(t, "sallyportctl policy check")
		}
	}
	for _, name := range people {
		if out := host.Output(t, "sallyportctl", "status", name); !strings.Contains(out, "set up\n") {
			t.Errorf("%s was not moved:\n%s", name, out)
		}
	}
}

// follow runs a command as an admin would, who types what it asks for.
func follow(t *testing.T, command string) {
	t.Helper()
	t.Log(command)
	cmd := exec.Command("/bin/sh", "-c", command)
	want := 0
	switch command {
	case "sallyportctl import oath /etc/users.oath":
		want = 1 // there is a PIN
	case "sallyportctl disable NAME":
		cmd = exec.Command("sallyportctl", "disable", "henry", "--yes")
	case "sallyportctl recovery-codes":
		cmd = exec.Command("/bin/sh", "-c", strings.Join(append(host.As(lookUp(t, "alice"), host.Build(t).Ctl), "recovery-codes"), " "))
		cmd.Stdin = strings.NewReader("12345678\n") // the scratch code
	case "sallyportctl vault backup /root/sallyport.age", "sallyportctl vault restore /root/sallyport.age", "sallyportctl vault restore /root/sallyport.age --apply":
		cmd.Stdin = strings.NewReader("correct horse battery\n")
	}
	out, err := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != want {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

func lookUp(t *testing.T, name string) *user.User {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
