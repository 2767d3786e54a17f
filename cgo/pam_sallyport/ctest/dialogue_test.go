package ctest

import (
	"reflect"
	"strings"
	"testing"

	"sallyport/internal/wire"
)

func TestLogin(t *testing.T) {
	tr := newTree(t, sanitized)
	var got wire.Request
	stop := tr.serve(t, "pam", func(p *peer) {
		got = p.request(wire.Begin)
		p.reply(wire.Reply{
			Tell: []wire.Message{info("First."), alarm("Second."), info("")},
			Ask:  &wire.Prompt{Text: "Code: "},
		})
		p.answer("123456")
		p.reply(wire.Reply{Ask: &wire.Prompt{Text: "Take over? ", Echo: true}})
		p.answer("y")
		p.verdict(wire.Granted, info("Welcome."))
		p.gone()
	})
	o := tr.login(t, "user=ann", "rhost=10.0.0.5", "tty=ssh", "answer=123456", "answer=y",
		"env=SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAAC3Nz/x\nkeyboard-interactive/pam\n", "--", "auth")
	o.want(t, "info First.", "error Second.", "info ", "hidden Code: ", "shown Take over? ", "info Welcome.", "auth 0")
	stop()
	if got.PID <= 1 {
		t.Errorf("pid %d", got.PID)
	}
	got.PID = 0
	want := wire.Request{Kind: wire.Begin, User: "ann", Service: "test", RHost: "10.0.0.5", TTY: "ssh", Methods: []string{"publickey", "keyboard-interactive"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("begin %#v, want %#v", got, want)
	}
	if len(o.logs) > 0 {
		t.Errorf("logged %q", o.logs)
	}
}

// TestVerdicts has every verdict in reply to every call; those that do not fit are denials.
func TestVerdicts(t *testing.T) {
	tr := newTree(t, sanitized)
	tests := []struct {
		verdict               wire.Verdict
		auth, account, opened int
	}{
		{wire.Granted, success, success, success},
		{wire.Denied, authErr, permDenied, sessionErr},
		{wire.Locked, maxTries, permDenied, sessionErr},
		{wire.NotRequired, ignored, ignored, ignored},
		{wire.Unavailable, unavailable, unavailable, sessionErr},
		{wire.AccountRefused, authErr, permDenied, sessionErr},
		{wire.SessionRefused, authErr, permDenied, sessionErr},
	}
	for _, tt := range tests {
		t.Run(tt.verdict.String(), func(t *testing.T) {
			stop := tr.serve(t, "pam", says(tt.verdict))
			defer stop()
			// The account is asked about for another user, so that a login that was granted does not answer for it.
			tr.login(t, "--", "auth", "user=bob", "acct", "open").want(t,
				code("auth", tt.auth), "user=bob 0", code("acct", tt.account), code("open", tt.opened))
			// On their own: libpam gives these the code of the call before them.
			tr.login(t, "--", "close", "setcred", "chauthtok").want(t, "close 0", "setcred 0", code("chauthtok", ignored))
		})
	}
}

func TestMessagesOfVerdictsThatDoNotFitAreNotShown(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		p.conn.Read(soon())
		v := wire.SessionRefused
		if p.n == 1 {
			v = wire.AccountRefused
		}
		p.verdict(v, alarm("Refused."))
	})
	o := tr.login(t, "--", "auth", "acct")
	o.want(t, "auth 7", "error Refused.", "acct 6")
	o.logged(t, "malformed")
}

// TestAccountAfterLogin: a login that was granted answers for the account, of the same user and in the same handle, until
// the handle is used for a login that is not granted (CVE-2024-9313: in authd another user's proof counted).
func TestAccountAfterLogin(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		packet, err := p.conn.Read(soon())
		switch {
		case err != nil:
			t.Error(err)
		case packet.Kind == wire.Account:
			p.verdict(wire.AccountRefused)
		case p.n == 0:
			p.verdict(wire.Granted)
		case packet.Kind == wire.Begin:
			p.verdict(wire.Denied)
		default:
			r, err := wire.ParseRequest(packet)
			if err != nil {
				t.Error(err)
			}
			v := wire.NotRequired
			if r.Given {
				v = wire.Granted
			}
			p.verdict(v)
		}
	})
	tr.login(t, "--", "auth", "acct", "open", "user=bob", "acct", "open", "user=ann", "acct", "auth", "acct", "open").want(t,
		"auth 0", "acct 0", "open 0", "user=bob 0", "acct 6", "open 16", "user=ann 0", "acct 0", "auth 7", "acct 6", "open 16")
}

