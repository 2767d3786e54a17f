package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"sallyport/test/host"
)

// policy has everybody set up a second factor, and takes one answer for each login so that a refusal is seen at once.
const policy = `
[codes]
attempts = 1

[[rule]]
require = "enroll"
`

// What people see.
const (
	passwordPrompt    = `Password: `
	codePrompt        = `Verification code: `
	setupPrompt       = `Code from your app: `
	acknowledgePrompt = `Press Enter when you have written them down: `
)

// scenes are the lines of the table, in their order.
func scenes() []scene {
	return []scene{
		{"sallyportd runs, and sshd has pam_sallyport.so in its PAM stack", (*stage).open},
		{"alice runs sallyportctl enroll, scans the QR code from her terminal and confirms it", (*stage).enroll},
		{"alice logs in over SSH with her password and a code", (*stage).login},
		{"The same code again is refused", (*stage).replay},
		{"A wrong code is refused", (*stage).wrongCode},
		{"A recovery code lets her in", (*stage).useRecoveryCode},
		{"The same recovery code again is refused", (*stage).reuseRecoveryCode},
		{"bob's first login shows a QR code, takes the first code and lets him in", (*stage).setUpInLogin},
		{"bob has a shell from one address and logs in from another: the first is told so, and ends", (*stage).displace},
		{"sallyportd is killed with -9; without it a wrong code is still refused", (*stage).killDaemon},
		{"... and alice's next code lets her in", (*stage).loginWithoutDaemon},
		{"sallyportd is back, and that code is refused", (*stage).replayAfterRestart},
		{"Two time servers say that the clock is 42 s slow: sallyportctl clock has it, and alice sees it at her login", (*stage).wrongClock},
	}
}

func (s *stage) open() {
	s.daemon = host.StartDaemon(s, policy)
	host.Protect(s, "sshd")
	s.sshd = host.StartSSHD(s)
}

func (s *stage) enroll() {
	phone, screen := s.setUp("alice")
	s.alice = phone
	s.recovery = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`).FindAllString(screen, -1)
	if len(s.recovery) == 0 {
		s.Fatalf("there are no recovery codes on the terminal:\n%s", screen)
	}
}

// setUp makes a user that sets up a second factor by the command line, and returns what its terminal showed.
func (s *stage) setUp(name string) (phone *host.Authenticator, screen string) {
	line := host.As(host.AddUser(s, name), host.Build(s).Ctl, "enroll")
	x := host.Open(s, host.Command(line[0], line[1:]...))
	x.Expect(setupPrompt)
	phone = s.scan(x)
	x.Reply(phone.Code())
	if status := x.Wait(); status != 0 {
		s.Fatalf("sallyportctl enroll ended with status %d; the terminal shows:\n%s", status, x.Text())
	}
	return phone, x.Text()
}

// scan holds a phone to the terminal.
func (s *stage) scan(x *host.Terminal) *host.Authenticator {
	text := host.ReadQR(s, x.Text())
	uri, err := url.Parse(text)
	if err != nil || uri.Query().Get("secret") == "" {
		s.Fatalf("the QR code has no key: %q", text)
	}
	return host.NewAuthenticator(s, uri.Query().Get("secret"))
}

// ssh opens a connection and gives the password.
func (s *stage) ssh(name string) *host.Terminal {
	x := host.Open(s, s.sshd.Client("ssh", "-o", "NumberOfPasswordPrompts=1", name+"@127.0.0.1", "id -un"))
	x.Answer(passwordPrompt, host.Password)
	return x
}

// letsIn expects a shell on the other end to have said who it is.
func (s *stage) letsIn(x *host.Terminal, name string) {
	x.Expect(name + `\r\n$`)
	if status := x.Wait(); status != 0 {
		s.Fatalf("ssh ended with status %d; the terminal shows:\n%s", status, x.Text())
	}
}

// refuses expects the server to say why it refuses, and ssh to fail.
func (s *stage) refuses(x *host.Terminal, why string) {
	x.Expect(why)
	if status := x.Wait(); status != 255 || !strings.Contains(x.Text(), "Permission denied") {
		s.Fatalf("ssh ended with status %d; the terminal shows:\n%s", status, x.Text())
	}
}

func (s *stage) login() {
	s.used = s.alice.Code()
	x := s.ssh("alice")
	x.Answer(codePrompt, s.used)
	s.letsIn(x, "alice")
}

func (s *stage) replay() {
	x := s.ssh("alice")
	x.Answer(codePrompt, s.used)
	s.refuses(x, "used already")
}

func (s *stage) wrongCode() {
	x := s.ssh("alice")
	x.Answer(codePrompt, s.alice.Wrong())
	s.refuses(x, "wrong")
}

func (s *stage) useRecoveryCode() {
	x := s.ssh("alice")
	x.Answer(codePrompt, s.recovery[0])
	s.letsIn(x, "alice")
}

func (s *stage) reuseRecoveryCode() {
	x := s.ssh("alice")
	x.Answer(codePrompt, s.recovery[0])
	s.refuses(x, "wrong")
}

func (s *stage) setUpInLogin() {
	host.AddUser(s, "bob")
	x := s.ssh("bob")
	x.Expect(setupPrompt)
	s.bob = s.scan(x)
	x.Reply(s.bob.Code())
	x.Answer(acknowledgePrompt, "")
	s.letsIn(x, "bob")
}

func (s *stage) displace() {
	first, second := s.shell("bob", s.bob, "127.0.0.2"), s.shell("bob", s.bob, "127.0.0.3")
	first.Expect(`This session was taken over at \d\d:\d\d by a login from 127\.0\.0\.3`)
	first.Wait()
	second.Type("exit\n")
	second.Wait()
}

// shell opens a shell from one of the machine's own addresses.
func (s *stage) shell(name string, phone *host.Authenticator, address string) *host.Terminal {
	x := host.Open(s, s.sshd.Client("ssh", "-b", address, name+"@127.0.0.1"))
	x.Answer(passwordPrompt, host.Password)
	x.Answer(codePrompt, phone.Code())
	x.Expect(`\$ `)
	return x
}

func (s *stage) killDaemon() {
	s.daemon.Kill()
	s.wrongCode()
}

func (s *stage) loginWithoutDaemon() { s.login() }

func (s *stage) replayAfterRestart() {
	s.daemon.Start()
	s.replay()
}

func (s *stage) wrongClock() {
	one, two := host.StartNTP(s, 42*time.Second), host.StartNTP(s, 42*time.Second)
	host.Policy(s, policy+fmt.Sprintf("[clock]\nservers = [%q, %q]\nnotify = [\"alice\"]\n", one.Addr, two.Addr))
	if err := syscall.Kill(s.daemon.PID(), syscall.SIGHUP); err != nil {
		s.Fatalf("telling sallyportd to read the policy again: %v", err)
	}
	const warning = "This server's clock is 42 s slow"
	host.Eventually(s, "sallyportctl clock says: "+warning, func() bool {
		out, _ := host.Command(host.Build(s).Ctl, "clock").CombinedOutput() // its status is 1, for the clock is wrong
		return strings.Contains(string(out), warning)
	})
	x := s.ssh("alice")
	x.Answer(codePrompt, s.alice.Code())
	x.Expect(warning)
	s.letsIn(x, "alice")
}
