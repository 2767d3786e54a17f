package sshdconfig_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/sshdconfig"
	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

// tree is a directory with files of sshd's configuration.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, "etc/ssh", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRead(t *testing.T) {
	root := tree(t, map[string]string{
		"sshd_config":             "# first\nInclude sshd_config.d/*.conf\nUsePAM=yes\n\nMatch User alice\n\tInclude /etc/ssh/alice\nMatch all\nPort  22\n",
		"sshd_config.d/20-b.conf": "PermitRootLogin no\n",
		"sshd_config.d/10-a.conf": "  permitrootlogin   yes\n",
		"sshd_config.d/none":      "Port 1\n",
		"alice":                   "X11Forwarding no\n",
	})
	all, err := sshdconfig.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		got = append(got, fmt.Sprintf("%s:%d %s %s %t", filepath.Base(d.File), d.Line, d.Keyword, d.Value, d.Matched))
	}
	want := `sshd_config:2 include sshd_config.d/*.conf false
10-a.conf:1 permitrootlogin yes false
20-b.conf:1 permitrootlogin no false
sshd_config:3 usepam yes false
sshd_config:5 match User alice true
sshd_config:6 include /etc/ssh/alice true
alice:1 x11forwarding no true
sshd_config:7 match all false
sshd_config:8 port 22 false`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got:\n%s\nwant:\n%s", text, want)
	}
	if _, err := sshdconfig.Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

// TestTest asks the real sshd, about files of a tree that name files of the host.
func TestTest(t *testing.T) {
	root := tree(t, map[string]string{
		"sshd_config": "Include /etc/ssh/more\nPermitRootLogin no\nMatch User alice Address 192.0.2.0/24\n  PermitRootLogin yes\n",
		"more":        "PasswordAuthentication no\nInclude /etc/ssh/nothing/*\nAuthenticationMethods publickey,password any\n",
	})
	if err := sshdconfig.Check(t.Context(), root); err == nil || !strings.Contains(err.Error(), "any") {
		t.Errorf("a list beside any: %v", err)
	}
	if err := os.WriteFile(root+"/etc/ssh/more", []byte("PasswordAuthentication no\nAuthenticationMethods publickey,keyboard-interactive:pam publickey\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := sshdconfig.Check(t.Context(), root); err != nil {
		t.Error(err)
	}
	for who, want := range map[string]string{" ": "no", "alice 192.0.2.9": "yes", "alice 198.51.100.9": "no", "bob 192.0.2.9": "no"} {
		user, source, _ := strings.Cut(who, " ")
		s, err := sshdconfig.Test(t.Context(), root, user, source)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Is("permitrootlogin", want) || !s.Is("passwordauthentication", "no") {
			t.Errorf("%q: PermitRootLogin is %q, want %q", who, s["permitrootlogin"], want)
		}
		m := s.Methods()
		if len(m) != 2 || !sshdconfig.Has(m[0], "keyboard-interactive") || sshdconfig.Has(m[1], "keyboard-interactive") {
			t.Errorf("methods %q", m)
		}
	}
}

func TestMethods(t *testing.T) {
	s := sshdconfig.Settings{"authenticationmethods": "any", "pubkeyauthentication": "yes", "passwordauthentication": "no", "kbdinteractiveauthentication": "yes"}
	if got := fmt.Sprint(s.Methods()); got != "[[keyboard-interactive] [publickey]]" {
		t.Errorf("any is %s", got)
	}
}
