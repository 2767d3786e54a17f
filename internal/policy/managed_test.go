package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/disk"
)

// apply does what the daemon does with an Edit.
func apply(t *testing.T, root disk.Root, changes ...Change) Edit {
	t.Helper()
	e, err := Manage(root, changes)
	if err != nil {
		t.Fatal(err)
	}
	if e.Data != nil {
		if err := new(disk.OS).WriteConfig(root.Managed(), e.Data); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if written(p) != written(e.Policy) {
		t.Errorf("Manage foretold\n%s\nand Load gives\n%s", written(e.Policy), written(p))
	}
	return e
}

func managed(t *testing.T, root disk.Root) string {
	t.Helper()
	data, err := os.ReadFile(root.Managed())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestManage changes settings of every kind, and takes them back.
func TestManage(t *testing.T) {
	root := tree(t,
		"etc/sallyport/sallyport.toml", "issuer = \"main\"\n[codes]\nwindow = 2\n",
		"etc/sallyport/sallyport.d/10.toml", "codes.attempts = 4\n[[rule]]\nrequire = \"always\"\n",
		"etc/sallyport/sallyport.d/60.toml", "clock.warn = \"10s\"\n")
	apply(t, root, Change{Name: "sessions.excess", Value: `"deny"`}, Change{Name: "enabled", Value: "false"},
		Change{Name: "codes.window", Value: "3"}, Change{Name: "codes.attempts", Value: "4"},
		Change{Name: "clock.servers", Value: `["ntp.example.org",'192.0.2.1', ]`}, Change{Name: "lockout.lock", Value: `"300s"`})
	want := managedHead + `enabled = false

[codes]
window = 3

[sessions]
excess = "deny"

[clock]
servers = ["ntp.example.org", "192.0.2.1"]
`
	if got := managed(t, root); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e := apply(t, root, Change{Name: "codes.window", Unset: true}, Change{Name: "enabled", Unset: true},
		Change{Name: "sessions.excess", Value: `"ask"`}, Change{Name: "issuer", Unset: true})
	if got := strings.Join(e.Wrote, " "); got != "codes.window enabled sessions.excess" {
		t.Errorf("wrote %q", got)
	}
	if e.Policy.Codes.Window != 2 || !e.Policy.Enabled || e.Policy.Issuer != "main" || len(e.Policy.Rules) != 1 {
		t.Errorf("got\n%s", written(e.Policy))
	}
	if e := apply(t, root, Change{Name: "sessions.excess", Value: `"ask"`}, Change{Name: "codes.window", Unset: true}); e.Data != nil || e.Wrote != nil {
		t.Errorf("what is so already is written: %v", e.Wrote)
	}
}

// TestManageKeepsTheHead keeps what somebody wrote above the settings.
func TestManageKeepsTheHead(t *testing.T) {
	root := tree(t, "etc/sallyport/sallyport.d/50-managed.toml", "# Ours.\n# Ask Ann.\n\nenabled = false\n")
	apply(t, root, Change{Name: "codes.window", Value: "2"})
	if got, want := managed(t, root), "# Ours.\n# Ask Ann.\nenabled = false\n\n[codes]\nwindow = 2\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestManageRefuses: nothing is to be written where that would break the policy, have no effect, or lose something.
func TestManageRefuses(t *testing.T) {
	const main, ours = "etc/sallyport/sallyport.toml", "etc/sallyport/sallyport.d/50-managed.toml"
	for _, test := range []struct {
		name   string
		files  []string
		change Change
		want   string // of the error; ROOT stands for the tree
	}{
		{"unknown", nil, Change{Name: "codes.widow", Value: "1"}, `There is no setting "codes.widow". Did you mean "codes.window"?`},
		{"of a rule", nil, Change{Name: "require", Value: `"never"`}, `There is no setting "require". To see all of them: sallyportctl policy show`},
		{"a table", nil, Change{Name: "codes", Value: "{window = 1}"}, `There is no setting "codes".`},
		{"to be unset", nil, Change{Name: "nothing", Unset: true}, `There is no setting "nothing".`},
		{"out of bounds", nil, Change{Name: "codes.window", Value: "11"}, `codes.window must be a whole number from 0 to 10, not 11.`},
		{"with a hint", nil, Change{Name: "lockout.lock", Value: "300"}, `lockout.lock must be a time from 1s to 720h in whole seconds, not 300. Write a unit: lock = "300s".`},
		{"empty", nil, Change{Name: "issuer"}, `"" is no TOML value.`},
		{"no TOML", nil, Change{Name: "issuer", Value: "Example"}, `"Example" is no TOML value. Strings stand in quotes`},
		{"two lines", nil, Change{Name: "codes.window", Value: "1\nenabled = false"}, `is no TOML value.`},
		{"a comment", nil, Change{Name: "issuer", Value: "\"a\" # b\n[[rule]]\nrequire = \"never\""}, `is no TOML value.`},
		{"too deep", nil, Change{Name: "clock.servers", Value: strings.Repeat("[", 1000)}, `is no TOML value.`},
		{"a contradiction", []string{main, "[lockout]\nlock_max = \"10m\"\n"}, Change{Name: "lockout.lock", Value: `"20m"`},
			`ROOT/` + ours + `:6: lockout.lock (20m) is longer than lockout.lock_max (10m).`},
		{"broken", []string{main, "enabeld = true\n"}, Change{Name: "enabled", Value: "false"}, `ROOT/` + main + `:1: Unknown key "enabeld"`},
		{"overridden", []string{"etc/sallyport/sallyport.d/60-x.toml", "# x\nenabled = true\n"}, Change{Name: "enabled", Value: "false"},
			`enabled is set at ROOT/etc/sallyport/sallyport.d/60-x.toml:2, which overrides the managed file`},
		{"a rule in it", []string{ours, "# x\n\nenabled = true\n[[rule]]\nrequire = \"never\"\n"}, Change{Name: "enabled", Value: "false"},
			`ROOT/` + ours + `:4: This line was not written by sallyportd, and would be lost.`},
		{"a comment in it", []string{ours, "# x\nenabled = true # Ann wants it\n"}, Change{Name: "enabled", Value: "false"}, `ROOT/` + ours + `:2: This line`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, test.files...)
			e, err := Manage(root, []Change{{Name: "sessions.limit", Value: "7"}, test.change})
			if err == nil {
				t.Fatalf("it is taken, and gives\n%s", e.Data)
			}
			if got := strings.ReplaceAll(err.Error(), string(root), "ROOT"); !strings.HasPrefix(got, test.want) && !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestManageLaterFileAgrees: what a later file says already is so, whoever says it.
func TestManageLaterFileAgrees(t *testing.T) {
	root := tree(t, "etc/sallyport/sallyport.d/60-x.toml", "enabled = false\n")
	if e := apply(t, root, Change{Name: "enabled", Value: "false"}); e.Data != nil {
		t.Errorf("wrote\n%s", e.Data)
	}
	var over *OverriddenError
	if _, err := Manage(root, []Change{{Name: "enabled", Value: "true"}}); !errors.As(err, &over) || over.Line != 1 ||
		filepath.Base(over.File) != "60-x.toml" {
		t.Errorf("got %v", err)
	}
}

func TestLiteral(t *testing.T) {
	for typed, want := range map[string]string{
		"2": "2", "true": "true", "10m": `"10m"`, "deny": `"deny"`, `"deny"`: `"deny"`, `["a"]`: `["a"]`, "a b": `"a b"`, "": `""`, "1\nx = 2": `"1\nx = 2"`,
	} {
		if got := Literal(typed); got != want {
			t.Errorf("%q gives %s, want %s", typed, got, want)
		}
	}
}
