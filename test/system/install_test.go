package system

import "testing"

// TestInstall: nothing is there, then it is installed and ssh protected, then a login with a code works and one without
// does not, and the journal says who came from where.
func TestInstall(t *testing.T) {
	g := Boot(t)
	g.Install()
	alice := g.AddUser("alice").Enroll()
	g.ProtectSSH()
	alice.LogIn("-b", "127.0.0.2")
	alice.Refused(alice.App.Wrong())
	accepted := g.Journal("SALLYPORT_KIND=login-accepted")
	if len(accepted) != 1 || accepted[0]["SALLYPORT_SOURCE"] != "127.0.0.2" || accepted[0]["_SYSTEMD_UNIT"] != "sallyportd.service" {
		t.Errorf("the journal has %v", accepted)
	}
}
