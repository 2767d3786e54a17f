package burst

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/test/host"
)

// Person is a user with an authenticator.
type Person struct {
	t        *testing.T
	Name     string
	UID      uint32
	Kind     otp.Kind // of the authenticators to come; empty: TOTP
	Key      otp.Key
	Recovery string
}

// AddPeople adds users, straight into the user database: useradd(8) takes a hundred times as long. They are gone at the
// end of the test.
func AddPeople(t *testing.T, prefix string, n int) []*Person {
	t.Helper()
	const (
		passwd  = "/etc/passwd"
		nogroup = 65534
	)
	before, err := os.ReadFile(passwd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.WriteFile(t, passwd, string(before), 0o644) })
	var lines strings.Builder
	lines.Write(before)
	firstUID := 20000 + strings.Count(string(before), "\n") // nobody's who was added before
	people := make([]*Person, n)
	for i := range people {
		p := &Person{t: t, Name: fmt.Sprintf("%s%d", prefix, i), UID: uint32(firstUID + i)}
		p.NewKey()
		fmt.Fprintf(&lines, "%s:x:%d:%d::/nonexistent:/bin/sh\n", p.Name, p.UID, nogroup)
		people[i] = p
	}
	host.WriteFile(t, passwd, lines.String(), 0o644)
	return people
}

// PersonOf is a user that there is.
func PersonOf(t *testing.T, u *user.User) *Person {
	t.Helper()
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &Person{t: t, Name: u.Username, UID: uint32(uid)}
}

// NewKey gives the person another authenticator, which is in nobody's records yet.
func (p *Person) NewKey() {
	p.t.Helper()
	kind, period := p.Kind, host.Period
	if kind == "" {
		kind = otp.TOTP
	}
	if kind == otp.HOTP {
		period = 0
	}
	var err error
	if p.Key, err = otp.Generate(rand.Reader, kind, otp.SHA1, 6, period); err != nil {
		p.t.Fatal(err)
	}
	if p.Recovery, err = otp.NewRecoveryCode(rand.Reader); err != nil {
		p.t.Fatal(err)
	}
}

// Code is what the authenticator shows at a time or, where it has no clock, at first.
func (p *Person) Code(now time.Time) string {
	p.t.Helper()
	var step int64
	if p.Key.Kind == otp.TOTP {
		step = p.Key.Step(now)
	}
	code, err := p.Key.Code(step)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// OathCode is the same by oathtool(1), which shares no code with us. It takes a few milliseconds more.
func (p *Person) OathCode(now time.Time) string {
	p.t.Helper()
	return host.NewAuthenticator(p.t, p.Key.Secret.Base32()).At(p.Key.Step(now))
}

// Enrol puts people into the host's vault, each with a new key. The daemon may run, but not change a record meanwhile.
func Enrol(t *testing.T, people ...*Person) {
	t.Helper()
	EnrolBelow(t, "", people...)
}

// EnrolBelow does that for the daemon of another root.
func EnrolBelow(t *testing.T, root disk.Root, people ...*Person) {
	t.Helper()
	v := vault.Open(new(disk.OS), root, vault.Keyring{})
	for _, p := range people {
		p.NewKey()
		recovery, err := otp.HashRecovery(rand.Reader, p.Recovery)
		if err != nil {
			t.Fatal(err)
		}
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		day := time.Now().Add(-24 * time.Hour)
		err = v.Put(&vault.Record{
			User: p.Name, UID: p.UID, Created: day,
			Tokens:   []vault.Token{{ID: hex.EncodeToString(id[:]), Label: "phone", Key: p.Key, Confirmed: day}},
			Recovery: []otp.RecoveryHash{recovery},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Everywhere is n logins of one user with one code, spread over the services.
func Everywhere(user, code string, services []string, n int) []Attempt {
	all := make([]Attempt, n)
	for i := range all {
		all[i] = Attempt{services[i%len(services)], user, code}
	}
	return all
}
