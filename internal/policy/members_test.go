package policy

import (
	"errors"
	"testing"
)

func TestInclude(t *testing.T) {
	for _, test := range []struct {
		members Members
		user    string
		groups  func() ([]string, error)
		want    bool
		err     bool
	}{
		{nil, "alice", failing, false, false},
		{Members{"bob"}, "alice", failing, false, false},
		{Members{"@a", "alice"}, "alice", failing, true, false},
		{Members{"@a"}, "alice", groups("b", "a"), true, false},
		{Members{"@a"}, "alice", groups("b"), false, false},
		{Members{"@a"}, "@a", groups(), false, false},
		{Members{"@a"}, "alice", failing, false, true},
		{Members{"@a"}, "alice", nil, false, true},
		{Members{""}, "", groups(), true, false}, // Parse does not let it through
	} {
		got, err := test.members.Include(test.user, test.groups)
		if got != test.want || (err != nil) != test.err {
			t.Errorf("%q include %q: got %v, %v", test.members, test.user, got, err)
		}
	}
}

func TestDelegate(t *testing.T) {
	p := parsed(t, "f", `
[[delegate]]
who  = ["@helpdesk", "eve"]
over = ["@customers", "carl"]
may  = ["list", "unlock"]

[[delegate]]
who  = ["frank"]
over = ["@helpdesk", "root", "eve", "@wheel"]
may  = ["disable"]

[[delegate]]
who  = ["@wheel"]
over = ["@customers", "@helpdesk"]
may  = ["list"]
`)
	type lookup = func() ([]string, error)
	for _, test := range []struct {
		user       string
		groups     lookup
		over       string
		overGroups lookup
		action     string
		want, fail bool
	}{
		{"hanna", groups("helpdesk"), "cleo", groups("customers"), "list", true, false},
		{"hanna", groups("helpdesk"), "cleo", groups("customers"), "unlock", true, false},
		{"hanna", groups("helpdesk"), "cleo", groups("customers"), "disable", false, false},
		{"hanna", groups("helpdesk"), "cleo", groups("customers"), "", false, false},
		{"hanna", groups("helpdesk"), "stan", groups("staff"), "list", false, false},
		{"stan", groups("staff"), "cleo", groups("customers"), "list", false, false},
		{"cleo", groups("customers"), "cleo", groups("customers"), "list", false, false},
		{"eve", failing, "carl", failing, "list", true, false}, // all by name

		// Root only by name.
		{"hanna", groups("helpdesk"), "root", groups("customers"), "list", false, false},
		{"frank", groups(), "root", groups("wheel"), "disable", true, false},

		// Another delegate only by name, oneself included.
		{"hanna", groups("helpdesk"), "eve", groups("customers"), "list", false, false},
		{"hanna", groups("helpdesk"), "herb", groups("customers", "helpdesk"), "list", false, false},
		{"hanna", groups("helpdesk", "customers"), "hanna", groups("helpdesk", "customers"), "list", false, false},
		{"wanda", groups("wheel"), "herb", groups("helpdesk"), "list", false, false},
		{"frank", groups(), "herb", groups("helpdesk"), "disable", false, false},
		{"frank", groups(), "eve", groups("helpdesk"), "disable", true, false},
		{"hanna", groups("helpdesk"), "frank", groups("customers"), "list", false, false},
		{"hanna", groups("helpdesk"), "wanda", groups("customers", "wheel"), "list", false, false},

		// A look-up that fails denies.
		{"hanna", failing, "carl", groups("customers"), "list", false, true},
		{"hanna", nil, "carl", groups("customers"), "list", false, true},
		{"hanna", groups("helpdesk"), "cleo", failing, "list", false, true},
		{"hanna", groups("helpdesk"), "root", failing, "list", false, false},
	} {
		got, err := p.Delegate(Act{User: test.user, Groups: test.groups, Over: test.over, OverGroups: test.overGroups, Action: test.action})
		if got != test.want || (err != nil) != test.fail {
			t.Errorf("may %s %s %s: got %v, %v, want %v", test.user, test.action, test.over, got, err, test.want)
		}
	}
	if _, err := p.Delegate(Act{User: "hanna", Groups: failing, Over: "cleo", OverGroups: groups(), Action: "list"}); !errors.Is(err, errLookup) {
		t.Errorf("got the error %v", err)
	}
	if got, err := parsed(t).Delegate(Act{User: "eve", Groups: groups(), Over: "carl", OverGroups: groups(), Action: "list"}); got || err != nil {
		t.Errorf("without delegates: got %v, %v", got, err)
	}
}

// TestDelegateOverOwned: whose account it is says the file, and never of root or of a delegate.
func TestDelegateOverOwned(t *testing.T) {
	p := parsed(t, "f", `
[[delegate]]
who    = ["@resellers"]
owners = "/owners"
may    = ["disable"]

[[delegate]]
who    = ["boss"]
over   = ["rita"]
owners = "/others"
may    = ["disable"]
`)
	owners := map[string]string{"/owners alice": "rita", "/owners bob": "ron", "/owners root": "rita", "/owners rita": "rita", "/owners ron": "rita", "/others carl": "boss"}
	for _, test := range []struct {
		user, over string
		groups     func() ([]string, error)
		want, fail bool
	}{
		{"rita", "alice", groups("customers"), true, false},
		{"rita", "bob", groups("customers"), false, false},
		{"ron", "bob", groups("customers"), true, false},
		{"rita", "unheard", groups("customers"), false, false},
		{"rita", "root", groups(), false, false},
		{"rita", "rita", groups("resellers"), false, false},
		{"rita", "ron", groups("resellers"), false, false},
		{"rita", "carl", groups("customers"), false, false},
		{"boss", "carl", groups("customers"), true, false},
		{"boss", "alice", groups("customers"), false, false},
		{"boss", "rita", groups("resellers"), true, false},
		{"rita", "alice", failing, false, true}, // she might be a delegate
		{"eve", "alice", groups("customers"), false, false},
	} {
		act := Act{User: test.user, Over: test.over, OverGroups: test.groups, Action: "disable", Groups: groups("resellers"),
			Owner: func(file, account string) string { return owners[file+" "+account] }}
		if test.user == "eve" || test.user == "boss" {
			act.Groups = groups("staff")
		}
		if got, err := p.Delegate(act); got != test.want || (err != nil) != test.fail {
			t.Errorf("%s over %s: got %v, %v; want %v", test.user, test.over, got, err, test.want)
		}
		act.Owner = nil
		if got, _ := p.Delegate(act); got && test.over != "rita" {
			t.Errorf("%s over %s without an owner's file: got %v", test.user, test.over, got)
		}
	}
}
