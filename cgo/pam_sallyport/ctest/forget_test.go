package ctest

import (
	"strings"
	"testing"

	"sallyport/internal/wire"
)

// TestForgets looks through the host's heap for what was typed and for what the verifier said and nobody was shown, after
// a login in which each long packet was followed by a short one.
func TestForgets(t *testing.T) {
	typed, said := strings.Repeat("typed-", 80), strings.Repeat("said-", 80)
	tr := newTree(t, plain)
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		p.reply(wire.Reply{Ask: &wire.Prompt{Text: "Code: "}, Resume: said})
		p.answer(typed)
		if p.n == 0 {
			return // what was typed is sent again, behind another packet
		}
		p.ask("Again: ")
		p.answer("2")
		p.verdict(wire.Granted)
	})
	tr.login(t, "answer="+typed, "answer=2", "secret=typed-typed-", "secret=said-said-", "--", "auth").wantCalls(t,
		"auth 0", "secret 0 times", "secret 0 times")
}
