package race

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sallyport/test/burst"
	"sallyport/test/host"
)

// The users, and the addresses from which each logs in at one instant.
const (
	sessionUsers = 50
	addresses    = 8
)

// Of all who come at one instant, as many have a session as the policy allows: with deny the first, with displace the
// newest.
func TestSessionsAtOneInstant(t *testing.T) {
	const pamSessionErr = 14
	for _, test := range []struct {
		excess string
		limit  int
	}{{"deny", 2}, {"displace", 1}} {
		d := host.StartDaemon(t, fmt.Sprintf("[sessions]\nlimit = %d\nexcess = %q\nservices = [\"race1\"]\n", test.limit, test.excess))
		host.PAM(t, "race1", host.Module(t, "session", "required"))
		program := filepath.Join(t.TempDir(), "sessions")
		host.Output(t, "gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-o", program, "testdata/sessions.c", "-lpam")
		people := burst.AddPeople(t, test.excess, sessionUsers)
		for round := range 20 {
			before := len(d.Log())
			opened, refused, end := openSessions(t, program, people)
			if test.excess == "deny" && (len(opened) != test.limit*sessionUsers || refused[pamSessionErr] != (addresses-test.limit)*sessionUsers) ||
				test.excess == "displace" && len(opened) != addresses*sessionUsers {
				t.Fatalf("%s, round %d: %d were opened, and refused %v\n%s", test.excess, round, len(opened), refused, d.Log()[before:])
			}
			left := leaders(t)
			if len(left) != test.limit*sessionUsers {
				t.Fatalf("%s, round %d: %d sessions, want %d", test.excess, round, len(left), test.limit*sessionUsers)
			}
			order := openings(d.Log()[before:])
			for _, p := range people {
				newest := order[p.Name][len(order[p.Name])-test.limit:]
				for _, pid := range newest {
					if !slices.Contains(left, pid) {
						t.Errorf("%s, round %d: the session of process %d, the newest of %s, has ended", test.excess, round, pid, p.Name)
					}
				}
			}
			end()
			host.Eventually(t, "all sessions have ended", func() bool { return len(leaders(t)) == 0 })
		}
		d.Stop()
	}
}

// openSessions has everybody log in from Everywhere, and returns which processes lead a session, how often which other
// status came, and what ends them all.
func openSessions(t *testing.T, program string, people []*burst.Person) (opened []int, refused map[int]int, end func()) {
	t.Helper()
	cmd := exec.Command(program)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(end)
	lines := bufio.NewScanner(stdout)
	line := func() []string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("the program ended early: %v", lines.Err())
		}
		return strings.Fields(lines.Text())
	}
	for i := range addresses {
		for _, p := range people {
			fmt.Fprintf(stdin, "race1 %s 192.0.2.%d\n", p.Name, i+1)
		}
	}
	_, _ = io.WriteString(stdin, "\n") // an error shows as an answer that does not come
	for range addresses * len(people) {
		line()
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	refused = map[int]int{}
	for range addresses * len(people) {
		f := line()
		status, err := strconv.Atoi(f[1])
		pid, err2 := strconv.Atoi(f[2])
		if err != nil || err2 != nil {
			t.Fatalf("not a line of ours: %q", f)
		}
		if status == burst.Success {
			opened = append(opened, pid)
		} else {
			refused[status]++
		}
	}
	return opened, refused, end
}

// leaders are the processes that lead sessions, one each.
func leaders(t *testing.T) []int {
	t.Helper()
	var all []struct {
		Windows []struct {
			PID int `json:"pid"`
		} `json:"windows"`
	}
	out := host.Output(t, host.Build(t).Ctl, "sessions", "--json")
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var pids []int
	for _, s := range all {
		if len(s.Windows) != 1 {
			t.Fatalf("a session of %d windows", len(s.Windows))
		}
		pids = append(pids, s.Windows[0].PID)
	}
	return pids
}

var openedLine = regexp.MustCompile(`session opened: user "([^"]+)".*, process (\d+)`)

// openings are the processes whose sessions were opened, by user, in the order of the log.
func openings(log string) map[string][]int {
	order := map[string][]int{}
	for _, m := range openedLine.FindAllStringSubmatch(log, -1) {
		pid, _ := strconv.Atoi(m[2]) // of digits
		order[m[1]] = append(order[m[1]], pid)
	}
	return order
}
