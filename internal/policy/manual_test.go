package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// manualKey is a key of the manual page, in its section, with its default where it has one.
var manualKey = regexp.MustCompile(`(?m)\\fB([a-z_]+)(?: = (.*?))?\\fR(?:$|, )`)

// manual is what packaging/man/sallyport.toml.5 says of each key: "table.key" and its default, "[[table]].key" and nothing.
func manual(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../packaging/man/sallyport.toml.5")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, section := range strings.Split(string(page), "\n.SS ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		text, _, _ = strings.Cut(text, "\n.SH ")
		table := ""
		if strings.HasPrefix(title, "[[") {
			table = title + "."
		} else if strings.HasPrefix(title, "[") {
			table = strings.Trim(title, "[]") + "."
		}
		for _, m := range manualKey.FindAllStringSubmatch(text, -1) {
			found[table+m[1]] = strings.ReplaceAll(m[2], `\-`, "-")
		}
	}
	return found
}

// TestManual holds the manual page to the keys and their defaults, both ways.
func TestManual(t *testing.T) {
	want := map[string]string{}
	for _, k := range tableKeys() {
		want[k.name] = k.show(defaultPolicy())
	}
	for _, k := range ruleKeys() {
		want["[[rule]]."+k.name] = ""
	}
	for _, k := range delegateKeys() {
		want["[[delegate]]."+k.name] = ""
	}
	got := manual(t)
	for name, value := range want {
		if said, ok := got[name]; !ok || said != value {
			t.Errorf("packaging/man/sallyport.toml.5 must say %q = %q: it has it (%v) as %q", name, value, ok, said)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("packaging/man/sallyport.toml.5 explains %q, which the policy does not know", name)
		}
	}
}
