package pack

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are the manual pages as the packages install them.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(unpacked(t, debs...), "usr/share/man/man?/*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		found[strings.TrimSuffix(filepath.Base(file), ".gz")] = file
	}
	return found
}

// TestManPages has man(1) read each page without a warning.
func TestManPages(t *testing.T) {
	found := pages(t)
	for _, name := range []string{"sallyportd.8", "sallyportctl.8", "pam_sallyport.8", "sallyport.toml.5"} {
		if found[name] == "" {
			t.Errorf("there is no %s", name)
			continue
		}
		cmd := exec.Command("man", "--warnings", "--local-file", found[name])
		cmd.Env = append(cmd.Environ(), "LC_ALL=C.UTF-8", "MANWIDTH=80")
		var warnings strings.Builder
		cmd.Stderr = &warnings
		if text, err := cmd.Output(); err != nil || warnings.Len() > 0 || !strings.Contains(string(text), "SEE ALSO") {
			t.Errorf("%s: %v\n%s", name, err, warnings.String())
		}
	}
	if len(found) != 4 {
		t.Errorf("the pages are %v", found)
	}
}

// says fails where a page does not explain one of the words.
func says(t *testing.T, page string, words []string) {
	t.Helper()
	text := strings.ReplaceAll(read(t, filepath.Join(top, "packaging/man", page)), `\-`, "-")
	for _, word := range words {
		if !strings.Contains(text, "\n.TP\n\\fB"+word+`\fR`) {
			t.Errorf("%s does not explain %s", page, word)
		}
	}
}

// TestManDaemon and TestManModule take the options from where they are known.
func TestManDaemon(t *testing.T) {
	help := output(t, filepath.Join(unpacked(t, "sallyport"), "usr/sbin/sallyportd"), "--help")
	options := regexp.MustCompile(`(?m)^  (--[a-z-]+)`).FindAllStringSubmatch(help, -1)
	if len(options) < 3 {
		t.Fatalf("the daemon has the options %q", options)
	}
	for _, o := range options {
		says(t, "sallyportd.8", o[1:])
	}
}

func TestManModule(t *testing.T) {
	known := regexp.MustCompile(`str(?:n?)cmp\(argv\[i\], "([^"]+)"`).FindAllStringSubmatch(read(t, filepath.Join(top, "cgo/pam_sallyport/module.c")), -1)
	if len(known) < 3 {
		t.Fatalf("the module has the options %q", known)
	}
	for _, o := range known {
		says(t, "pam_sallyport.8", o[1:])
	}
}
