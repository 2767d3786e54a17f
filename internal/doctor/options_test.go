package doctor_test

import (
	"os"
	"regexp"
	"testing"
)

// TestKnowsAllOptions holds the doctor's list of the module's options to the module's own.
func TestKnowsAllOptions(t *testing.T) {
	source, err := os.ReadFile("../../cgo/pam_sallyport/module.c")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`strn?cmp\(argv\[i\], "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 3 {
		t.Fatalf("options of the module: %q", found)
	}
	for _, option := range found {
		x := healthy(t)
		word := option[1]
		if word == "root=" {
			word += "/srv/tree"
		}
		x.stack("@include common-auth\n" + authLine(" "+word) + "\n" + accountLine() + "\n")
		for _, f := range x.examine() {
			if f.ID == "pam-option" {
				t.Errorf("it does not know %q", option[1])
			}
		}
	}
}
