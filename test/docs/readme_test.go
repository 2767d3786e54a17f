package docs

import (
	"os"
	"os/user"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

const readme = "../../README.md"

// admin follows the README on a private host, top to bottom, from the shell that the README says to keep open.
type admin struct {
	*testing.T
	alice  *user.User
	app    *host.Authenticator
	saved  []string // recovery codes
	daemon *host.Process
	sshd   *host.SSHD
	config []string // lines of sshd_config
}

// steps says how each command of the README is run. There is no systemd as PID 1 in the private host: what its commands
// would do is done by hand; the packages' tests boot a real one.
func (a *admin) steps() map[string]func(line string) {
	return map[string]func(string){
		"make deps build":                          func(string) { host.Output(a, "make", "-n", "-C", a.repository(), "deps", "build") },
		"make install":                             a.install,
		"systemctl daemon-reload":                  a.verifyUnits,
		"systemctl enable --now sallyportd.socket": a.startDaemon,
		"sallyportctl version":                     a.run,
		"sallyportctl enroll":                      a.enroll,
		"sallyportctl status":                      a.runAsAlice,
		"sallyportctl policy check":                a.run,
		"sallyportctl policy explain root --service sshd --from 192.0.2.7": a.run,
		"sallyportctl setup ssh":                             a.run,
		"sallyportctl setup ssh --apply --confirm-within 5m": a.setUp,
		"sallyportctl setup ssh --confirm":                   a.confirmSetup,
		"sallyportctl setup ssh --revert":                    a.revertSetup,
		"sallyportctl doctor":                                a.doctor,
		"sshd -t":                                            a.startSSHD,
		"systemctl reload ssh":                               func(string) { a.logIn() },
		"sallyportctl recovery-codes":                        a.newRecoveryCodes,
		"sallyportctl resync":                                a.resync,
		"sallyportctl unlock NAME":                           func(string) { a.run("sallyportctl unlock alice") },
		"sallyportctl forget NAME":                           func(string) { a.run("sallyportctl forget alice") },
		"sallyportctl disable NAME":                          a.disable,
		"systemctl reload sallyportd":                        a.reload,
		"sallyportctl clock":                                 a.run,
		"sallyportctl clock --json":                          a.run,
		"journalctl -u sallyportd":                           func(string) { host.Output(a, "which", "journalctl") },
		"make demo":                                          a.isTarget,
		"make test":                                          a.isTarget,
		"make demo INTERACTIVE=1":                            a.isTarget,
	}
}

// TestReadme runs every command of the README in its order, and then those of the page about the clock, with the files that the README shows put where it says.
func TestReadme(t *testing.T) {
	a := &admin{T: t}
	host.Fresh(t, "")
	host.Overlay(t, "/usr")
	a.alice = host.AddUser(t, "alice")
	steps := a.steps()
	for _, part := range append(parts(t, readme), parts(t, "../../docs/clock.md")...) {
		if file, ok := map[string]func([]string){"toml": a.policy, "pam": a.pam, "sshd": a.sshdConfig}[part.kind]; ok {
			file(part.lines)
			continue
		}
		for _, line := range part.lines {
			step, known := steps[line]
			if !known {
				t.Errorf("no test runs %q", line)
				continue
			}
			t.Log(line)
			step(line)
		}
	}
	if a.sshd == nil || a.app == nil {
		t.Error("the README protects nothing")
	}
}

// part is a fenced block, or a command in the table of mends.
type part struct {
	kind  string // sh, toml, pam, sshd
	lines []string
}

var inline = regexp.MustCompile("`((?:sallyportctl|systemctl|journalctl|timedatectl)(?: [^`]*)?)`")

func parts(t *testing.T, page string) []part {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []part
	var open *part
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &part{kind: kind}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		case strings.HasPrefix(line, "make "):
			all = append(all, part{"sh", []string{line}})
		case strings.HasPrefix(line, "|"): // what to do when something is wrong
			for _, m := range inline.FindAllStringSubmatch(line, -1) {
				all = append(all, part{"sh", []string{m[1]}})
			}
		}
	}
	return all
}

