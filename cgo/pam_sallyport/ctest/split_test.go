package ctest

import (
	"testing"

	"sallyport/internal/wire"
)

// splits is a verifier of split answers: length is what it says of the password, -1 for nothing.
func splits(t *testing.T, answer string, v wire.Verdict, length int) script {
	return func(p *peer) {
		if r := p.request(wire.Begin); !r.Split {
			t.Error("the verifier was not told")
		}
		p.ask("Password and code: ", info("Hello."))
		p.answer(answer)
		p.reply(wire.Reply{Verdict: v, PasswordLength: length})
	}
}

func TestSplitPassword(t *testing.T) {
	tests := []struct {
		name    string
		verdict wire.Verdict
		length  int
		token   string
		code    int
	}{
		{"granted", wire.Granted, 7, "hunter2", success},
		{"denied", wire.Denied, 7, "hunter2", authErr},
		{"not required", wire.NotRequired, 13, "hunter2123456", permDenied}, // the stack has nobody else to say yes
		{"no password", wire.Granted, 0, "", success},
		{"not said", wire.Granted, -1, "(none)", success},
		{"longer than the answer", wire.Granted, 14, "(none)", authErr},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, sanitized)
			tr.options, tr.after = "split_password", "show"
			tr.serve(t, "pam", splits(t, "hunter2123456", tt.verdict, tt.length))
			tr.login(t, "answer=hunter2123456", "--", "auth").want(t,
				"info Hello.", "hidden Password and code: ", "info token "+tt.token, code("auth", tt.code))
		})
	}
}

// TestSplitPasswordOfAnEarlierModule: who has asked already is not asked twice, but for what comes after.
func TestSplitPasswordOfAnEarlierModule(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.options, tr.before, tr.after = "split_password", "set=hunter2123456", "show"
	stop := tr.serve(t, "pam", splits(t, "hunter2123456", wire.Granted, 7))
	tr.login(t, "--", "auth").want(t, "info Hello.", "info token hunter2", "auth 0")
	stop()
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		p.ask("Password and code: ")
		p.answer("hunter2123456")
		p.ask("Code: ")
		p.answer("654321")
		p.reply(wire.Reply{Verdict: wire.Granted, PasswordLength: 7}) // of the last answer, which is shorter
	})
	tr.login(t, "answer=654321", "--", "auth").want(t, "hidden Code: ", "info token hunter2123456", "auth 7")
}

func TestWithoutSplitPasswordNothingIsPassedOn(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.before, tr.after = "set=hunter2", "show"
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		p.ask("Code: ")
		p.answer("123456")
		p.reply(wire.Reply{Verdict: wire.Granted, PasswordLength: 3})
	})
	tr.login(t, "answer=123456", "--", "auth").want(t, "hidden Code: ", "info token hunter2", "auth 0")
}
