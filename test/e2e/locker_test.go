package e2e

import (
	"os"
	"testing"

	"sallyport/test/host"
)

// buildLocker compiles testdata/locker.c where every user can run it.
func buildLocker(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "locker-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	host.Output(t, "cc", "-Wall", "-Werror", "-o", dir+"/locker", "testdata/locker.c", "-lpam", "-lpam_misc")
	return dir + "/locker"
}

func protectedLocker(t *testing.T) (locker string) {
	t.Helper()
	host.PAM(t, "locker", "@include common-auth", host.Module(t, "auth", "required"))
	return buildLocker(t)
}

// A user's own program may verify for that user.
func TestLocker(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	locker := protectedLocker(t)
	alice := enrolled(t, "alice")
	code := alice.app.Code()
	x := host.Open(t, alice.command(locker, "locker", "alice"))
	login(t, x, code)
	x.Expect("unlocked\r\nalive")
	entered(t, x)

	x = host.Open(t, alice.command(locker, "locker", "alice"))
	login(t, x, code)
	x.Answer("(?s:used already.*)"+codePrompt, alice.app.Wrong())
	x.Answer("(?s:wrong.*)"+codePrompt, alice.app.Wrong())
	x.Expect("locked: (?s:.*)alive")
}

// It may not verify for others, of whom it would learn what their codes are good for.
func TestLockerForSomebodyElse(t *testing.T) {
	host.StartDaemon(t, require("if-enrolled"))
	locker := buildLocker(t)
	host.PAM(t, "locker", host.Module(t, "auth", "required"))
	alice := enrolled(t, "alice")
	enrolled(t, "bob")
	x := host.Open(t, alice.command(locker, "locker", "bob"))
	x.Expect("This program may not verify for that user(?s:.*)locked: (?s:.*)alive")
	if status := x.Wait(); status != 1 {
		t.Errorf("exit status %d:\n%s", status, x.Text())
	}
}

// Only root can open the ledger, so without the daemon there is nothing to go by: locked, and no crash.
func TestLockerWithoutADaemon(t *testing.T) {
	d := host.StartDaemon(t, require("if-enrolled"))
	locker := protectedLocker(t)
	alice := enrolled(t, "alice")
	d.Kill()
	x := host.Open(t, alice.command(locker, "locker", "alice"))
	x.Answer(passwordPrompt, host.Password)
	x.Expect("locked: (?s:.*)alive")
	if status := x.Wait(); status != 1 {
		t.Errorf("exit status %d:\n%s", status, x.Text())
	}
}
