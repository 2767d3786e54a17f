package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/test/host"
)

// A real chronyd finds out that this machine's clock is 42 s slow, by a server that is wrong on purpose: it is said in
// every place, to whom it is for, and once; and that the clock is right again, when chronyd goes by a right server.
func TestWrongClock(t *testing.T) {
	wrong, right := host.StartNTP(t, 42*time.Second), host.StartNTP(t, 0)
	chrony := host.StartChrony(t, wrong.Addr)
	d, s := protectedSSHD(t, require("if-enrolled")+"[clock]\nnotify = [\"@sudo\"]\n")
	ctl := host.Build(t).Ctl
	clockSays := func(want string) (status int, text string) {
		t.Helper()
		host.Eventually(t, "sallyportctl clock says "+want, func() bool {
			cmd := host.Command(ctl, "clock")
			out, _ := cmd.CombinedOutput()
			status, text = cmd.ProcessState.ExitCode(), string(out)
			return strings.Contains(text, want)
		})
		return status, text
	}
	status, text := clockSays("This server's clock is 42 s slow, since ")
	if status != 1 || !strings.Contains(text, "What sets it right: chronyc makestep\n") || !strings.Contains(text, "chrony  ") {
		t.Errorf("status %d, and it prints\n%s", status, text)
	}

	const warning = "This server's clock is 42 s slow, since"
	for name, groups := range map[string][]string{"alice": {"sudo"}, "bob": nil} {
		p := enrolled(t, name, groups...)
		x := login(t, ssh(t, s, name), p.app.Code())
		x.Expect(inside)
		entered(t, x)
		if told := strings.Contains(x.Text(), warning); told != (name == "alice") {
			t.Errorf("%s is told: %v; the terminal shows:\n%s", name, told, x.Text())
		}
	}
	carol := &person{User: host.AddUser(t, "carol")}
	x := host.Open(t, carol.command(ctl, "enroll"))
	x.Expect(setupPrompt)
	x.Reply(host.NewAuthenticator(t, typedKey(t, x.Text())).Wrong())
	x.Expect(`The security code is invalid\. This server's clock is 42 s slow\. Have the administrator run "chronyc makestep", then try again\.`)

	chrony.Kill()
	host.StartChrony(t, right.Addr)
	if err := syscall.Kill(d.PID(), syscall.SIGHUP); err != nil { // else it asks within a minute
		t.Fatal(err)
	}
	if status, text := clockSays("This server's clock is right: "); status != 0 {
		t.Errorf("status %d, and it prints\n%s", status, text)
	}
	for _, line := range []string{"clock wrong (", "clock right again ("} {
		if n := strings.Count(d.Log(), line); n != 1 {
			t.Errorf("the journal has %q %d times:\n%s", line, n, d.Log())
		}
	}
}