func (a *admin) repository() string {
	a.Helper()
	root, err := host.Repository()
	if err != nil {
		a.Fatal(err)
	}
	return root
}

// run runs a command of ours from where it was installed.
func (a *admin) run(line string) {
	a.Helper()
	host.Output(a, "/bin/sh", "-c", line)
}

func (a *admin) runAsAlice(line string) {
	a.Helper()
	words := host.As(a.alice, "/bin/sh", "-c", line)
	host.Output(a, words[0], words[1:]...)
}

func (a *admin) isTarget(line string) {
	a.Helper()
	host.Output(a, "make", append([]string{"-n", "-C", a.repository()}, strings.Fields(line)[1:]...)...)
}

func (a *admin) install(line string) {
	a.Helper()
	host.Output(a, "make", "-C", a.repository(), "install")
}

func (a *admin) verifyUnits(string) {
	a.Helper()
	host.Output(a, "systemd-analyze", "verify", "--man=no", "/usr/local/lib/systemd/system/sallyportd.socket")
}

func (a *admin) startDaemon(string) {
	a.Helper()
	a.daemon = host.Start(a, "/usr/local/sbin/sallyportd")
	host.Eventually(a, "sallyportd is ready", host.DaemonAnswers)
}

// terminal is a command of alice's on a terminal of her own.
func (a *admin) terminal(line string) *host.Terminal {
	a.Helper()
	words := host.As(a.alice, "/bin/sh", "-c", line)
	return host.Open(a, host.Command(words[0], words[1:]...))
}

func (a *admin) ended(x *host.Terminal) {
	a.Helper()
	if status := x.Wait(); status != 0 {
		a.Fatalf("exit status %d:\n%s", status, x.Text())
	}
}

// shown are the recovery codes below the sentence that says what they are.
func shown(x *host.Terminal) []string {
	_, below, _ := strings.Cut(x.Text(), "Your recovery codes")
	return recoveryCode.FindAllString(below, -1)
}

