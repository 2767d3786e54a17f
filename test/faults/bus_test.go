package faults

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/burst"
	"sallyport/test/host"
	"sallyport/test/proof"
)

// busSocket is where D-Bus is.
const busSocket = "/run/dbus/system_bus_socket"

// TestSessionsWithoutLogind: whatever is wrong with the bus, a login from elsewhere gets its session, and the one that is
// there ends: the daemon does it by signals.
func TestSessionsWithoutLogind(t *testing.T) {
	table := proof.NewTable("what fails", "the login", "the session that it displaces", "afterwards", "in the log")
	for _, test := range []struct {
		name  string
		begin func(t *testing.T)
		says  string // the log, of logind; empty: nothing, as a host may have none
	}{
		{"D-Bus is away", func(*testing.T) {}, ""},
		{"D-Bus does not answer", silentBus, "logind: no answer within 5s"},
		{"logind is away", busWithoutLogind, "Launch helper"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.begin(t)
			line := displace(t)
			if (line == "") != (test.says == "") || !strings.Contains(line, test.says) {
				t.Errorf("the log says of logind %q, want %q", line, test.says)
			}
			if line != "" {
				line = "`" + line + "`"
			}
			table.Row(test.name, "gets its session", "ends", "the new session is the only one", line)
		})
	}
	if !t.Failed() {
		proof.Keep(t, "logind", table)
	}
}

// silentBus takes connections and says nothing.
func silentBus(t *testing.T) {
	makeBusDirectory(t)
	l, err := net.Listen("unix", busSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() }) // and until then it says nothing
		}
	}()
}

// busWithoutLogind is the real bus, with nobody on it.
func busWithoutLogind(t *testing.T) {
	makeBusDirectory(t)
	host.Start(t, "dbus-daemon", "--system", "--nofork", "--nopidfile", "--address=unix:path="+busSocket)
	host.Eventually(t, "the bus takes connections", func() bool {
		c, err := net.Dial("unix", busSocket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func makeBusDirectory(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(busSocket), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(busSocket)) })
}

var notByLogind = regexp.MustCompile(`session could not be ended through logind.*`)

// displace has one person log in from two places, where one is allowed. It returns what the log says of logind.
func displace(t *testing.T) (line string) {
	t.Helper()
	const service = "seated"
	people := burst.AddPeople(t, "seated", 1)
	d := host.StartDaemon(t, fmt.Sprintf(
		"[sessions]\nlimit = 1\nexcess = \"displace\"\nservices = [%[1]q]\n[[rule]]\nservices = [%[1]q]\nrequire = \"always\"\n", service))
	host.PAM(t, service, host.Module(t, "auth", "required"), host.Module(t, "session", "required"))
	burst.Enrol(t, people...)
	// It stays at the prompt, with its session open.
	first := host.Open(t, host.Command("pamtester", "-I", "rhost=192.0.2.1", service, people[0].Name, "open_session", "authenticate"))
	first.Expect("Verification code: ")
	second := host.Open(t, host.Command("pamtester", "-I", "rhost=192.0.2.2", service, people[0].Name, "open_session", "authenticate"))
	second.Expect("Verification code: ") // so its session is open
	if first.Wait() == 0 {
		t.Errorf("the session that was displaced ended well:\n%s\n%s", first.Text(), d.Log())
	}
	var left []struct{ Source string }
	out := host.Output(t, host.Build(t).Ctl, "sessions", "--json")
	if err := json.Unmarshal([]byte(out), &left); err != nil || len(left) != 1 || left[0].Source != "192.0.2.2" {
		t.Errorf("the sessions are %s, %v", out, err)
	}
	second.Close()
	line = notByLogind.FindString(d.Log())
	return processNumber.ReplaceAllString(strings.NewReplacer(people[0].Name, "alice", service, "SERVICE").Replace(line), "process …")
}
