package docs

import (
	"context"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	login "sallyport/internal/api/iosallyportlogin"
	"sallyport/internal/client"
	"sallyport/internal/qr"
	"sallyport/test/host"
)

// examples are those of the manual page sallyportctl(8), as a person types them.
func examples(t *testing.T) []string {
	t.Helper()
	page := host.Output(t, host.Build(t).Ctl, "man")
	var all []string
	for _, block := range regexp.MustCompile(`(?s)\n\.nf\n(.*?)\n\.fi\n`).FindAllStringSubmatch(page, -1) {
		for _, line := range strings.Split(block[1], "\n") {
			line = strings.NewReplacer(`\-`, "-", `\(aq`, "'", `\(ti`, "~", `\(ha`, "^", `\e`, `\`, `\&`, "").Replace(line)
			if !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	if len(all) < 70 {
		t.Fatalf("the manual page has %d examples only", len(all))
	}
	return all
}

// TestExamples runs every example of the manual page. Root, alice and bob have second factors; each example finds them
// as they were. Those of the README are run there.
func TestExamples(t *testing.T) {
	var inReadme []string
	for _, part := range parts(t, readme) {
		inReadme = append(inReadme, part.lines...)
	}
	s := newShop(t)
	for _, line := range examples(t) {
		if strings.HasPrefix(line, "sallyportctl setup ") && slices.Contains(inReadme, line) {
			continue
		}
		t.Run(strings.ReplaceAll(line, "/", "|"), func(t *testing.T) { s.run(t, line) })
	}
}

// shop is a host with people on it, whose files are put back for each example.
type shop struct {
	saved  string              // a copy of the vault and the ledger
	people map[string]*persona // by name
}

// persona is what somebody has in the pocket.
type persona struct {
	phone    *host.Authenticator
	recovery []string
}

const passphrase = "correct horse battery"

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{saved: t.TempDir(), people: map[string]*persona{}}
	host.StartJournal(t)
	t.Cleanup(func() { host.Output(t, "rm", "-f", "/root/sallyport.age", "/root/alice.key", "/root/token.xml") })
	for path, text := range migrateFiles() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		host.WriteFile(t, path, text, 0o600)
		t.Cleanup(func() { _ = os.Remove(path) })
	}
	host.WriteFile(t, "/root/keys", "otpauth://totp/alice?secret="+secretBase32+"\n", 0o600)
	host.WriteFile(t, "/root/token.xml", strings.Replace(migrateFiles()["/root/tokens.xml"], "MTIz", "MTI0", 1), 0o600)
	d := host.StartDaemon(t, "")
	host.Output(t, "groupadd", "students")
	t.Cleanup(func() { host.Output(t, "groupdel", "students") })
	for _, name := range []string{"root", "alice", "bob", "carol", "dora", "frank"} {
		if name != "root" {
			line := host.As(host.AddUser(t, name, "students"), "google-authenticator", "-q", "-C", "-t", "-d", "-f", "-u", "-w", "3")
			host.Output(t, line[0], line[1:]...)
		}
		if name == "root" || name == "alice" || name == "bob" {
			s.enroll(t, name, host.Build(t).Ctl+" enroll")
		}
	}
	d.Stop()
	host.Output(t, "cp", "-a", "/var/lib/sallyport", "/run/sallyport/ledger.db", s.saved)
	return s
}

// as is a shell's command line of somebody's.
func as(t *testing.T, name, line string) *host.Terminal {
	t.Helper()
	words := []string{"/bin/bash", "-c", line}
	if name != "root" {
		words = host.As(lookUp(t, name), words[0], words[1:]...)
	}
	return host.Open(t, host.Command(words[0], words[1:]...))
}

func (s *shop) enroll(t *testing.T, name, line string) {
	t.Helper()
	x := as(t, name, line)
	key := x.Expect(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n`)
	p := &persona{phone: host.NewAuthenticator(t, strings.ReplaceAll(key[1], " ", ""))}
	x.Answer("Code from your app: ", p.phone.Code())
	if status := x.Wait(); status != 0 {
		t.Fatalf("%s: status %d\n%s", line, status, x.Text())
	}
	p.recovery = shown(x)
	s.people[name] = p
}

// open puts the files back and starts the daemon on them.
func (s *shop) open(t *testing.T) {
	t.Helper()
	host.Fresh(t, "")
	host.Output(t, "cp", "-a", filepath.Join(s.saved, "sallyport"), "/var/lib/")
	host.Output(t, "install", "-d", "-m", "0755", "/run/sallyport")
	host.Output(t, "cp", "-a", filepath.Join(s.saved, "ledger.db"), "/run/sallyport/ledger.db")
	host.DaemonOn(t).Start()
}

// run makes what an example needs, runs it as root, and answers what it asks.
func (s *shop) run(t *testing.T, line string) {
	s.open(t)
	dir := t.TempDir()
	t.Setenv("PATH", filepath.Dir(host.Build(t).Ctl)+":"+os.Getenv("PATH"))
	command, want := s.prepare(t, dir, line)
	x := as(t, "root", "export HOME=/root PATH="+os.Getenv("PATH")+"; cd '"+dir+"' && "+command)
	phone := s.people["root"].phone
	recovery := slices.Clone(s.people["root"].recovery)
	next := time.Now().Unix()/30 + 10
	for {
		asked := x.Meet(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n|Code from your app: |(?:[Cc]ode of the device|after that|recovery code|[Vv]erification code): |\[y/N\] |(?:passphrase for the archive|The same again|archive's passphrase): `)
		switch {
		case asked == nil:
			if status := x.Wait(); !slices.Contains(want, status) {
				t.Errorf("status %d, and it prints:\n%s", status, x.Text())
			}
			return
		case asked[1] != "":
			phone = host.NewAuthenticator(t, strings.ReplaceAll(asked[1], " ", ""))
		case strings.HasPrefix(asked[0], "Code from"):
			x.Reply(phone.Code())
		case strings.Contains(asked[0], "device") || strings.Contains(asked[0], "after that"):
			x.Reply(phone.At(next))
			next++
		case strings.Contains(asked[0], "y/N"):
			x.Reply("y")
		case strings.Contains(asked[0], "assphrase") || strings.Contains(asked[0], "again"):
			x.Reply(passphrase)
		default:
			x.Reply(recovery[0])
			recovery = recovery[1:]
		}
	}
}

// prepare makes what an example speaks of, and returns the command to run and the exit statuses that are right.
func (s *shop) prepare(t *testing.T, dir, line string) (command string, want []int) {
	t.Helper()
	ctl := func(input, args string) string {
		t.Helper()
		cmd := host.Command("/bin/sh", "-c", host.Build(t).Ctl+" "+args)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	const placeholder, code = "0123456789abcdef0123456789abcdef", "123456"
	want = []int{0}
	switch {
	case strings.Contains(line, placeholder):
		set := ctl(s.people["root"].recovery[9]+"\n", "enroll --no-confirm --label tablet")
		id := regexp.MustCompile(`confirm ([0-9a-f]{32})`).FindStringSubmatch(set)[1]
		key := regexp.MustCompile(`Key: +((?:[A-Z2-7]{1,4} ?)+)\n`).FindStringSubmatch(set)[1]
		line = strings.ReplaceAll(line, placeholder, id)
		line = strings.ReplaceAll(line, code, host.NewAuthenticator(t, strings.ReplaceAll(key, " ", "")).Code())
		if !strings.HasPrefix(line, "echo") {
			line = "echo " + host.NewAuthenticator(t, strings.ReplaceAll(key, " ", "")).Code() + " | " + line
		}
	case strings.Contains(line, "verify alice"):
		line = strings.ReplaceAll(line, code, s.people["alice"].recovery[0])
		if !strings.HasPrefix(line, "echo") {
			line = "echo " + s.people["alice"].recovery[0] + " | " + line
		}
	case strings.HasSuffix(line, " tablet") && !strings.Contains(line, "--label"):
		s.addTablet(t)
		if strings.Contains(line, "resync") {
			s.people["root"].phone = s.people["tablet"].phone
		}
	case strings.Contains(line, "clock") && !strings.Contains(line, "policy"), strings.HasPrefix(line, "sallyportctl doctor"):
		want = []int{0, 1} // this machine's clock may be nobody's; doctor has findings on a host that protects nothing
	case strings.Contains(line, "sallyportctl import"):
		ctl("", "disable --yes alice bob") // who comes has nothing here yet
		s.migrationPicture(t, filepath.Join(dir, "export.png"))
		if line == "sallyportctl import oath /etc/users.oath" {
			want = []int{1} // there is a PIN
		}
	case strings.HasPrefix(line, "sallyportctl sessions end"):
		openSession(t, "alice")
	case strings.HasPrefix(line, "sallyportctl vault rekey"), strings.HasPrefix(line, "sallyportctl vault unseal"):
		ctl("", "vault seal")
	case strings.HasPrefix(line, "sallyportctl vault restore"):
		_ = os.Remove("/root/sallyport.age")
		ctl(passphrase+"\n"+passphrase+"\n", "vault backup /root/sallyport.age")
	case strings.HasPrefix(line, "sallyportctl vault backup"):
		_ = os.Remove("/root/sallyport.age")
		host.Output(t, "age-keygen", "-o", filepath.Join(dir, "key"))
		line = strings.ReplaceAll(line, "age1...", strings.TrimSpace(host.Output(t, "age-keygen", "-y", filepath.Join(dir, "key"))))
	case strings.Contains(line, "fish/completions"):
		if err := os.MkdirAll("/root/.config/fish/completions", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return line, want
}

// addTablet is a second device of root's.
func (s *shop) addTablet(t *testing.T) {
	t.Helper()
	root := s.people["root"]
	x := as(t, "root", host.Build(t).Ctl+" enroll --label tablet")
	x.Answer("recovery code: ", root.recovery[8])
	key := x.Expect(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n`)
	tablet := host.NewAuthenticator(t, strings.ReplaceAll(key[1], " ", ""))
	x.Answer("Code from your app: ", tablet.Code())
	if status := x.Wait(); status != 0 {
		t.Fatalf("the tablet: status %d\n%s", status, x.Text())
	}
	s.people["tablet"] = &persona{phone: tablet}
}

// migrationPicture is what Google Authenticator shows to move a key.
func (s *shop) migrationPicture(t *testing.T, path string) {
	t.Helper()
	picture, err := qr.Picture(strings.TrimSpace(migrateFiles()["/root/transfer"]), 600)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, picture); err != nil {
		t.Fatal(err)
	}
}

// openSession has a process lead a session of somebody's.
func openSession(t *testing.T, name string) {
	t.Helper()
	line := host.As(lookUp(t, name), "sleep", "600")
	leader := host.Start(t, line[0], line[1:]...)
	conn, err := client.Dial(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	verdict, message, err := open(conn, name, int64(leader.PID()))
	if err != nil || verdict != "granted" {
		t.Fatalf("opening a session: %v %q, %v", verdict, message, err)
	}
}

func open(conn *varlink.Connection, name string, pid int64) (login.Verdict, string, error) {
	return login.OpenSession().Call(context.Background(), conn, name, "sshd", nil, nil, pid)
}
