package e2e

import (
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/test/host"
)

// other is a PAM service that asks for the code of the program that people come from.
const other = "other-test"

// otherLogin logs in where people come from, with the code that their app shows.
func otherLogin(t *testing.T, name, prompt, code string) {
	t.Helper()
	x := host.Open(t, host.Command("pamtester", other, name, "authenticate"))
	x.Answer(prompt, code)
	entered(t, x)
}

// imports runs sallyportctl import to its end, with the exit status that it is to have.
func imports(t *testing.T, status int, args ...string) string {
	t.Helper()
	cmd := host.Command(host.Build(t).Ctl, append([]string{"import"}, args...)...)
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("sallyportctl import %v: exit status %d, want %d\n%s", args, got, status, out)
	}
	return string(out)
}

// says fails the test if a report has no line like that.
func says(t *testing.T, report, line string) {
	t.Helper()
	if !regexp.MustCompile("(?m)^" + line).MatchString(report) {
		t.Errorf("the report does not say %q:\n%s", line, report)
	}
}

// tries one code at the module, and returns what was said.
func tries(t *testing.T, name, code string) (in bool, text string) {
	t.Helper()
	x := pamtester(t, name, "authenticate")
	x.Answer(codePrompt, code)
	x.Expect("(?s)successfully|" + codePrompt + "$|used|wrong")
	text = x.Text()
	if in = strings.Contains(text, "successfully"); !in {
		x.Close()
		return false, text
	}
	entered(t, x)
	return true, text
}

// afterTheMinute waits until a code that was not right at the import can be, and returns it.
func afterTheMinute(t *testing.T, app *host.Authenticator, imported int64) string {
	t.Helper()
	host.Eventually(t, "the next time step", func() bool { return time.Now().Unix()/30 > imported })
	return app.At(imported + 2)
}

// googleUser is a user with pam_google_authenticator, set up by the real program.
func googleUser(t *testing.T, name string, args ...string) (*user.User, []string) {
	t.Helper()
	u := host.AddUser(t, name)
	line := host.As(u, "google-authenticator", append([]string{"-q", "-C", "-f"}, args...)...)
	host.Output(t, line[0], line[1:]...)
	return u, googleFile(t, u)
}

