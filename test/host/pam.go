package host

import (
	"os"
	"path/filepath"
	"strings"
)

const pamDir = "/etc/pam.d"

// PAM replaces the PAM stack of a service (pam.conf(5)) until the end of the test.
func PAM(t T, service string, lines ...string) {
	t.Helper()
	path := filepath.Join(pamDir, service)
	before, err := os.ReadFile(path)
	t.Cleanup(func() {
		if err != nil {
			_ = os.Remove(path) // there was none
			return
		}
		WriteFile(t, path, string(before), 0o644)
	})
	WriteFile(t, path, strings.Join(lines, "\n")+"\n", 0o644)
}

// Module is a line for pam.d with the module that was built.
func Module(t T, kind, control string, options ...string) string {
	t.Helper()
	return strings.Join(append([]string{kind, control, Build(t).Module}, options...), " ")
}

// Protect puts the module into the stack that Debian ships for a service, where the manual says: behind the password,
// before the account checks, and among the sessions. options are those of the auth line.
func Protect(t T, service string, options ...string) {
	t.Helper()
	Insert(t, service, Module(t, "auth", "required", options...), Module(t, "account", "required"), Module(t, "session", "required"))
}

// Insert puts an auth line behind the password of a service's stack, an account line before the account checks and a
// session line at the end. An empty one is left out.
func Insert(t T, service, auth, account, session string) {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(pamDir, service))
	if err != nil {
		t.Fatalf("%v", err)
	}
	var lines []string
	var authDone, accountDone bool
	for line := range strings.Lines(string(shipped)) {
		line = strings.TrimRight(line, "\n")
		if strings.Contains(line, "pam_sallyport.so") {
			continue // this machine is protected itself
		}
		switch strings.Join(strings.Fields(line), " ") {
		case "@include common-auth":
			lines, authDone = append(lines, line, auth), true
		case "@include common-account":
			lines, accountDone = append(lines, account, line), true
		default:
			lines = append(lines, line)
		}
	}
	if !authDone || !accountDone {
		t.Fatalf("%s/%s does not include common-auth and common-account as Debian's does", pamDir, service)
	}
	PAM(t, service, append(lines, session)...)
}
