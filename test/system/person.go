package system

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"sallyport/test/host"
)

// Person is a user of the guest, and the machine that it sits at.
type Person struct {
	Name     string
	App      *host.Authenticator // nil: no second factor
	Recovery []string            // recovery codes

	g *Guest
}

// What people see; see internal/login.
const (
	PasswordPrompt = `Password: `
	CodePrompt     = `Verification code: `
)

// AddUser makes a user with host.Password.
func (g *Guest) AddUser(name string, groups ...string) *Person {
	g.t.Helper()
	g.Run(fmt.Sprintf("useradd --create-home --shell /bin/bash --groups '%s' %s && echo '%s:%s' | chpasswd",
		strings.Join(groups, ","), name, name, host.Password))
	return &Person{Name: name, g: g}
}

// As is a shell command of the person's, for Run and Terminal: it asks for nothing.
func (p *Person) As(line string) string {
	return fmt.Sprintf("setpriv --reuid %s --regid %s --init-groups --reset-env sh -c '%s'", p.Name, p.Name, line)
}

// Enroll sets the person's second factor up at a terminal, by sallyportctl enroll, and keeps the recovery codes.
func (p *Person) Enroll() *Person {
	p.g.t.Helper()
	x := p.g.Terminal(p.As("sallyportctl enroll"))
	p.confirm(x)
	_, below, _ := strings.Cut(x.Text(), "Your recovery codes")
	p.Recovery = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`).FindAllString(below, -1)
	if len(p.Recovery) != 10 {
		p.g.t.Fatalf("%d recovery codes, want 10:\n%s", len(p.Recovery), x.Text())
	}
	return p
}

// confirm takes over the key that a terminal shows, gives its first code, and waits for the end.
func (p *Person) confirm(x *host.Terminal) {
	p.g.t.Helper()
	// ssh may write before it has made this side's terminal raw, so that a line ends in two carriage returns.
	key := x.Expect(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r*\n`)
	p.App = host.NewAuthenticator(p.g.t, strings.ReplaceAll(key[1], " ", ""))
	x.Expect(`Code from your app: `)
	x.Type(p.App.Code() + "\n")
	if status := x.Wait(); status != 0 {
		p.g.t.Fatalf("setting up a device: exit status %d\n%s", status, x.Text())
	}
}

// Client is ssh, scp or sftp with options that lead it to the guest's own sshd. Its name there is 127.0.0.1; for a
// container -b 127.0.0.2 is another source.
func (g *Guest) Client(program string, args ...string) *exec.Cmd {
	g.t.Helper()
	_, port, _ := g.kind.network()
	line := []string{"-F", "none"}
	for _, o := range []string{
		"Port=" + strconv.Itoa(port), "UserKnownHostsFile=" + g.knownHosts(port, "etc/ssh/ssh_host_ed25519_key.pub"),
		"StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "ConnectTimeout=60",
	} {
		line = append(line, "-o", o)
	}
	return g.Beside(program, append(line, args...)...)
}

// Beside is a program of this machine's from which the guest's ports can be reached.
func (g *Guest) Beside(program string, args ...string) *exec.Cmd {
	enter, _, _ := g.kind.network()
	line := append(append(enter, program), args...)
	return host.Command(line[0], line[1:]...)
}

// SSH is the person's ssh with a command for the guest. Whoever calls it answers the prompts.
func (p *Person) SSH(command string, options ...string) *host.Terminal {
	p.g.t.Helper()
	return host.Open(p.g.t, p.g.Client("ssh", append(options, p.Name+"@127.0.0.1", command)...))
}

// greeting is what greet prints, and stands in no command line or message.
const (
	greeting = "let in: 42"
	greet    = "echo let in: $((6*7))"
)

// LogIn logs the person in by password and code. Anything else than a greeting from the guest fails the test.
func (p *Person) LogIn(options ...string) {
	p.g.t.Helper()
	p.LogInWith(p.App.Code(), options...)
}

// LogInWith is LogIn with an answer of the caller's to the question for the code.
func (p *Person) LogInWith(code string, options ...string) {
	p.g.t.Helper()
	if screen, in := p.Try(code, options...); !in {
		p.g.t.Fatalf("%s does not get in:\n%s\n%s", p.Name, screen, p.g.Log())
	}
}

// Try has the person try a code once, and returns what its terminal showed and whether it got in.
func (p *Person) Try(code string, options ...string) (screen string, in bool) {
	p.g.t.Helper()
	return p.Finish(p.Begin(options...), code)
}

// Begin is a login up to the question for the code.
func (p *Person) Begin(options ...string) *host.Terminal {
	p.g.t.Helper()
	x := p.SSH(greet, append(options, "-o", "NumberOfPasswordPrompts=1")...)
	x.Answer(PasswordPrompt, host.Password)
	x.Expect(CodePrompt)
	return x
}

// Finish is the rest of what Begin began.
func (p *Person) Finish(x *host.Terminal, code string) (screen string, in bool) {
	p.g.t.Helper()
	x.Reply(code)
	asked := regexp.MustCompile(CodePrompt)
	again := func() bool { return len(asked.FindAllString(x.Text(), 2)) == 2 }
	p.g.eventually("the login ends or asks again", func() bool { return x.Ended() || again() })
	if again() {
		x.Close()
		return x.Text(), false
	}
	return x.Text(), x.Wait() == 0 && strings.Contains(x.Text(), greeting)
}

// Refused has the person try a code that must not work.
func (p *Person) Refused(code string, options ...string) {
	p.g.t.Helper()
	if screen, in := p.Try(code, options...); in {
		p.g.t.Fatalf("%s got in:\n%s", p.Name, screen)
	}
}
