package policy

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const etc = "../../etc/"

func readEtc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(etc + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestExampleChangesNothing: as it is installed, the example leaves all to the
// vendor's file.
func TestExampleChangesNothing(t *testing.T) {
	p := parsed(t, "example", readEtc(t, "sallyport.toml"))
	if written(p) != written(defaultPolicy()) || len(p.origins) > 0 {
		t.Errorf("got\n%s", written(p))
	}
}

// TestExampleHasAllDefaults: with its keys uncommented, it sets each to what it
// is anyway.
func TestExampleHasAllDefaults(t *testing.T) {
	text := regexp.MustCompile(`(?m)^#(\w+ = )`).ReplaceAllString(readEtc(t, "sallyport.toml"), "$1")
	p := parsed(t, "example", text)
	if got, want := written(p), written(defaultPolicy()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, k := range tableKeys() {
		if _, ok := p.origins[k.name]; !ok {
			t.Errorf("%s is missing", k.name)
		}
	}
}

// TestExampleRules: the rules and delegates in its comments are right, and its
// list of what a rule may say has all keys.
func TestExampleRules(t *testing.T) {
	example := readEtc(t, "sallyport.toml")
	var text strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^#   (\[\[\w+\]\]|\w+ +=.*)$`).FindAllStringSubmatch(example, -1) {
		text.WriteString(m[1] + "\n")
	}
	p := parsed(t, "example", text.String())
	if len(p.Rules) != 2 || len(p.Delegates) != 2 || len(p.Warnings()) > 0 {
		t.Errorf("got %d rules, %d delegates and the warnings %v", len(p.Rules), len(p.Delegates), p.Warnings())
	}
	for _, k := range ruleKeys() {
		if !regexp.MustCompile(`(?m)^#   (\w+, )*` + k.name + `\b`).MatchString(example) {
			t.Errorf("%s is missing", k.name)
		}
	}
}

func TestVendorFile(t *testing.T) {
	p := parsed(t, "vendor", readEtc(t, "vendor.toml"))
	if d := decided(t, p, Request{Service: "cockpit"}, march); d.Sessions.Logout != LogoutAll {
		t.Errorf("cockpit: got %+v", d)
	}
	if d := decided(t, p, Request{Service: "sshd"}, march); d.Sessions.Logout != LogoutOne {
		t.Errorf("sshd: got %+v", d)
	}
	if w := p.Warnings(); w != nil {
		t.Errorf("got the warnings %v", w)
	}
}
