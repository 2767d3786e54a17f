package ctest

import (
	"sync/atomic"
	"testing"

	"sallyport/internal/wire"
)

// TestBeginningAgain: a verifier that goes away in the middle costs nobody the login.
func TestBeginningAgain(t *testing.T) {
	// first asks, and goes away when the answer has come.
	first := func(t *testing.T, resume string) script {
		return func(p *peer) {
			p.request(wire.Begin)
			p.reply(wire.Reply{Tell: []wire.Message{info("Hello.")}, Ask: &wire.Prompt{Text: "Code: "}, Resume: resume})
			p.answer("1")
		}
	}
	t.Run("the answer is kept", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.serve(t, "pam", func(p *peer) {
			if p.n == 0 {
				first(t, "abc")(p)
				return
			}
			if r := p.request(wire.Begin); r.Resume != "abc" {
				t.Errorf("resume %q", r.Resume)
			}
			p.ask("Code: ", info("Hello."))
			p.answer("1")
			p.ask("Code: ", alarm("Wrong.")) // it is asked once more: this one has no answer yet
			p.answer("2")
			p.verdict(wire.Granted)
		})
		tr.login(t, "answer=1", "answer=2", "--", "auth").want(t,
			"info Hello.", "hidden Code: ", "error Wrong.", "hidden Code: ", "auth 0")
	})
	t.Run("another question", func(t *testing.T) {
		for _, ask := range []wire.Prompt{{Text: "Code:", Echo: false}, {Text: "Code: ", Echo: true}} {
			tr := newTree(t, sanitized)
			tr.serve(t, "pam", func(p *peer) {
				if p.n == 0 {
					first(t, "")(p)
					return
				}
				if r := p.request(wire.Begin); r.Resume != "" {
					t.Errorf("resume %q", r.Resume)
				}
				p.reply(wire.Reply{Ask: &ask})
				p.answer("2")
				p.verdict(wire.Granted)
			})
			asked := "hidden " + ask.Text
			if ask.Echo {
				asked = "shown " + ask.Text
			}
			tr.login(t, "answer=1", "answer=2", "--", "auth").want(t, "info Hello.", "hidden Code: ", asked, "auth 0")
		}
	})
	t.Run("an answer that had its reply is not kept", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.ask("Code: ")
			if p.n == 1 {
				p.answer("3")
				p.verdict(wire.Granted)
				return
			}
			p.answer("1")
			p.ask("Again: ")
			p.answer("2")
		})
		tr.login(t, "answer=1", "answer=2", "answer=3", "--", "auth").want(t, "hidden Code: ", "hidden Again: ", "hidden Code: ", "auth 0")
	})
	t.Run("with the Go half", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.serve(t, "pam", func(p *peer) {
			first(t, "abc")(p)
			p.leave()
		})
		tr.half(t, func(p *peer) {
			if r := p.request(wire.Begin); r.Resume != "abc" {
				t.Errorf("resume %q", r.Resume)
			}
			p.ask("Code: ")
			p.answer("1")
			p.verdict(wire.Granted)
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "info Hello.", "hidden Code: ", "auth 0")
	})
	t.Run("four times", func(t *testing.T) {
		tr := newTree(t, sanitized)
		var begun atomic.Int32
		stop := tr.serve(t, "pam", func(p *peer) {
			begun.Add(1)
			p.request(wire.Begin)
			p.ask("Code: ")
			p.answer("1")
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 9")
		stop()
		if begun.Load() != 5 {
			t.Errorf("it began %d times, want once and four times again", begun.Load())
		}
	})
	t.Run("while the person types", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.ask("Code: ")
			if p.n == 0 {
				return
			}
			p.answer("1")
			p.verdict(wire.Granted)
		})
		tr.login(t, "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 0")
	})
	t.Run("with a split password", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.options, tr.before, tr.after = "split_password", "set=hunter21", "show"
		tr.serve(t, "pam", func(p *peer) {
			p.request(wire.Begin)
			p.ask("Password and code: ")
			p.answer("hunter21")
			if p.n > 0 {
				p.reply(wire.Reply{Verdict: wire.Granted, PasswordLength: 7})
			}
		})
		tr.login(t, "--", "auth").want(t, "info token hunter2", "auth 0")
	})
}
