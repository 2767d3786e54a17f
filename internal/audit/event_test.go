package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// declared is the kinds as kind.go declares them: the table is held against the source, so that a new constant without an
// entry is found.
func declared(t *testing.T) map[string]Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Kind{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Kind" {
			return true
		}
		for i, name := range spec.Names {
			value, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[name.Name] = Kind(value)
		}
		return true
	})
	return found
}

func TestKinds(t *testing.T) {
	constants := declared(t)
	if len(constants) < 29 {
		t.Fatalf("only %d kinds were found in the source", len(constants))
	}
	if len(constants) != len(kinds) {
		t.Errorf("%d constants, but %d entries", len(constants), len(kinds))
	}
	format := regexp.MustCompile(`^[0-9a-f]{32}$`)
	ids, titles, values := map[string]string{}, map[string]string{}, map[Kind]string{}
	for name, k := range constants {
		a, ok := kinds[k]
		if !ok {
			t.Errorf("%s has no entry in kinds", name)
			continue
		}
		if !format.MatchString(a.id) {
			t.Errorf("%s: ID %q is not 128 bits in hexadecimal", name, a.id)
		}
		if a.priority < problem || a.priority > debug {
			t.Errorf("%s: priority %d", name, a.priority)
		}
		if a.title == "" {
			t.Errorf("%s has no title", name)
		}
		for what, clash := range map[string]string{"ID": ids[a.id], "title": titles[a.title], "value": values[k]} {
			if clash != "" {
				t.Errorf("%s and %s have the same %s", name, clash, what)
			}
		}
		ids[a.id], titles[a.title], values[k] = name, name, name
	}
}

// TestIDsAreStable holds the IDs that scripts and message catalogues match.
func TestIDsAreStable(t *testing.T) {
	for k, id := range map[Kind]string{
		LoginAccepted: "fe078bb1f3ac78d3acfadf5430a5967d",
		LoginDenied:   "5e4daffc2001f5ca5946e0e5bbfc33bd",
		CodeReplayed:  "9a594d42641d3c3c54e8fc6217f371e1",
		LoginLocked:   "c384d30d804002b4bfccb152704ba54b",
		Enrolled:      "39879db6960efafcf0b6da2a85619fd3",
		Disabled:      "dbdfa5547c73bfbd2004126374fa2c2e",
	} {
		if got := kinds[k].id; got != id {
			t.Errorf("%s: ID %s, was %s", k, got, id)
		}
	}
}

func TestMessage(t *testing.T) {
	until := time.Date(2026, 11, 23, 21, 5, 0, 0, time.FixedZone("", 3600))
	for want, e := range map[string]Event{
		`login accepted: user "alice", service sshd, from 10.0.0.5`:                    {Kind: LoginAccepted, User: "alice", UID: 1000, Service: "sshd", Source: "10.0.0.5"},
		`login accepted: user "alice", service sudo, on /dev/pts/1, process 42 (totp)`: {Kind: LoginAccepted, User: "alice", Service: "sudo", TTY: "/dev/pts/1", PID: 42, Reason: "totp"},
		`login locked: user "bob", from fe80::1%eth0, until 2026-11-23T20:05:00Z`:      {Kind: LoginLocked, User: "bob", Source: "fe80::1%eth0", Until: until},
		`used code refused: user "bob", device "my phone"`:                             {Kind: CodeReplayed, User: "bob", Token: "my phone"},
		`recovery code used: user "bob", left 0`:                                       {Kind: RecoveryCodeUsed, User: "bob"},
		`recovery code used: user "bob", left 9`:                                       {Kind: RecoveryCodeUsed, User: "bob", Count: 9},
		`second factor disabled: user "bob", by "root"`:                                {Kind: Disabled, User: "bob", By: "root"},
		`request refused: user "bob", method io.sallyport.Admin.Disable (root only)`:   {Kind: AccessRefused, User: "bob", Method: "io.sallyport.Admin.Disable", Reason: "root only"},
		`file cannot be used: file "/var/lib/sallyport/users/a.toml" (line 3: \n?)`:    {Kind: RecordUnreadable, Path: "/var/lib/sallyport/users/a.toml", Reason: "line 3: \n?"},
		`policy changed: by "root", setting codes.window, value 2`:                     {Kind: PolicyChanged, By: "root", Setting: "codes.window", Value: "2"},
		`daemon started`: {Kind: DaemonStarted},
		`login denied: user "a\nlogin accepted: user \"root\"", service "s shd", from "\x1b[2J\u202e"`: {
			Kind: LoginDenied, User: "a\nlogin accepted: user \"root\"", Service: "s shd", Source: "\x1b[2J\u202e"},
		`login denied: user "` + strings.Repeat("é", 128) + `…"`:     {Kind: LoginDenied, User: strings.Repeat("é", 200)},
		`login denied: service ` + strings.Repeat("a", 256) + `…`:    {Kind: LoginDenied, Service: strings.Repeat("a", 257)},
		`login denied: service "` + strings.Repeat("a ", 128) + `…"`: {Kind: LoginDenied, Service: strings.Repeat("a ", 129)},
		`login denied (` + strings.Repeat("é", 512) + `…)`:           {Kind: LoginDenied, Reason: strings.Repeat("é", 513)},
		`login denied (a\x00\\b\xff)`:                                {Kind: LoginDenied, Reason: "a\x00\\b\xff"},
		`"no such\nkind": user "a"`:                                  {Kind: "no such\nkind", User: "a"},
	} {
		if got := e.Message(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestMessageIsOneLine puts random bytes into every field: what comes out can be printed, and is one line of bounded length.
func TestMessageIsOneLine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := func() string {
		pool := []rune("ab\"\\\n\r\t\x00\x1b\x7f\u0085\u2028\u202e\ufeff\ufffdé…)(,: ")
		var b []byte
		for range 1 + rnd.IntN(300) {
			if rnd.IntN(8) == 0 {
				b = append(b, byte(rnd.IntN(256)))
			} else {
				b = utf8.AppendRune(b, pool[rnd.IntN(len(pool))])
			}
		}
		return string(b)
	}
	for range 2000 {
		e := Event{Kind: LoginDenied, User: noise(), Service: noise(), Source: noise(), TTY: noise(), By: noise(),
			Token: noise(), Reason: noise(), Path: noise(), Method: noise(), PID: 1}
		m := e.Message()
		for _, r := range m {
			if !unicode.IsPrint(r) {
				t.Fatalf("%+q is in the message of %#v", r, e)
			}
		}
		if !utf8.ValidString(m) {
			t.Fatalf("%+q is no text", m)
		}
		if lines := strings.Count(string(entry(e)), "\n"); lines != 16 {
			t.Fatalf("the entry has %d lines instead of 16:\n%s", lines, entry(e))
		}
	}
}
