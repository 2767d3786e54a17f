package panel

import (
	"strings"

	"sallyport/test/host"
	"sallyport/test/system"
)

// Cockpit's login page, whatever its language, and where it asks what PAM asks.
var (
	userName = CSS("#login-user-input")
	password = CSS("#login-password-input")
	logIn    = CSS("#login-button")

	prompt = CSS("#conversation-prompt")
	answer = CSS("#conversation-input")
)

// Knock gives name and password on Cockpit's login page.
func (w *Window) Knock(name string) {
	w.t.Helper()
	w.Visit("/")
	w.Fill(userName, name)
	w.Fill(password, host.Password)
	w.Click(logIn)
}

// Answer waits for a prompt that has a text, and replies to it.
func (w *Window) Answer(text, reply string) {
	w.t.Helper()
	w.See(Text(text).In(CSS("#conversation-group")))
	w.Fill(answer, reply)
	w.Click(logIn)
}

// In waits until somebody is logged in.
func (w *Window) In() { w.t.Helper(); w.See(CSS("#topnav button")) }

// Out waits until nobody is: Cockpit asks for a name again.
func (w *Window) Out() { w.t.Helper(); w.See(userName) }

// LogIn logs a person in, by password and code.
func (w *Window) LogIn(p *system.Person) {
	w.t.Helper()
	w.Knock(p.Name)
	w.Answer("Verification code:", p.App.Code())
	w.In()
}

// LogOut logs out as a person does, from the menu.
func (w *Window) LogOut() {
	w.t.Helper()
	w.Click(Text("Session").In(CSS("#topnav")))
	w.Click(CSS("#logout"))
	w.Out()
}

// sudoAnswer is where Cockpit asks what sudo asks.
var sudoAnswer = CSS("[role=dialog] input")

// SwitchToAdmin has Cockpit become root by sudo: with the password, unless Cockpit still knows it, and a code.
func (w *Window) SwitchToAdmin(p *system.Person) {
	w.t.Helper()
	w.Click(CSS("#super-user-indicator button"))
	w.AnswerSudo("Password", host.Password)
	w.AnswerSudo("Verification code:", p.App.Code())
	w.See(Text("Administrative access").In(CSS("#super-user-indicator")))
}

// AnswerSudo waits for a prompt of sudo's that has a text, and replies to it.
func (w *Window) AnswerSudo(text, reply string) {
	w.t.Helper()
	w.See(Text(text).In(CSS("[role=dialog]")))
	w.Fill(sudoAnswer, reply)
	w.Click(Button("Authenticate"))
}

// key is the one that a set-up in the login page shows.
func (w *Window) key() string {
	w.t.Helper()
	_, key, _ := strings.Cut(w.Text(prompt), "key: ")
	key, _, _ = strings.Cut(key, ".")
	return key
}
