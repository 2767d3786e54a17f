package main

import (
	"fmt"
	"os"
	"time"

	"sallyport/test/host"
)

// alone is the stack of a password and nothing else.
const alone = "password alone"

// ssh measures whole logins with the real ssh and sshd: a password, and a password and a code. What the code adds is
// taken person by person: sshd answers the first question for each user after a time of that user's own, 5 to 9 ms,
// doubled until it is more than was needed (auth2.c, ensure_minimum_time_since).
func (b *bench) ssh() section {
	s := section{title: "A real ssh login, with password and code", header: []string{"stack", "median (middle half)", "added to the same person's with the password alone"}}
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
	took, added := map[string]sample{}, map[string]sample{}
	for round := range b.rounds {
		b.freshen(people)
		once := map[string]sample{}
		for _, name := range turned([]string{alone, ours, google}, round) {
			b.sshStack(stacks[name])
			for _, p := range people {
				once[name] = append(once[name], b.sshLogin(sshd, p))
			}
		}
		for name, theirs := range once {
			took[name] = append(took[name], theirs...)
			for i, took := range theirs {
				added[name] = append(added[name], took-once[alone][i])
			}
		}
	}
	for _, name := range []string{alone, ours, google} {
		s.row(name, took[name].spread(), added[name].spread())
	}
	s.atMost("added to the password", milliseconds(added[ours].median()), 3, " ms")
	s.atMost("added, beside what google-authenticator adds", milliseconds(added[ours].median()), milliseconds(added[google].median()), " ms")
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

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
