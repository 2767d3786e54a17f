package race

import (
	"fmt"
	"testing"
	"time"

	"sallyport/test/host"
)

// The logins of a burst do race: google-authenticator, told to let nobody use a code twice, lets in several of them.
// Without this, TestOneCodeOneLogin could pass because its logins come one after the other.
func TestABurstFindsARace(t *testing.T) {
	const dir, service, rounds = "/var/lib/google-authenticator", "race-peer", 200
	host.Output(t, "install", "-d", "-m", "0700", dir)
	host.PAM(t, service, fmt.Sprintf("auth required pam_google_authenticator.so secret=%s/${USER} user=root", dir))
	program := compile(t)
	most := 0
	for i, p := range addPeople(t, "peer", rounds) {
		host.WriteFile(t, dir+"/"+p.name, p.key.Secret.Base32()+"\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n", 0o400)
		b := prepare(t, program, mode{"forks", "answer"}, everywhere(p.name, p.code(time.Now()), []string{service}, parallel))
		b.release()
		all := b.outcomes()
		if granted(all) == 0 {
			t.Fatalf("google-authenticator let nobody in:%s", report(all))
		}
		if most = max(most, granted(all)); most > 1 {
			t.Logf("round %d: google-authenticator let %d of %d in with one code", i, most, len(all))
			return
		}
	}
	t.Errorf("in %d rounds google-authenticator let only one in: are the logins of a burst simultaneous?", rounds)
}
