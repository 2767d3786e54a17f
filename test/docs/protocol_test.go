// Package docs holds the documentation to the code.
package docs

import (
	"flag"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/PROTOCOL.md anew")

const head = `# The protocol

<!-- Made by "go test ./test/docs -update" from the package comment of internal/wire and the .varlink files. -->

Two sockets, one verifier behind them. /run/sallyport/pam is for the PAM module; /run/sallyport/io.sallyport is for
everybody else and speaks [Varlink](https://varlink.org). On both, who calls is read from the connection (SO_PEERCRED),
and what it may do stands in a table: root may do everything, the users in the policy's login.trusted may verify logins
for others, and everybody may for itself. A Varlink message of root has at most 64 KiB, one of anybody else at most 4 KiB.

`

// TestProtocolPage fails where docs/PROTOCOL.md says something else than the code.
func TestProtocolPage(t *testing.T) {
	want := head + packets(t) + interfaces(t)
	const page = "../../docs/PROTOCOL.md"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/PROTOCOL.md is out of date; run go test ./test/docs -update")
	}
}

// packets is the package comment of internal/wire as Markdown.
func packets(t *testing.T) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../internal/wire/doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	var p comment.Parser
	doc := p.Parse(f.Doc.Text())
	pr := comment.Printer{HeadingLevel: 2, HeadingID: func(*comment.Heading) string { return "" }}
	return "## Packets\n\n" + string(pr.Markdown(doc)) + "\n"
}

// interfaces is every .varlink file, as it is.
func interfaces(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../../internal/api/*/*.varlink")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d .varlink files, error %v", len(files), err)
	}
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".varlink")
		b.WriteString("## " + name + "\n\n```varlink\n" + string(text) + "```\n\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
