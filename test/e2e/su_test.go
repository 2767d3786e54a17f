package e2e

import (
	"testing"

	"sallyport/test/host"
)

// su asks for the code of whom one wants to be.
func TestSu(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	host.Protect(t, "su")
	alice, bob := enrolled(t, "alice"), enrolled(t, "bob")
	x := host.Open(t, alice.command("su", "-", "bob", "-c", "id -un; "+greet))
	x.Answer(passwordPrompt, host.Password)
	x.Answer(codePrompt, alice.app.Code())
	x.Expect("wrong")
	x.Answer(codePrompt, bob.app.Code())
	x.Expect("bob\r\n" + inside)
	entered(t, x)

	x = host.Open(t, alice.command("su", "-", "bob", "-c", greet))
	x.Answer(passwordPrompt, host.Password)
	for range 3 {
		x.Answer(codePrompt, bob.app.Wrong())
		x.Expect("wrong")
	}
	x.Expect("Authentication failure")
	refused(t, x)
}

func TestSuToAUserWithoutASecondFactor(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	host.Protect(t, "su")
	alice := &person{User: host.AddUser(t, "alice")}
	host.AddUser(t, "bob")
	x := host.Open(t, alice.command("su", "-", "bob", "-c", greet))
	x.Answer(passwordPrompt, host.Password)
	x.Expect(inside)
	entered(t, x)
}