var recoveryCode = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`)

func (a *admin) enroll(line string) {
	a.Helper()
	x := a.terminal(line)
	if a.app != nil { // again, with a recovery code: the old phone is lost
		x.Expect("[Cc]ode")
		x.Reply(a.recoveryCode())
	}
	key := x.Expect(`Key: +((?:[A-Z2-7]{1,4} ?)+)\r?\n`)
	a.app = host.NewAuthenticator(a, strings.ReplaceAll(key[1], " ", ""))
	x.Expect("Code from your app: ")
	x.Reply(a.app.Code())
	a.ended(x)
	if codes := shown(x); len(codes) > 0 {
		a.saved = codes
	}
}

func (a *admin) recoveryCode() string {
	a.Helper()
	if len(a.saved) == 0 {
		a.Fatal("no recovery code is left")
	}
	code := a.saved[0]
	a.saved = a.saved[1:]
	return code
}

func (a *admin) newRecoveryCodes(line string) {
	a.Helper()
	x := a.terminal(line)
	x.Expect("[Cc]ode")
	x.Reply(a.recoveryCode())
	a.ended(x)
	if a.saved = shown(x); len(a.saved) != 10 {
		a.Fatalf("%d new recovery codes:\n%s", len(a.saved), x.Text())
	}
}

// disable is the admin's help for somebody without phone and recovery codes, who then sets it up again.
func (a *admin) disable(string) {
	a.Helper()
	a.run("sallyportctl disable alice --yes")
	a.app = nil
	a.enroll("sallyportctl enroll")
}

// resync gives two codes that are consecutive, and ahead of all that were used.
func (a *admin) resync(line string) {
	a.Helper()
	x := a.terminal(line)
	first := time.Now().Unix()/30 + 10
	for i := range int64(2) {
		x.Expect("[Cc]ode of the device: |The next one.*: ")
		x.Reply(a.app.At(first + i))
	}
	a.ended(x)
}

func (a *admin) policy(lines []string) {
	a.Helper()
	host.Policy(a, strings.Join(lines, "\n")+"\n")
	a.reload("")
}

func (a *admin) reload(string) {
	a.Helper()
	const loaded = "policy loaded"
	before := strings.Count(a.daemon.Log(), loaded)
	a.daemon.Signal(unix.SIGHUP)
	host.Eventually(a, "the policy is reloaded", func() bool { return strings.Count(a.daemon.Log(), loaded) > before })
}

// pam puts the README's lines in place of @include common-auth, where it says.
func (a *admin) pam(lines []string) {
	a.Helper()
	data, err := os.ReadFile("/etc/pam.d/sshd")
	if err != nil {
		a.Fatal(err)
	}
	const first = "@include common-auth\n"
	if !strings.Contains(string(data), first) || lines[0]+"\n" != first {
		a.Fatal("the README's lines do not fit Debian's /etc/pam.d/sshd")
	}
	host.PAM(a, "sshd", strings.Replace(string(data), first, strings.Join(lines, "\n")+"\n", 1))
}

// sshdConfig puts the README's lines into Debian's file, where they come first, and remembers them for the test's sshd.
func (a *admin) sshdConfig(lines []string) {
	a.Helper()
	const path = "/etc/ssh/sshd_config"
	shipped, err := os.ReadFile(path)
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() { host.WriteFile(a, path, string(shipped), 0o644) })
	a.config = lines
	host.WriteFile(a, path, strings.Join(lines, "\n")+"\n"+string(shipped), 0o644)
}

// setUp has sshd run on Debian's file first. Nothing of the README's own is in it yet.
func (a *admin) setUp(line string) {
	a.Helper()
	a.sshd = host.StartSystemSSHD(a)
	a.run(line)
	a.sshd.AwaitReload(a, 1)
}

// confirmSetup is the second window, in which sudo makes root of alice.
func (a *admin) confirmSetup(line string) {
	a.Helper()
	const sudoers = "/etc/sudoers.d/readme"
	host.WriteFile(a, sudoers, "alice ALL=(ALL) NOPASSWD: ALL\n", 0o440)
	x := host.Open(a, a.sshd.Client("ssh", "-tt", "alice@127.0.0.1", "sudo /usr/local/bin/"+line))
	x.Answer("Password: ", host.Password)
	x.Answer("Verification code: ", a.app.Code())
	x.Expect("stays")
	a.ended(x)
	if err := os.Remove(sudoers); err != nil {
		a.Fatal(err)
	}
}

// revertSetup leaves the host as it was, for what is done by hand.
func (a *admin) revertSetup(line string) {
	a.Helper()
	a.run(line)
	a.sshd.AwaitReload(a, 2)
	a.sshd.Terminate()
}

// doctor finds nothing on the host that the README makes. The clock is this machine's.
func (a *admin) doctor(line string) {
	a.Helper()
	out, err := host.Command("/bin/sh", "-c", line).CombinedOutput()
	found := regexp.MustCompile(`(?m)^[A-Z ]+: ([a-z-]+)$`).FindAllStringSubmatch(string(out), -1)
	if len(found) > 1 || len(found) == 1 && found[0][1] != "clock-unsynchronised" || err == nil && len(found) > 0 {
		a.Errorf("%s: %v\n%s", line, err, out)
	}
}

// startSSHD is "sshd -t" and the start of an sshd with that file.
func (a *admin) startSSHD(string) {
	a.Helper()
	a.sshd = host.StartSSHD(a, a.config...)
}

// logIn is the second window.
func (a *admin) logIn() {
	a.Helper()
	x := host.Open(a, a.sshd.Client("ssh", "alice@127.0.0.1", "echo in: $((6*7))"))
	x.Answer("Password: ", host.Password)
	x.Answer("Verification code: ", a.app.Code())
	x.Expect("in: 42")
	a.ended(x)
}
