package system

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sallyport/test/host"
)

// section is a part of a page: what stands in its sh blocks, line by line.
type section struct {
	title    string
	commands []string
}

// sections are those of a page in docs that have commands, in its order.
func sections(t *testing.T, page string) []section {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var all []section
	title, inside := "", false
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "):
			title = strings.TrimPrefix(line, "## ")
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside:
			if len(all) == 0 || all[len(all)-1].title != title {
				all = append(all, section{title: title})
			}
			last := &all[len(all)-1]
			last.commands = append(last.commands, line)
		}
	}
	return all
}

// play is what a section is about: the trouble before it, how its commands are run, and what holds after it. A nil run
// is Guest.Run.
type play struct {
	before func()
	run    func(line string)
	after  func()
}

// follow does what a page says, each of its sections in its order. Every section needs a play.
func follow(t *testing.T, g *Guest, page string, plays map[string]play) {
	t.Helper()
	seen := 0
	for _, s := range sections(t, page) {
		p, known := plays[s.title]
		if !known {
			t.Errorf("%s: no test plays %q", page, s.title)
			continue
		}
		seen++
		t.Logf("%s: %s", page, s.title)
		if p.before != nil {
			p.before()
		}
		for _, line := range s.commands {
			if p.run != nil {
				p.run(line)
			} else {
				g.Run(line)
			}
		}
		p.after()
	}
	if seen != len(plays) {
		t.Errorf("%s has %d sections with commands, the test plays %d", page, seen, len(plays))
	}
}

// withoutCode logs the person in by the password alone.
func (p *Person) withoutCode() {
	p.g.t.Helper()
	x := p.SSH(greet, "-o", "NumberOfPasswordPrompts=1")
	x.Answer(PasswordPrompt, host.Password)
	if status := x.Wait(); status != 0 || !strings.Contains(x.Text(), greeting) {
		p.g.t.Fatalf("%s does not get in without a code (exit status %d):\n%s\n%s", p.Name, status, x.Text(), p.g.Log())
	}
}

// recovery is a recovery code that was not used.
func (p *Person) recovery() string {
	p.g.t.Helper()
	if len(p.Recovery) == 0 {
		p.g.t.Fatalf("%s has no recovery code left", p.Name)
	}
	code := p.Recovery[0]
	p.Recovery = p.Recovery[1:]
	return code
}

// TestRecover has all that docs/recover.md is about go wrong, and mends it by its words.
func TestRecover(t *testing.T) {
	g := protected(t)
	alice := g.AddUser("alice").Enroll()
	const stack, broken = "/etc/pam.d/sshd", "/etc/sallyport/sallyport.d/90-broken.toml"
	in := func() { t.Helper(); alice.LogInWith(alice.recovery()) }
	follow(t, g, "recover.md", map[string]play{
		"The phone is lost": {run: func(line string) {
			if strings.HasPrefix(line, "sallyportctl enroll") {
				in()
				alice.reconfigure(line)
				alice.LogIn()
				return
			}
			g.Run(line)
		}, after: func() { alice.withoutCode(); alice.Enroll(); alice.LogIn() }},
		"The vault key is lost": {before: func() {
			g.Run("sallyportctl vault seal && mv /etc/sallyport/vault.key /root && systemctl restart sallyportd")
			alice.locked()
		}, after: in},
		"The vault key is lost, and there is no copy": {before: func() {
			g.Run("rm /etc/sallyport/vault.key /root/vault.key && systemctl restart sallyportd")
			alice.locked()
		}, after: func() { alice.withoutCode(); alice.Enroll(); in() }},
		"The clock is wrong": {run: func(line string) {
			if text, _ := g.Try(line); !strings.Contains(strings.ToLower(text), "clock") {
				t.Errorf("%s says nothing of the clock:\n%s", line, text)
			}
		}, after: in},
		"The policy is broken": {before: func() {
			g.WriteFile(broken, "enabeld = true\n", 0o644)
			g.Run("systemctl reload sallyportd")
		}, run: func(line string) {
			_, there := g.Try("test -e " + broken)
			if text, status := g.Try(line); status != 1-there && strings.Contains(line, "check") || status != 0 && !strings.Contains(line, "check") {
				t.Errorf("%s: exit status %d\n%s", line, status, text)
			}
		}, after: in},
		"The module is gone": {before: func() {
			g.Run("cp /root/*/libpam-sallyport_*.deb /root && rm /lib/*/security/pam_sallyport.so")
			out := alice.SSH(greet, "-o", "NumberOfPasswordPrompts=1")
			out.Answer(PasswordPrompt, host.Password)
			if out.Wait() == 0 {
				t.Error("somebody gets in without the module")
			}
		}, after: in},
		"Switch it off for everybody": {after: alice.withoutCode},
		"Switch it on again":          {after: in},
		"Single-user mode": {before: g.PowerOff, run: func(line string) { host.Output(t, "chroot", g.Root(), "/bin/bash", "-c", line) },
			after: func() {
				g.Start()
				alice.withoutCode()
				g.Run("mv /root/pam.d-sshd " + stack)
				in()
			}},
		"A live system": {before: g.PowerOff, run: func(line string) {
			if strings.HasPrefix(line, "mount /dev/sda2 ") {
				if err := unix.Mount(g.Root(), "/mnt", "", unix.MS_BIND, ""); err != nil {
					t.Fatal(err)
				}
				return
			}
			host.Output(t, "/bin/sh", "-c", line)
		}, after: func() { g.Start(); alice.withoutCode() }},
	})
}

// locked has the person find out that nobody can verify its codes.
func (p *Person) locked() {
	p.g.t.Helper()
	x := p.SSH(greet, "-o", "NumberOfPasswordPrompts=1")
	x.Answer(PasswordPrompt, host.Password)
	if status := x.Wait(); status == 0 || strings.Contains(x.Text(), greeting) {
		p.g.t.Fatalf("%s gets in though the record cannot be read:\n%s", p.Name, x.Text())
	}
}

// reconfigure puts a new key on a new phone, by a recovery code.
func (p *Person) reconfigure(line string) {
	p.g.t.Helper()
	x := p.g.Terminal(p.As(line))
	x.Expect("[Cc]ode")
	x.Type(p.recovery() + "\n")
	p.confirm(x)
}

// TestInstallPage follows docs/install.md from a clean system to a clean system.
func TestInstallPage(t *testing.T) {
	g := Boot(t)
	old, next := g.CopyPrevious(), g.CopyPackages()
	in := func(dir string) func(string) {
		return func(line string) { g.Run("cd " + dir + " && export DEBIAN_FRONTEND=noninteractive && " + line) }
	}
	var alice *Person
	follow(t, g, "install.md", map[string]play{
		"Install": {run: in(old), after: func() {
			alice = g.AddUser("alice").Enroll()
			g.ProtectPreviousSSH()
			alice.LogIn()
		}},
		"Seal the vault": {after: func() { alice.LogInWith(alice.recovery()) }},
		"Upgrade": {run: in(next), after: func() {
			if version := g.Run("dpkg-query --show --showformat='${Version}' libpam-sallyport"); version != PackageVersion(t) {
				t.Errorf("version %s is installed", version)
			}
			alice.LogInWith(alice.recovery())
		}},
		"Remove": {run: in(next), after: func() {
			alice.withoutCode()
			g.Run("test -e /var/lib/sallyport/users/alice.toml && test -e /etc/sallyport/sallyport.toml")
		}},
		"Purge": {run: in(next), after: func() {
			g.Run("test ! -e /var/lib/sallyport && test ! -e /etc/sallyport")
			alice.withoutCode()
		}},
	})
}
