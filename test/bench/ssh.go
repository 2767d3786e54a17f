package main

import (
	"fmt"
	"os"
	"time"

	"sallyport/test/host"
)

// alone is the stack of a password and nothing else.
const alone = "password alone"

// ssh measures whole logins with the real ssh and sshd: a password, and a password and a code.
func (b *bench) ssh() section {
	s := section{title: "A real ssh login, with password and code", header: []string{"stack", "median (middle half)", "added to the password"}}
	stacks := map[string]string{
		alone:  "",
		ours:   host.Module(b, "auth", "required"),
		google: "auth required pam_google_authenticator.so user=root secret=" + googleDir + "/${USER}",
	}
	people := make([]*person, crew)
	for i := range people {
		u := host.AddUser(b, fmt.Sprintf("ssh%d", i))
		people[i] = &person{name: u.Username, uid: uint32(host.UID(b, u))}
	}
	b.askpass()
	sshd := host.StartSSHD(b, "AuthenticationMethods keyboard-interactive")
	b.check(os.WriteFile("/etc/sallyport/sallyport.toml", []byte("[[rule]]\nservices = [\"sshd\"]\nrequire = \"always\"\n"), 0o644))
	took := map[string]sample{}
	for round := range b.rounds {
		b.freshen(people)
		for _, name := range turned([]string{alone, ours, google}, round) {
			b.sshStack(stacks[name])
			for _, p := range people {
				took[name] = append(took[name], b.sshLogin(sshd, p))
			}
		}
	}
	for _, name := range []string{alone, ours, google} {
		s.row(name, took[name].spread(), micro(took[name].median()-took[alone].median()))
	}
	added := float64(took[ours].median()-took[alone].median()) / float64(time.Millisecond)
	theirs := float64(took[google].median()-took[alone].median()) / float64(time.Millisecond)
	s.atMost("added to the password", added, 3, " ms")
	s.atMost("added, beside what google-authenticator adds", added, theirs, " ms")
	return s
}

// sshStack makes sshd's stack: the password, and then the module's line.
func (b *bench) sshStack(line string) {
	const rest = "\naccount required pam_unix.so\nsession required pam_permit.so\n"
	host.WriteFile(b, "/etc/pam.d/sshd", "auth requisite pam_unix.so nodelay\n"+line+rest, 0o644)
}

// askpass is the program that ssh asks for the answers: it knows the password, and the code from a file.
func (b *bench) askpass() {
	host.Output(b, "gcc", "-std=c11", "-O2", "-static", "-o", "/run/askpass", "test/bench/testdata/askpass.c")
}

// sshLogin times one login from the start of ssh to its end.
func (b *bench) sshLogin(sshd *host.SSHD, p *person) time.Duration {
	cmd := sshd.Client("ssh", p.name+"@127.0.0.1", "true")
	cmd.Env = append(cmd.Env, "SSH_ASKPASS=/run/askpass", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0",
		"BENCH_PASSWORD="+host.Password, "BENCH_CODE="+b.code(p, 0))
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		b.Fatalf("ssh as %s: %v\n%s", p.name, err, out)
	}
	return took
}
