package race

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/test/host"
)

// person is a user with an authenticator.
type person struct {
	t        *testing.T
	name     string
	uid      uint32
	key      otp.Key
	recovery string
}

// addPeople adds users, straight into the user database: useradd(8) takes a hundred times as long. They are gone at the
// end of the test.
func addPeople(t *testing.T, prefix string, n int) []*person {
	t.Helper()
	const (
		passwd   = "/etc/passwd"
		firstUID = 20000
		nogroup  = 65534
	)
	before, err := os.ReadFile(passwd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.WriteFile(t, passwd, string(before), 0o644) })
	var lines strings.Builder
	lines.Write(before)
	people := make([]*person, n)
	for i := range people {
		p := &person{t: t, name: fmt.Sprintf("%s%d", prefix, i), uid: uint32(firstUID + i)}
		p.newKey()
		fmt.Fprintf(&lines, "%s:x:%d:%d::/nonexistent:/bin/sh\n", p.name, p.uid, nogroup)
		people[i] = p
	}
	host.WriteFile(t, passwd, lines.String(), 0o644)
	return people
}

func (p *person) newKey() {
	p.t.Helper()
	var err error
	if p.key, err = otp.Generate(rand.Reader, otp.TOTP, otp.SHA1, 6, host.Period); err != nil {
		p.t.Fatal(err)
	}
	if p.recovery, err = otp.NewRecoveryCode(rand.Reader); err != nil {
		p.t.Fatal(err)
	}
}

// code is what the authenticator shows at a time.
func (p *person) code(now time.Time) string {
	p.t.Helper()
	code, err := p.key.Code(p.key.Step(now))
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// oathCode is the same by oathtool(1), which shares no code with us. It takes a few milliseconds more.
func (p *person) oathCode(now time.Time) string {
	p.t.Helper()
	return host.NewAuthenticator(p.t, p.key.Secret.Base32()).At(p.key.Step(now))
}

// enrol puts people into the vault, each with a new key. The daemon may run, but not change a record meanwhile.
func enrol(t *testing.T, people ...*person) {
	t.Helper()
	v := vault.Open(new(disk.OS), "", vault.Keyring{})
	for _, p := range people {
		p.newKey()
		recovery, err := otp.HashRecovery(rand.Reader, p.recovery)
		if err != nil {
			t.Fatal(err)
		}
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		day := time.Now().Add(-24 * time.Hour)
		err = v.Put(&vault.Record{
			User: p.name, UID: p.uid, Created: day,
			Tokens:   []vault.Token{{ID: hex.EncodeToString(id[:]), Label: "phone", Key: p.key, Confirmed: day}},
			Recovery: []otp.RecoveryHash{recovery},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// everywhere is n logins of one user with one code, spread over the services.
func everywhere(user, code string, services []string, n int) []attempt {
	all := make([]attempt, n)
	for i := range all {
		all[i] = attempt{services[i%len(services)], user, code}
	}
	return all
}
