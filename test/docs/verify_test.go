package docs

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/test/host"
)

// callers are the examples of docs/examples that check a code, as command lines.
func callers() map[string][]string {
	return map[string][]string{
		"python": {exampleDir + "/verify.py"},
		"php":    {"php", exampleDir + "/verify.php"},
		"node":   {exampleDir + "/verify.js"},
		"shell":  {exampleDir + "/verify.sh"},
	}
}

// exampleDir is where the packages put the examples.
const exampleDir = "/usr/share/doc/sallyport/examples"

const varlinkSocket = "/run/sallyport/io.sallyport"

// unavailable is what an example says when it could not find out.
const unavailable = "The code cannot be checked at the moment."

// installed puts what make build left where a package puts it, the examples among it.
func installed(t *testing.T) {
	t.Helper()
	root, err := host.Repository()
	if err != nil {
		t.Fatal(err)
	}
	host.Overlay(t, "/usr")
	host.Output(t, "make", "-C", root, "install", "PREFIX=/usr", "SYSTEMDLIB=/usr/lib")
}

// ask is an example that u runs: whether it says that name is to be let in, and what it prints.
func ask(u *user.User, caller []string, name, code string) (bool, string) {
	line := host.As(u, caller[0], append(caller[1:len(caller):len(caller)], name, "panel", "192.0.2.7")...)
	command := host.Command("timeout", append([]string{"60"}, line...)...)
	command.Stdin = strings.NewReader(code + "\n")
	out, _ := command.CombinedOutput() // the status tells
	return command.ProcessState.ExitCode() == 0, string(out)
}

func refused(t *testing.T, what string, u *user.User, caller []string, name, code, text string) {
	t.Helper()
	if in, out := ask(u, caller, name, code); in || !strings.Contains(out, text) {
		t.Errorf("%s: let in: %v; it should be refused with %q, and says:\n%s", what, in, text, out)
	}
}

// TestVerifyExamples has each example check codes against the daemon as a user that the policy trusts, and as one that it
// does not.
func TestVerifyExamples(t *testing.T) {
	installed(t)
	daemon := host.StartDaemon(t, "[login]\ntrusted = [\"panel\"]\n[[rule]]\nservices = [\"panel\"]\nrequire = \"always\"\n")
	panel, mallory := host.AddUser(t, "panel"), host.AddUser(t, "mallory")
	host.AddUser(t, "bob") // has no second factor
	people := map[string]*admin{}
	for kind, caller := range callers() {
		a := &admin{T: t, alice: host.AddUser(t, "alice-"+kind)}
		a.enroll("sallyportctl enroll")
		people[kind] = a
		name := a.alice.Username

		code := a.app.Code()
		refused(t, kind+" of a user who is not trusted", mallory, caller, name, code, unavailable)
		if in, out := ask(panel, caller, name, code); !in || out != "Let in.\n" {
			t.Errorf("%s with a right code: let in: %v; %s", kind, in, out)
		}
		refused(t, kind+" with a used code", panel, caller, name, code, "used already")
		refused(t, kind+" with a wrong code", panel, caller, name, a.app.Wrong(), "wrong")
		refused(t, kind+" without a code", panel, caller, name, "", "")
		refused(t, kind+" for who is not enrolled", panel, caller, "bob", "123456", "")
		refused(t, kind+" for a name that is none", panel, caller, "a/b", "123456", unavailable)
		refused(t, kind+" with a name that holds JSON", panel, caller, `x","user":"`+name, a.app.Code(), "")
		refused(t, kind+" with a name that is not UTF-8", panel, caller, "a\xff", "123456", "")
	}

	host.Freeze(t, daemon.PID())
	denied(t, "a daemon that says nothing", panel, people)
	daemon.Kill()
	denied(t, "no daemon", panel, people)
}

// denied has all examples ask at the same time.
func denied(t *testing.T, what string, panel *user.User, people map[string]*admin) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		for kind, caller := range callers() {
			a := people[kind]
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				refused(t, what, panel, caller, a.alice.Username, "123456", unavailable)
			})
		}
	})
}

// TestVerifyExamplesDoubt has somebody else listen who answers what the daemon never would.
func TestVerifyExamplesDoubt(t *testing.T) {
	installed(t)
	host.Fresh(t, "")
	panel := host.AddUser(t, "panel")
	const granted = `{"parameters":{"verdict":"granted","message":""}}`
	replies := map[string]string{
		"nothing":                 "",
		"half a reply":            `{"parameters":{"verdict":"granted",`,
		"no NUL":                  granted,
		"no JSON":                 "granted\x00",
		"another JSON":            "[]\x00",
		"null":                    "null\x00",
		"a string":                `{"parameters":"granted"}` + "\x00",
		"no verdict":              `{"parameters":{"message":""}}` + "\x00",
		"an unknown verdict":      `{"parameters":{"verdict":"Granted","message":""}}` + "\x00",
		"a list of verdicts":      `{"parameters":{"verdict":["granted"],"message":""}}` + "\x00",
		"a verdict that is true":  `{"parameters":{"verdict":true,"message":""}}` + "\x00",
		"an error with a verdict": `{"error":"io.sallyport.Login.NotAllowed","parameters":{"verdict":"granted","message":""}}` + "\x00",
		"two replies":             granted + granted + "\x00",
		"more than is read":       `{"parameters":{"verdict":"granted","message":"` + strings.Repeat("x", 1<<20) + `"}}` + "\x00",
		"no end":                  strings.Repeat(" ", 1<<20),
	}
	for kind, caller := range callers() {
		if in, _ := answered(t, panel, caller, granted+"\x00"); !in {
			t.Errorf("%s does not let in by %s", kind, granted)
		}
		for what, reply := range replies {
			if in, out := answered(t, panel, caller, reply); in {
				t.Errorf("%s lets in by %s; it says:\n%s", kind, what, out)
			}
		}
	}
}

// answered is an example that is answered once, by reply and the end of the connection.
func answered(t *testing.T, u *user.User, caller []string, reply string) (bool, string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(varlinkSocket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", varlinkSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Chmod(varlinkSocket, 0o666); err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return // the example never came: then it lets nobody in
		}
		defer c.Close()
		request := make([]byte, 4096)
		if n, err := c.Read(request); err == nil && n > 0 {
			_, _ = c.Write([]byte(reply)) // it may have had enough
		}
	}()
	return ask(u, caller, "alice", "123456")
}

// TestExamplesAreClean has each language's own tool look at the examples.
func TestExamplesAreClean(t *testing.T) {
	const dir = "../../docs/examples/"
	looked := 0
	for pattern, tool := range map[string][]string{
		"*.sh":  {"shellcheck"},
		"*.php": {"php", "-l"},
		"*.js":  {"node", "--check"},
		"*.py":  {"/usr/bin/python3", "-W", "error", "-c", `import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")`},
	} {
		files, err := filepath.Glob(dir + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			looked++
			if out, err := exec.Command(tool[0], append(tool[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", fmt.Sprint(tool), err, out)
			}
		}
	}
	if looked < 5 {
		t.Errorf("%d examples were found", looked)
	}
}
