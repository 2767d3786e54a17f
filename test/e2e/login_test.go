package e2e

import (
	"testing"

	"sallyport/test/host"
)

// login(1), as getty starts it, with the set-up in the login.
func TestLogin(t *testing.T) {
	host.StartDaemon(t, require("enroll"))
	host.Protect(t, "login")
	host.AddUser(t, "alice")
	x := host.Open(t, host.Command("login"))
	x.Answer("login: ", "alice")
	app := setUp(t, x)
	x.Reply(app.Code())
	x.Answer(acknowledgePrompt, "")
	x.Expect(`\$ `)
	x.Type(greet + "; exit\n")
	x.Expect(inside)
	x.Wait()

	code := app.Code()
	x = host.Open(t, host.Command("login"))
	x.Answer("login: ", "alice")
	login(t, x, app.Wrong())
	x.Expect("wrong")
	x.Answer(codePrompt, code)
	x.Expect(`\$ `)
	x.Type(greet + "; exit\n")
	x.Expect(inside)
	x.Wait()

	x = host.Open(t, host.Command("login"))
	x.Answer("login: ", "alice")
	login(t, x, code)
	x.Answer("(?s:used already.*)"+codePrompt, app.Wrong())
	x.Answer("(?s:wrong.*)"+codePrompt, app.Wrong())
	x.Expect("Login incorrect")
}
