package system

import (
	"strings"
	"testing"
)

// TestVaultKeyCredential: the service starts without a credential, takes the vault's key from one as sallyportd(8) says,
// does not start on one that cannot be opened, and comes back by itself when that is gone.
func TestVaultKeyCredential(t *testing.T) {
	g := Boot(t)
	g.Install()
	alice := g.AddUser("alice").Enroll()
	g.ProtectSSH()
	const credential, file = "/etc/credstore.encrypted/sallyport-vault-key", "/etc/sallyport/vault.key"

	g.Run("sallyportctl vault seal")
	g.Run("mkdir -p -m 0700 /etc/credstore.encrypted")
	g.Run("systemd-creds encrypt --name=vault-key " + file + " " + credential)
	g.Run("rm " + file)
	g.Run("systemctl restart sallyportd")
	alice.LogIn()
	if record := g.ReadFile("/var/lib/sallyport/users/alice.toml"); !strings.Contains(record, "sealed") {
		t.Errorf("the record is not sealed:\n%s", record)
	}

	g.Run("mv " + credential + " /root/key")
	g.WriteFile(credential, "not a credential\n", 0o600)
	if out, status := g.Try("systemctl restart sallyportd"); status == 0 {
		t.Errorf("it starts on a credential that is none: %s", out)
	}
	g.Run("mv /root/key " + credential)
	g.Eventually("systemctl is-active sallyportd.service")
	alice.LogIn()

	g.Run("umask 077; systemd-creds decrypt --name=vault-key " + credential + " " + file)
	g.Run("rm " + credential)
	g.Run("systemctl restart sallyportd")
	alice.LogIn()
}
