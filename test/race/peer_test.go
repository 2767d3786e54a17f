package race

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// peer is another module, as Debian has it and as its manual says that it refuses what was used.
type peer struct {
	name, service, line string
	enrol               func(t *testing.T, p *burst.Person)
}

// peers are google-authenticator and pam_oath.
func peers(t *testing.T) []peer {
	t.Helper()
	const dir, users = "/var/lib/google-authenticator", "/etc/users.oath"
	host.Output(t, "install", "-d", "-m", "0700", dir)
	all := []peer{
		{"google-authenticator, DISALLOW_REUSE", "race-google", fmt.Sprintf("pam_google_authenticator.so secret=%s/${USER} user=root", dir),
			func(t *testing.T, p *burst.Person) {
				host.WriteFile(t, dir+"/"+p.Name, p.Key.Secret.Base32()+"\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n", 0o400)
			}},
		{"pam_oath", "race-oath", "pam_oath.so usersfile=" + users + " window=3 digits=6",
			func(t *testing.T, p *burst.Person) {
				host.WriteFile(t, users, fmt.Sprintf("HOTP/T30/6 %s - %s\n", p.Name, hex.EncodeToString(p.Key.Secret.Bytes())), 0o600)
			}},
	}
	for _, p := range all {
		host.PAM(t, p.service, "auth required "+p.line)
	}
	return all
}

// round is one code by which 64 log in at one instant, everybody at the prompt.
func (x peer) round(t *testing.T, program string, p *burst.Person) []burst.Outcome {
	t.Helper()
	x.enrol(t, p)
	b := burst.Prepare(t, program, burst.Mode{Who: "forks", At: "answer"}, burst.Everywhere(p.Name, p.Code(time.Now()), []string{x.service}, parallel))
	b.Release()
	return b.Outcomes()
}

// The logins of a burst do race: google-authenticator, told to let nobody use a code twice, lets in several of them.
// Without this, TestOneCodeOneLogin could pass because its logins come one after the other.
func TestABurstFindsARace(t *testing.T) {
	const rounds = 200
	google, program := peers(t)[0], burst.Compile(t)
	for i, p := range burst.AddPeople(t, "peer", rounds) {
		all := google.round(t, program, p)
		if burst.Granted(all) == 0 {
			t.Fatalf("google-authenticator let nobody in:%s", burst.Report(all))
		}
		if n := burst.Granted(all); n > 1 {
			t.Logf("round %d: google-authenticator let %d of %d in with one code", i, n, len(all))
			return
		}
	}
	t.Errorf("in %d rounds google-authenticator let only one in: are the logins of a burst simultaneous?", rounds)
}

// score is what came of many rounds with one code each.
type score struct{ rounds, one, several, none, most int }

func (s *score) add(granted int) {
	s.rounds++
	s.most = max(s.most, granted)
	switch granted {
	case 0:
		s.none++
	case 1:
		s.one++
	default:
		s.several++
	}
}

// newScores is the table of docs/security.md.
func newScores() *proof.Table {
	return proof.NewTable("one code, 64 logins at one instant", "rounds", "one got in", "several got in", "most of 64", "nobody got in")
}

func (s score) row(t *proof.Table, who string) {
	t.Row(who, s.rounds, s.one, s.several, s.most, s.none)
}

// What the peers do, for the table. It is theirs to judge: here only that each lets somebody in.
func TestOneCodeAtThePeers(t *testing.T) {
	const people = 100
	program, table := burst.Compile(t), newScores()
	crowd := burst.AddPeople(t, "peer", people)
	for _, x := range peers(t) {
		var s score
		for i := range proof.Rounds(10, 1000) {
			p := crowd[i%people]
			p.NewKey()
			s.add(burst.Granted(x.round(t, program, p)))
		}
		if s.none == s.rounds {
			t.Errorf("%s let nobody in", x.name)
		}
		s.row(table, x.name)
	}
	proof.Keep(t, "one code at the peers", table)
}
