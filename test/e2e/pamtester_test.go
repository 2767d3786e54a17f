package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// service is a PAM service that has nothing but Sallyport.
const service = "sallyport-test"

func onlySallyport(t *testing.T, options ...string) {
	t.Helper()
	host.PAM(t, service,
		host.Module(t, "auth", "required", options...),
		host.Module(t, "account", "required", options...), "account required pam_permit.so", // an answer of PAM_IGNORE is none
		host.Module(t, "session", "required", options...),
		host.Module(t, "password", "optional", options...), "password required pam_permit.so",
	)
}

func pamtester(t *testing.T, name string, operations ...string) *host.Terminal {
	t.Helper()
	args := append([]string{"-v", "-I", "rhost=192.0.2.7", "-I", "tty=/dev/tty9", service, name}, operations...)
	return host.Open(t, host.Command("pamtester", args...))
}

func TestPamtesterWholeLogin(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	onlySallyport(t)
	alice := enrolled(t, "alice")
	x := pamtester(t, "alice", "authenticate", "acct_mgmt", "setcred(PAM_ESTABLISH_CRED)", "open_session", "close_session", "chauthtok")
	x.Answer(codePrompt, alice.app.Code())
	entered(t, x)
	if log := d.Log(); !strings.Contains(log, "192.0.2.7") || !strings.Contains(log, service) {
		t.Errorf("the log does not tell where the login came from and through what:\n%s", log)
	}
}

func TestPamtesterAccountAlone(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	onlySallyport(t)
	enrolled(t, "alice")
	host.AddUser(t, "bob")
	x := pamtester(t, "alice", "acct_mgmt")
	x.Expect("Permission denied")
	if x.Wait() == 0 {
		t.Error("the account of who gave no code is good")
	}
	entered(t, pamtester(t, "bob", "acct_mgmt"))
}

func TestPamtesterUnknownOption(t *testing.T) {
	log := host.StartSyslog(t)
	host.StartDaemon(t, require("never"))
	onlySallyport(t, "no_such_option")
	host.AddUser(t, "alice")
	if x := pamtester(t, "alice", "authenticate"); x.Wait() == 0 {
		t.Errorf("let in:\n%s", x.Text())
	}
	host.Eventually(t, "syslog names the option", func() bool { return strings.Contains(log.Text(), "no_such_option") })
}

func TestPamtesterAnotherRoot(t *testing.T) {
	host.StartDaemon(t, require("never"))
	root := t.TempDir()
	host.Output(t, "install", "-d", root+"/etc/sallyport")
	host.WriteFile(t, root+"/etc/sallyport/sallyport.toml", require("always"), 0o644)
	onlySallyport(t, "root="+root)
	host.AddUser(t, "alice")
	x := pamtester(t, "alice", "authenticate")
	x.Answer(codePrompt, "123456")
	x.Expect("wrong")
	x.Close()
	if !exists(root + "/run/sallyport/ledger.db") {
		t.Error("there is no ledger under the other root")
	}
}
