package ctest

import (
	"testing"

	"sallyport/internal/wire"
)

// TestReplayedPassword: the password that an earlier module asked for is no code, whatever it looks like, and does not
// leave the process; what else is typed does.
func TestReplayedPassword(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.before = "set=123456"
	stop := tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		for _, want := range []string{"", "", "1234567", "12345", "654321"} {
			p.reply(wire.Reply{Ask: &wire.Prompt{Text: "Code: "}})
			p.answer(want)
		}
		p.reply(wire.Reply{Ask: &wire.Prompt{Text: "Code from your app: ", Echo: true}})
		p.answer("123456")
		p.verdict(wire.Granted)
	})
	tr.login(t, "answer=123456", "answer=123456", "answer=1234567", "answer=12345", "answer=654321", "answer=123456", "--", "auth").want(t,
		"hidden Code: ", "hidden Code: ", "hidden Code: ", "hidden Code: ", "hidden Code: ", "shown Code from your app: ", "auth 0")
	stop()
}