// TestAccountWithoutAuth: the account phase says whether the auth phase came here, whatever came of it.
func TestAccountWithoutAuth(t *testing.T) {
	for _, tt := range []struct {
		calls []string
		want  []string
	}{
		{[]string{"--", "acct"}, []string{"password", "auth-skipped"}},
		{[]string{"--", "auth", "acct"}, []string{"password"}},
		{[]string{"--", "auth", "user=bob", "acct"}, []string{"password"}},
	} {
		tr := newTree(t, sanitized)
		var got []string
		stop := tr.serve(t, "pam", func(p *peer) {
			packet, err := p.conn.Read(soon())
			if err != nil {
				return
			}
			if packet.Kind == wire.Account {
				r, err := wire.ParseRequest(packet)
				if err != nil {
					t.Error(err)
				}
				got = r.Methods
			}
			p.verdict(wire.NotRequired)
		})
		tr.login(t, append([]string{"env=SSH_AUTH_INFO_0=password\n"}, tt.calls...)...)
		stop()
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: the methods are %q, want %q", tt.calls, got, tt.want)
		}
	}
}

func TestNotRequiredDoesNotAnswerForTheAccount(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", says(wire.NotRequired))
	tr.login(t, "--", "auth", "acct").want(t, "auth 16", "acct 16")
}

// TestNobodyIsAskedOutsideALogin: an ask is no reply to the other calls.
func TestNobodyIsAskedOutsideALogin(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		p.conn.Read(soon())
		p.ask("Code: ", info("Hello."))
		p.gone()
	})
	tr.login(t, "answer=1", "--", "acct", "open").want(t, "acct 6", "open 14")
	tr.login(t, "answer=1", "--", "close").want(t, "close 0")
}

// TestConversations that fail, or give no answer, let nobody in (CVE-2021-31924).
func TestConversations(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		p.ask("Code: ", info("Hello."))
		p.gone()
	})
	for _, how := range []string{"fail", "null", "empty"} {
		tr.login(t, "conv="+how, "--", "auth").want(t, "info Hello.", "hidden Code: ", "auth 19")
	}
}

func TestMessagesThatCannotBeShownLoseNobodyTheLogin(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		p.request(wire.Begin)
		p.verdict(wire.Granted, info("Welcome."))
	})
	tr.login(t, "conv=fail", "--", "auth").want(t, "info Welcome.", "auth 0")
}

func TestSilent(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		if r := p.request(wire.Begin); !r.Silent {
			t.Error("the verifier was not told")
		}
		p.ask("Code: ", info("Hello."))
		p.answer("1")
		p.verdict(wire.Denied, alarm("Wrong."))
	})
	tr.login(t, "silent", "answer=1", "--", "auth").want(t, "hidden Code: ", "auth 7")
}

func TestAnswers(t *testing.T) {
	tests := []struct{ name, typed, sent string }{
		{"empty", "", ""},
		{"of 512 bytes", strings.Repeat("x", 512), strings.Repeat("x", 512)},
		{"of 513 bytes", strings.Repeat("x", 513), ""},
		{"of 100000 bytes", strings.Repeat("x", 100000), ""},
		{"in Latin-1", "caf\xe9\x01", "caf\xe9\x01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, sanitized)
			tr.serve(t, "pam", asks(tt.sent, wire.Granted))
			o := tr.login(t, "answer="+tt.typed, "--", "auth")
			o.want(t, "hidden Code: ", "auth 0")
		})
	}
}

