package sshdconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRead gives sshd's main file and one that it may include. Each line that is found is one of a file, and files that
// include each other come to an end.
func FuzzRead(f *testing.F) {
	f.Add("Include sshd_config.d/*.conf\nUsePAM=yes\nMatch User alice\n\tInclude /etc/ssh/sshd_config.d/a.conf\nMatch all\n", "PermitRootLogin no\n")
	f.Add("Include sshd_config.d/a.conf\n", "Include sshd_config.d/*\nInclude \"sshd_config.d/a.conf\" sshd_config.d/a.conf\n")
	prefix := f.TempDir()
	dir := filepath.Join(prefix, "etc/ssh/sshd_config.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	files := []string{prefix + Path, filepath.Join(dir, "a.conf")}
	f.Fuzz(func(t *testing.T, first, second string) {
		lines := map[string][]string{}
		for i, text := range []string{first, second} {
			if err := os.WriteFile(files[i], []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			lines[files[i]] = strings.Split(text, "\n")
		}
		all, err := Read(prefix)
		if err != nil {
			return
		}
		for _, d := range all {
			of := lines[d.File]
			if d.Line < 1 || d.Line > len(of) || of[d.Line-1] != d.Text || d.Keyword == "" {
				t.Errorf("%+v is no line of %q", d, of)
			}
		}
	})
}

// FuzzSettings gives the output of "sshd -T".
func FuzzSettings(f *testing.F) {
	f.Add("usepam yes\nauthenticationmethods publickey,keyboard-interactive:pam password\npasswordauthentication yes\n")
	f.Add("authenticationmethods any\npubkeyauthentication yes\nkbdinteractiveauthentication no\n")
	f.Fuzz(func(t *testing.T, out string) {
		for _, list := range parseSettings(out).Methods() {
			if len(list) == 0 {
				t.Error("a way to log in that needs no method")
			}
			Has(list, "publickey")
		}
	})
}
