package system

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// A login from elsewhere displaces a session through the real logind, by the daemon in its sandbox: the terminal is told,
// and all that ran in the session is gone. A process that has left the terminal would survive the leader's end by signal.
func TestSessionDisplacedThroughLogind(t *testing.T) {
	g := Boot(t)
	g.Install()
	alice := g.AddUser("alice").Enroll()
	g.ProtectSSH()
	first := alice.SSH("setsid --fork sleep 4711 </dev/null >/dev/null 2>&1; tty; exec cat", "-tt", "-b", "127.0.0.2")
	first.Answer(PasswordPrompt, host.Password)
	first.Answer(CodePrompt, alice.App.Code())
	first.Expect(`/dev/pts/\d+`)
	g.Run("pgrep -x sleep")
	old := strings.TrimSpace(g.Run("loginctl list-sessions --no-legend | awk '$3 == \"alice\" { print $1 }'"))
	if old == "" || strings.Contains(old, "\n") {
		t.Fatalf("logind has the sessions %q of alice, want one", old)
	}

	second := alice.SSH("exec cat", "-tt", "-b", "127.0.0.3")
	second.Answer(PasswordPrompt, host.Password)
	second.Answer(CodePrompt, alice.App.Code())
	first.Expect(`This session was taken over at \d\d:\d\d by a login from 127\.0\.0\.3 \(sshd\)\.`)
	first.Wait()
	g.Eventually("! pgrep -x sleep")
	g.Eventually("! loginctl show-session " + old)
	g.Eventually("journalctl -u systemd-logind | grep 'Removed session " + old + "'")
	second.Type("still here\n")
	second.Expect("still here\r\nstill here")
	if open := g.Run("sallyportctl sessions"); strings.Contains(open, "127.0.0.2") || !strings.Contains(open, "127.0.0.3") {
		t.Errorf("open are:\n%s", open)
	}
	if failed := g.Journal("SALLYPORT_KIND=session-not-ended"); len(failed) > 0 {
		t.Errorf("logind refused: %v", failed)
	}
	displaced := g.Journal("SALLYPORT_KIND=session-displaced")
	if len(displaced) != 1 || displaced[0]["SALLYPORT_SOURCE"] != "127.0.0.2" {
		t.Errorf("the journal has %v", displaced)
	}

	// root ends the other one, by its ID, with a restart of the daemon in between.
	g.Run("systemctl restart sallyportd")
	g.Run("sallyportctl sessions end --yes $(sallyportctl sessions | tail -n 1 | cut -d' ' -f1)")
	second.Expect(`This session was ended at \d\d:\d\d by root\.`)
	second.Wait()
	g.Eventually("sallyportctl sessions | grep 'No session is open.'")
}