// TestRequests that may not be sent end the login; nothing is cut off, and nobody is connected to.
func TestRequests(t *testing.T) {
	tests := []struct{ name, arg, log string }{
		{"long user", "user=" + strings.Repeat("u", 256), "user's name is too long"},
		{"user with a slash", "user=../../etc/passwd", "user's name"},
		{"user with escape", "user=\x1b[31mann", "user's name"},
		{"user with a line feed", "user=ann\nroot", "user's name"},
		{"user in Latin-1", "user=ann\x9b", "user's name"},
		{"long rhost", "rhost=" + strings.Repeat("h", 256), "remote host's name"},
		{"rhost with a line feed", "rhost=a\nb", "remote host's name"},
		{"long tty", "tty=" + strings.Repeat("t", 65), "terminal's name"},
		{"tty with escape", "tty=\x1b", "terminal's name"},
		{"strange methods", "env=SSH_AUTH_INFO_0=pub\x01key", "SSH_AUTH_INFO_0"},
		{"many methods", "env=SSH_AUTH_INFO_0=" + strings.Repeat("publickey k\n", 17), "SSH_AUTH_INFO_0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTree(t, sanitized)
			tr.serve(t, "pam", func(p *peer) { t.Error("it connected") })
			o := tr.login(t, tt.arg, "--", "auth", "acct", "open")
			o.want(t, "auth 7", "acct 6", "open 14")
			tr.login(t, tt.arg, "--", "close").want(t, "close 0")
			o.logged(t, tt.log)
			if strings.Contains(strings.Join(o.logs, ""), "\x1b") {
				t.Errorf("logged %q", o.logs)
			}
		})
	}
}

func TestLongRequestsAreSent(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		r := p.request(wire.Begin)
		if len(r.User) != 255 || len(r.RHost) != 255 || len(r.TTY) != 64 || len(r.Methods) != 16 {
			t.Errorf("begin %v", r)
		}
		p.verdict(wire.Granted)
	})
	tr.login(t, "user="+strings.Repeat("u", 255), "rhost="+strings.Repeat("h", 255), "tty="+strings.Repeat("t", 64),
		"env=SSH_AUTH_INFO_0="+strings.Repeat("publickey "+strings.Repeat("A", 4000)+"\n", 16), "--", "auth").want(t, "auth 0")
}

func TestOptions(t *testing.T) {
	for _, options := range []string{"nonsense", "debug=1", "root=relative", "root=", "use_first_pass", "root=/a\tb"} {
		t.Run(options, func(t *testing.T) {
			tr := newTree(t, sanitized)
			tr.options = options
			tr.serve(t, "pam", says(wire.Granted))
			o := tr.login(t, "--", "auth", "acct", "open")
			tr.login(t, "--", "close", "setcred", "chauthtok").want(t, "close 0", "setcred 0", "chauthtok 16")
			if strings.Contains(options, "\t") { // libpam takes it for two options, and neither is right
				options = "b"
			}
			o.want(t, "auth 3", "acct 3", "open 3")
			o.logged(t, `unknown option "`+options+`"`)
		})
	}
	t.Run("debug", func(t *testing.T) {
		tr := newTree(t, sanitized)
		tr.options = "debug"
		tr.serve(t, "pam", asks("hunter2", wire.Granted))
		o := tr.login(t, "answer=hunter2", "--", "auth")
		for _, text := range []string{"sent begin", "received ask", "sent answer", "received final", "verdict 1"} {
			o.logged(t, text)
		}
		if all := strings.Join(o.logs, "\n"); strings.Contains(all, "hunter2") {
			t.Errorf("an answer was logged:\n%s", all)
		}
	})
}

// TestUserIsAskedFor by libpam where the host has not said it.
func TestUserIsAskedFor(t *testing.T) {
	tr := newTree(t, sanitized)
	tr.serve(t, "pam", func(p *peer) {
		if r := p.request(wire.Begin); r.User != "carol" {
			t.Errorf("user %q", r.User)
		}
		p.verdict(wire.Granted)
	})
	tr.login(t, "user=", "answer=carol", "--", "auth", "acct").want(t, "shown login:", "auth 0", "acct 0")
	tr.login(t, "user=", "conv=fail", "--", "auth").want(t, "shown login:", "auth 19")
	o := tr.login(t, "user=", "answer=", "--", "auth")
	if o.lines[len(o.lines)-1] == "auth 0" {
		t.Errorf("nobody logged in: %q", o.lines)
	}
}
