package e2e

import (
	"strings"
	"testing"

	"sallyport/test/host"
)

// sudoReplaying runs sudo as a panel does that knows one answer to everything: with -S sudo reads the answer to each
// prompt from standard input. It returns what was asked.
func (p *person) sudoReplaying(t *testing.T, password string) string {
	t.Helper()
	const times = 20 // more than three tries with three codes each
	command := p.command("sudo", "-S", "-k", "sh", "-c", greet)
	command.Stdin = strings.NewReader(strings.Repeat(password+"\n", times))
	out, err := command.CombinedOutput()
	if err == nil || strings.Contains(string(out), inside) {
		t.Fatalf("a password alone is let in:\n%s", out)
	}
	return string(out)
}

// A panel that replays the password to sudo (cockpit-project/cockpit#17359) burns no attempts, also where the password
// looks like a code.
func TestSudoReplayedPassword(t *testing.T) {
	for name, password := range map[string]string{"words": host.Password, "six digits": "271828"} {
		t.Run(name, func(t *testing.T) { replayPassword(t, password) })
	}
}

func replayPassword(t *testing.T, password string) {
	host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	set := host.Command("chpasswd")
	set.Stdin = strings.NewReader("alice:" + password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %v\n%s", err, out)
	}
	asked := 0
	for range 5 {
		asked += strings.Count(alice.sudoReplaying(t, password), codePrompt)
	}
	if asked < 25 { // 5 wrong codes would lock, 20 in a day everywhere
		t.Errorf("the password was replayed to %d prompts only: this tests little", asked)
	}
	if status := host.Output(t, host.Build(t).Ctl, "status", "alice"); strings.Contains(status, "Locked") {
		t.Errorf("alice is locked:\n%s", status)
	}
	x := alice.sudo(t, "sh", "-c", greet)
	x.Answer(`password for alice: `, password)
	x.Answer(codePrompt, alice.app.Code())
	x.Expect(inside)
	entered(t, x)
}

// A wrong code given as often does lock.
func TestSudoReplayedCode(t *testing.T) {
	host.StartDaemon(t, require("always"))
	protectedSudo(t)
	alice := enrolled(t, "alice", "sudo")
	command := alice.command("sudo", "-S", "-k", "sh", "-c", greet)
	line := host.Password + "\n" + strings.Repeat(alice.app.Wrong()+"\n", 3)
	command.Stdin = strings.NewReader(strings.Repeat(line, 3))
	if out, err := command.CombinedOutput(); err == nil {
		t.Fatalf("let in:\n%s", out)
	}
	if status := host.Output(t, host.Build(t).Ctl, "status", "alice"); !strings.Contains(status, "Locked") {
		t.Errorf("alice is not locked:\n%s", status)
	}
}
