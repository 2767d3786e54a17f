package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/host"
)

// TestPolicyPage runs each command of docs/policy.md against a daemon, and has each policy there checked.
func TestPolicyPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	host.StartDaemon(t, "")
	commands, policies := 0, 0
	for _, block := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		switch block[1] {
		case "sh":
			for line := range strings.Lines(block[2]) {
				commands++
				program, args, _ := strings.Cut(strings.TrimSpace(line), " ")
				if program != "sallyportctl" {
					t.Fatalf("no test runs %q", line)
				}
				host.Output(t, "sh", "-c", host.Build(t).Ctl+" "+args)
			}
		case "toml":
			policies++
			host.Policy(t, block[2])
			host.Output(t, host.Build(t).Ctl, "policy", "check")
			host.Policy(t, "")
		}
	}
	if commands < 10 || policies < 5 {
		t.Errorf("%d commands and %d policies were found", commands, policies)
	}
}
