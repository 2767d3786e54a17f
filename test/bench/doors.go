package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
	"sallyport/internal/ledger"
	"sallyport/internal/otp"
	"sallyport/internal/vault"
	"sallyport/test/host"
)

// The doors: PAM services with one module each.
const (
	ours   = "sallyport"
	google = "google-authenticator"
	oath   = "pam_oath"
	permit = "pam_permit"
)

func doors() []string { return []string{ours, google, oath, permit} }

// Where the stacks and the peers' records are.
const (
	confdir   = "/run/bench-pam"
	googleDir = "/var/lib/google-authenticator"
	oathFile  = "/var/lib/users.oath"
)

// crew is how many people log in by each door in one round: pam_oath reads and writes its file for all of them each time.
const crew = 10

// person is a user who has the same key at every door.
type person struct {
	name string
	uid  uint32
	key  otp.Key
}

// googleFile is google-authenticator's record of the person, as its own program writes it for who says yes to everything.
func (p *person) googleFile() string {
	return p.key.Secret.Base32() + "\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n"
}

// code is what the authenticator shows, steps away from now.
func (b *bench) code(p *person, steps int64) string {
	code, err := p.key.Code(p.key.Step(time.Now()) + steps)
	b.check(err)
	return code
}

// prepare makes users, stacks and the program that logs in.
func (b *bench) prepare() {
	b.program = filepath.Join(b.TempDir(), "login")
	host.Output(b, "gcc", "-std=c11", "-O2", "-o", b.program, "test/bench/testdata/login.c", "-lpam", "-pthread")
	b.people = b.addPeople("person", crew)
	b.putOnDisk("/var/lib")
	for _, dir := range []string{confdir, googleDir} {
		b.check(os.MkdirAll(dir, 0o700))
	}
	for door, line := range map[string]string{
		ours:   host.Module(b, "auth", "required"),
		google: "auth required pam_google_authenticator.so user=root secret=" + googleDir + "/${USER}",
		oath:   "auth required pam_oath.so window=3 usersfile=" + oathFile,
		permit: "auth required pam_permit.so",
	} {
		host.WriteFile(b, filepath.Join(confdir, door), line+"\n", 0o644)
	}
	b.daemon = host.StartDaemon(b, policyText)
}

// putOnDisk puts a directory of the private host, where they are all in memory, on the machine's disk: what people's records
// are on in earnest, and what the peers wait for in every login (fsync(2)).
func (b *bench) putOnDisk(dir string) {
	root, err := host.Repository()
	b.check(err)
	onDisk, err := os.MkdirTemp(filepath.Join(root, "build"), "bench-")
	b.check(err)
	b.check(os.Chmod(onDisk, 0o755))
	b.check(unix.Mount(onDisk, dir, "", unix.MS_BIND, ""))
	b.Cleanup(func() {
		b.check(unix.Unmount(dir, unix.MNT_DETACH))
		b.check(os.RemoveAll(onDisk))
	})
}

const policyText = "[[rule]]\nservices = [\"" + ours + "\"]\nrequire = \"always\"\nattempts = 1\n"

// addPeople adds users, straight into the user database.
func (b *bench) addPeople(prefix string, n int) []*person {
	const (
		passwd   = "/etc/passwd"
		firstUID = 30000
	)
	before, err := os.ReadFile(passwd)
	b.check(err)
	var lines strings.Builder
	lines.Write(before)
	people := make([]*person, n)
	for i := range people {
		people[i] = &person{name: fmt.Sprintf("%s%d", prefix, i), uid: uint32(firstUID + i)}
		fmt.Fprintf(&lines, "%s:x:%d:65534::/nonexistent:/bin/sh\n", people[i].name, people[i].uid)
	}
	host.WriteFile(b, passwd, lines.String(), 0o644)
	return people
}

// freshen gives everybody a new key at every door, of which no code has been used, and the daemon an empty ledger.
func (b *bench) freshen(people []*person) {
	var all strings.Builder
	for _, p := range people {
		b.newKey(p)
		host.WriteFile(b, filepath.Join(googleDir, p.name), p.googleFile(), 0o400)
		fmt.Fprintf(&all, "HOTP/T30\t%s\t-\t%s\n", p.name, hex.EncodeToString(p.key.Secret.Bytes()))
	}
	host.WriteFile(b, oathFile, all.String(), 0o600)
	b.daemon.Kill()
	b.emptyLedger()
	b.enrol(people)
	b.daemon.Start()
}

func (b *bench) newKey(p *person) {
	var err error
	p.key, err = otp.Generate(rand.Reader, otp.TOTP, otp.SHA1, 6, host.Period)
	b.check(err)
}

// emptyLedger begins a ledger that nothing is known in. The daemon must not run.
func (b *bench) emptyLedger() { b.check(b.newLedger().Close()) }

// newLedger begins a ledger as of an hour ago, so that nothing is in quarantine.
func (b *bench) newLedger() *ledger.Ledger {
	host.LoseRun(b)
	for _, saved := range []string{disk.Root("").SavedClean(), disk.Root("").Saved()} {
		b.check(os.RemoveAll(saved))
	}
	l, err := ledger.Open(ledger.Options{FS: new(disk.OS), Now: time.Now().Add(-time.Hour)})
	b.check(err)
	return l
}

// hasty is the disk without waiting for it: there are many to enrol.
type hasty struct{ disk.OS }

// WriteFile makes or replaces a file.
func (*hasty) WriteFile(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }

// enrol puts people into the vault. The daemon must not run.
func (b *bench) enrol(people []*person) {
	v := vault.Open(new(hasty), "", vault.Keyring{})
	day := time.Now().Add(-24 * time.Hour)
	for _, p := range people {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		b.check(v.Put(&vault.Record{
			User: p.name, UID: p.uid, Created: day,
			Tokens: []vault.Token{{ID: hex.EncodeToString(id[:]), Label: "phone", Key: p.key, Confirmed: day}},
		}))
	}
}
