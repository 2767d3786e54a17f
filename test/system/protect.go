package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sallyport/test/host"
)

// ProtectSSH has sshd ask for codes, as the README says: its pam and sshd blocks go where it says, then sshd is checked
// and reloaded. Where the packages are installed, libpam finds the module by its name.
func (g *Guest) ProtectSSH() {
	g.t.Helper()
	g.protectSSH(block(g.t, "README.md", "pam"))
}

func (g *Guest) protectSSH(lines string) {
	g.t.Helper()
	const stack, include = "/etc/pam.d/sshd", "@include common-auth\n"
	before := g.ReadFile(stack)
	if !strings.HasPrefix(lines, include) || !strings.Contains(before, include) {
		g.t.Fatalf("the README's lines do not fit %s:\n%s", stack, before)
	}
	if _, status := g.Try("test -e /usr/local/lib/security/pam_sallyport.so"); status != 0 {
		lines = strings.ReplaceAll(lines, "/usr/local/lib/security/", "")
	}
	g.WriteFile(stack, strings.Replace(before, include, lines, 1), 0o644)
	g.PutSSHD(block(g.t, "README.md", "sshd"))
	g.ReloadSSH()
}

// ReloadSSH checks and reloads sshd, and waits until it listens again: systemctl does not.
func (g *Guest) ReloadSSH() {
	g.t.Helper()
	const listening = `"Server listening on :: port 22."`
	g.Run("sshd -t")
	before := len(g.Journal("_COMM=sshd", "MESSAGE="+listening))
	g.Run("systemctl reload ssh")
	g.eventually("sshd listens again", func() bool { return len(g.Journal("_COMM=sshd", "MESSAGE="+listening)) > before })
}

// PutSSHD puts lines in front of sshd_config, which takes the first value of each keyword (sshd_config(5)).
func (g *Guest) PutSSHD(lines string) {
	g.t.Helper()
	const config = "/etc/ssh/sshd_config"
	g.WriteFile(config, lines+g.ReadFile(config), 0o644)
}

// block is the first fenced block of a kind in a document of the repository's, without its indent.
func block(t host.T, document, kind string) string {
	t.Helper()
	root, err := host.Repository()
	if err != nil {
		t.Fatalf("%v", err)
	}
	data, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatalf("%v", err)
	}
	var text strings.Builder
	inside := false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "```"+kind:
			inside = true
		case line == "```" && inside:
			return text.String()
		case inside:
			fmt.Fprintln(&text, line)
		}
	}
	t.Fatalf("%s has no block %q", document, kind)
	return ""
}