func googleFile(t *testing.T, u *user.User) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(u.HomeDir, ".google_authenticator"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// People come from pam_google_authenticator, with what they used there: a code works on one side of the move.
func TestImportFromGoogleAuthenticator(t *testing.T) {
	d := host.StartDaemon(t, require("always"))
	onlySallyport(t)
	host.PAM(t, other, "auth required pam_google_authenticator.so", "account required pam_permit.so")
	alice, file := googleUser(t, "alice", "-t", "-d", "-u", "-w", "3")
	_, counted := googleUser(t, "bob", "-c", "-u", "-w", "3")
	app := host.NewAuthenticator(t, file[0])
	used := app.Code()
	otherLogin(t, "alice", "Verification code: ", used)
	hotp := func(counter string) string {
		return strings.TrimSpace(host.Output(t, "oathtool", "--hotp", "--base32", "--counter", counter, "--", counted[0]))
	}
	otherLogin(t, "bob", "Verification code: ", hotp("2"))

	report := imports(t, 0, "google-authenticator", "--all")
	says(t, report, `alice +1 +5 +would be added$`)
	says(t, report, `2 of 2 users would be taken over; nothing was changed\.`)
	report = imports(t, 0, "google-authenticator", "--all", "--apply")
	imported := time.Now().Unix() / 30
	says(t, report, `bob +1 +5 +added$`)
	says(t, report, ` +Its WINDOW_SIZE is not taken over`)
	says(t, imports(t, 0, "google-authenticator", "alice"), `alice +1 +5 +is there already$`)
	tellsNothing(t, "the report", report, file[0], file[len(file)-1])
	tellsNothing(t, "the log", d.Log(), file[0], file[len(file)-1])

	if in, text := tries(t, "alice", used); in || !strings.Contains(text, "used already") {
		t.Errorf("a code that was used there: in is %v:\n%s", in, text)
	}
	if in, text := tries(t, "bob", hotp("2")); in {
		t.Errorf("a counter that was used there: %s", text)
	}
	if in, text := tries(t, "bob", hotp("3")); !in {
		t.Errorf("the next counter: %s", text)
	}
	scratch := file[len(file)-1]
	if in, text := tries(t, "alice", scratch); !in {
		t.Errorf("a scratch code: %s", text)
	}
	if in, text := tries(t, "alice", scratch); in || !strings.Contains(text, "wrong") {
		t.Errorf("the scratch code again: in is %v:\n%s", in, text)
	}
	if in, text := tries(t, "alice", afterTheMinute(t, app, imported)); !in {
		t.Errorf("a code of after the import: %s", text)
	}
	if _, err := os.Stat(filepath.Join(alice.HomeDir, ".google_authenticator")); err != nil {
		t.Errorf("the file there: %v", err)
	}
}

// What users may put into their home directories is read as they are, and reported.
func TestImportReadsHomesAsTheirUsers(t *testing.T) {
	host.StartDaemon(t, require("always"))
	_, file := googleUser(t, "alice", "-t", "-d", "-u", "-w", "3")
	text := strings.Join(file, "\n") + "\n"
	for name, put := range map[string]struct {
		do   func(path string, uid int) error
		want string
	}{
		"link":  {func(path string, _ int) error { return os.Symlink("/home/alice/.google_authenticator", path) }, "its file is a symbolic link"},
		"fifo":  {func(path string, _ int) error { return syscall.Mkfifo(path, 0o666) }, "its file is not a regular file"},
		"dir":   {func(path string, _ int) error { return os.Mkdir(path, 0o777) }, "its file is not a regular file"},
		"gift":  {func(path string, _ int) error { return os.WriteFile(path, []byte(text), 0o644) }, "its file belongs to somebody else"},
		"root":  {func(path string, _ int) error { return os.WriteFile(path, []byte(text), 0o600) }, "the user itself may not read its file"},
		"open":  {func(path string, uid int) error { return owned(path, text, 0o644, uid) }, "its file can be read by others"},
		"large": {func(path string, uid int) error { return owned(path, strings.Repeat("\n", 65<<10), 0o600, uid) }, "its file has more than 65536 bytes"},
		"bad":   {func(path string, uid int) error { return owned(path, "not a secret!", 0o600, uid) }, "line 1: secret: must be base32"},
		"none":  {func(string, int) error { return nil }, "there is no such file in the home directory"},
		"way":   {func(path string, _ int) error { return os.Chmod(filepath.Dir(path), 0) }, "the user itself may not read its file"},
	} {
		u := host.AddUser(t, "u"+name)
		if err := put.do(filepath.Join(u.HomeDir, ".google_authenticator"), host.UID(t, u)); err != nil {
			t.Fatal(err)
		}
		report := imports(t, 1, "google-authenticator", u.Username, "--apply")
		says(t, report, `u`+name+` +0 +0 +cannot be taken over: `+put.want)
		tellsNothing(t, "the report", report, file[0])
	}
	says(t, imports(t, 1, "google-authenticator", "nobody-here"), `nobody-here +0 +0 +cannot be taken over: this host has no such user`)
}

func owned(path, text string, mode os.FileMode, uid int) error {
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chown(path, uid, uid)
}

// People come from pam_oath, which keeps the last code and its time.
func TestImportFromPamOath(t *testing.T) {
	host.StartDaemon(t, require("always"))
	onlySallyport(t)
	host.AddUser(t, "alice")
	host.AddUser(t, "bob")
	const users, secret = "/etc/users.oath", "3132333435363738393031323334353637383930"
	host.WriteFile(t, users, "HOTP/T30/6 alice - "+secret+"\nHOTP/E/6 bob - "+secret+"\n", 0o600)
	host.PAM(t, other, "auth required pam_oath.so usersfile="+users+" window=5 digits=6", "account required pam_permit.so")
	app := host.NewAuthenticator(t, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	hotp := func(counter string) string {
		return strings.TrimSpace(host.Output(t, "oathtool", "--hotp", "--counter", counter, secret))
	}
	used := app.Code()
	otherLogin(t, "alice", `One-time password.*: `, used)
	otherLogin(t, "bob", `One-time password.*: `, hotp("3"))
	report := imports(t, 0, "oath", users, "--apply")
	imported := time.Now().Unix() / 30
	says(t, report, `2 of 2 users were taken over`)
	if in, text := tries(t, "alice", used); in || !strings.Contains(text, "used already") {
		t.Errorf("a code that was used there: in is %v:\n%s", in, text)
	}
	if in, text := tries(t, "bob", hotp("3")); in || !strings.Contains(text, "used already") {
		t.Errorf("a counter that was used there: in is %v:\n%s", in, text)
	}
	if in, text := tries(t, "bob", hotp("4")); !in {
		t.Errorf("the next counter: %s", text)
	}
	if in, text := tries(t, "alice", afterTheMinute(t, app, imported)); !in {
		t.Errorf("a code of after the import: %s", text)
	}
}
