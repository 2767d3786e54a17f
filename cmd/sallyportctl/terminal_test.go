package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"sallyport/internal/disk"
	"sallyport/test/host"
)

// startDaemon starts the real daemon on a tree, and waits until it takes calls.
func startDaemon(t *testing.T, root string) *host.Process {
	t.Helper()
	daemon := host.Start(t, filepath.Join(programs, "sallyportd"), "--root", root)
	host.Eventually(t, "the daemon takes calls or ends", func() bool {
		c, err := net.Dial("unix", disk.Root(root).VarlinkSocket())
		if err == nil {
			_ = c.Close()
		}
		return err == nil || !daemon.Running()
	})
	return daemon
}

// TestEnrollOnTerminal is a person who types a wrong code first, and later gives the phone a new key.
func TestEnrollOnTerminal(t *testing.T) {
	root := t.TempDir()
	startDaemon(t, root)

	x := open(t, root, "enroll")
	screen := x.Expect(`(?s)Scan this with an authenticator app:.*Code from your app: `)[0]
	if !strings.Contains(screen, "\x1b[0;30;47m█") && !strings.Contains(screen, "▀") {
		t.Errorf("there is no QR code on the terminal:\n%s", screen)
	}
	phone := host.NewAuthenticator(t, keyOn(t, screen))
	x.Reply(phone.Wrong())
	x.Expect(`The security code is invalid\. Take the next one that the app shows\.\r\nCode from your app: `)
	x.Reply(phone.Code())
	codes := regexp.MustCompile(`[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}`).FindAllString(x.Expect(`(?s)They are not shown again:.*Keep them`)[0], -1)
	if len(codes) != 10 {
		t.Errorf("%d recovery codes, want 10", len(codes))
	}
	if status := x.Wait(); status != 0 {
		t.Fatalf("exit status %d", status)
	}

	x = open(t, root, "enroll", "--reconfigure")
	x.Answer(`A current code or a recovery code: `, codes[0])
	phone = host.NewAuthenticator(t, keyOn(t, x.Expect(`(?s)Scan this.*Code from your app: `)[0]))
	x.Reply(phone.Code())
	x.Expect(`The device "phone" is set up\.`)
	if status := x.Wait(); status != 0 || strings.Contains(x.Text(), "not shown again") {
		t.Errorf("exit status %d, and:\n%s", status, x.Text())
	}

	// Nobody answers: the end of what is typed is no answer.
	x = open(t, root, "recovery-codes")
	x.Answer(`A current code or a recovery code: `, "\x04")
	if status := x.Wait(); status != 1 {
		t.Errorf("exit status %d without an answer, want 1", status)
	}
}

// TestPassphraseOnTerminal is a person who chooses one. It does not show, and is asked for twice.
func TestPassphraseOnTerminal(t *testing.T) {
	root := t.TempDir()
	startDaemon(t, root)
	const passphrase = "korrekt Pferd Batterie"
	for _, test := range []struct {
		again  string
		says   string
		status int
	}{
		{"korrekt Pferd Batterien", `The passphrases are not the same\.`, 1},
		{passphrase, `The second factors of 0 users are in`, 0},
	} {
		x := open(t, root, "vault", "backup", filepath.Join(root, "all.age"))
		x.Answer(`A new passphrase for the archive: `, passphrase)
		x.Answer(`The same again: `, test.again)
		x.Expect(test.says)
		if status := x.Wait(); status != test.status || strings.Contains(x.Text(), "Pferd") {
			t.Errorf("exit status %d, want %d, and:\n%s", status, test.status, x.Text())
		}
	}
}

func open(t *testing.T, root string, args ...string) *host.Terminal {
	t.Helper()
	return host.Open(t, host.Command(filepath.Join(programs, "sallyportctl"), append([]string{"--root", root}, args...)...))
}

// keyOn is the key that a screen shows to be typed.
func keyOn(t *testing.T, screen string) string {
	t.Helper()
	key := regexp.MustCompile(`Key: +([A-Z2-7 ]+)`).FindStringSubmatch(screen)
	if key == nil {
		t.Fatalf("there is no key on the terminal:\n%s", screen)
	}
	return key[1]
}

// TestColours shows that there are some on a terminal, and none for who does not want them.
func TestColours(t *testing.T) {
	root := t.TempDir()
	for _, test := range []struct {
		env  string
		want bool
	}{{"X=", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		cmd := host.Command(filepath.Join(programs, "sallyportctl"), "--root", root, "policy", "check")
		cmd.Env = append(cmd.Env, test.env)
		x := host.Open(t, cmd)
		x.Wait()
		if got := strings.Contains(x.Text(), "\x1b["); got != test.want {
			t.Errorf("with %s colours: %v, want %v", test.env, got, test.want)
		}
	}
	out, err := exec.Command(filepath.Join(programs, "sallyportctl"), "--root", root, "policy", "check").Output()
	if err != nil || strings.Contains(string(out), "\x1b") {
		t.Errorf("into a pipe: %q, %v", out, err)
	}
}

// TestHelp holds every command to what people need: a group, one line, and examples that name it.
func TestHelp(t *testing.T) {
	a := &app{terminal: newTerminal(os.Stdin, os.Stdout, os.Stderr)}
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.HasParent() && (cmd.Short == "" || !strings.Contains(cmd.Example, cmd.Root().Name()+" ")) {
			t.Errorf("%s: its help has no example", cmd.CommandPath())
		}
		if cmd.Parent() == cmd.Root() && cmd.GroupID == "" {
			t.Errorf("%s: stands in no group of the help", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Long) {
			if len(line) > 81 { // and its end
				t.Errorf("%s: a line of its help is longer than 80 columns: %s", cmd.CommandPath(), line)
			}
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(a.command())
}

func TestPercent(t *testing.T) {
	for chance, want := range map[float64]string{0: "0 %", 0.000001: "less than 0.01 %", 0.0222: "2.2 %", 0.48: "48 %", 1: "100 %"} {
		if got := percent(chance); got != want {
			t.Errorf("%v is %q, want %q", chance, got, want)
		}
	}
}
