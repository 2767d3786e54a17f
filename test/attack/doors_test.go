package attack

import (
	"fmt"
	"os/exec"
	"os/user"
	"strings"
	"testing"
	"time"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// TestLocalAttackerAtRealDoors: while a user does all of it at once, root and an administrator get in by the programs that people
// log in by, within the module's deadline once a code is asked for.
func TestLocalAttackerAtRealDoors(t *testing.T) {
	s := newSiege(t)
	set := host.Command("chpasswd")
	set.Stdin = strings.NewReader("root:" + host.Password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		t.Fatalf("chpasswd: %v\n%s", err, out)
	}
	admin := host.AddUser(t, "admin", "sudo")
	for _, service := range []string{"sshd", "su", "login"} {
		host.Protect(t, service)
	}
	host.Insert(t, "sudo", host.Module(t, "auth", "required"), "", "")
	sshd := host.StartSSHD(t, "PermitRootLogin yes")
	asAdmin := func(program string, args ...string) *exec.Cmd {
		line := host.As(admin, program, args...)
		return host.Command(line[0], line[1:]...)
	}
	doors := []door{
		{"sshd, as root", "root", `Password: `, func() *exec.Cmd { return sshd.Client("ssh", "root@127.0.0.1", greet) }},
		{"sshd, as an administrator", admin.Username, `Password: `, func() *exec.Cmd { return sshd.Client("ssh", "admin@127.0.0.1", greet) }},
		{"su, to root", "root", `Password: `, func() *exec.Cmd { return asAdmin("su", "-", "-c", greet) }},
		{"sudo", admin.Username, `password for admin: `, func() *exec.Cmd { return asAdmin("sudo", "sh", "-c", greet) }},
		{"login, as root on the console", "root", `Password: `, func() *exec.Cmd { return host.Command("login", "root") }},
	}
	s.attackAll(t)
	table := proof.NewTable("all of it at once, and somebody logs in by", "logins", "slowest, from the prompt to the shell", "the daemon's memory, at most")
	for _, d := range doors {
		n := proof.Rounds(1, 20)
		slowest := s.enter(t, d, n)
		memory := s.small(t)
		table.Row(d.name, fmt.Sprintf("all %d got in", n), slowest.Round(time.Millisecond), fmt.Sprintf("%.0f MiB", float64(memory)/1024))
	}
	if !t.Failed() {
		proof.Keep(t, "local attacker at real doors", table)
	}
}

// door is a program by which somebody logs in.
type door struct {
	name, user, prompt string
	program            func() *exec.Cmd
}

// greet is a shell command that says that somebody is in, as inside says it.
const (
	greet  = "echo let in: $((6*7))"
	inside = "let in: 42"
)

// enter has the door's user log in, each time with a new device.
func (s *siege) enter(t *testing.T, d door, n int) (slowest time.Duration) {
	t.Helper()
	u, err := user.Lookup(d.user)
	if err != nil {
		t.Fatal(err)
	}
	p := burst.PersonOf(t, u)
	for range n {
		burst.Enrol(t, p)
		x := host.Open(t, d.program())
		x.Answer(d.prompt, host.Password)
		x.Expect("Verification code: ")
		asked := time.Now()
		x.Reply(p.Code(asked))
		if strings.HasPrefix(d.name, "login") {
			x.Expect(`# `)
			x.Type(greet + "; exit\n")
		}
		x.Expect(inside)
		took := time.Since(asked)
		if took > 2*deadline { // the module's, and as long again for the program and the shell
			t.Errorf("%s: it took %v from the prompt to the shell", d.name, took)
		}
		slowest = max(slowest, took)
		x.Close()
	}
	return slowest
}
