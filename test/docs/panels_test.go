package docs

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/test/host"
)

// panels follows docs/panels.md, top to bottom.
type panels struct {
	*admin
	policies []string // the files of the page that are not written yet
	request  string   // the page's first message
	gate     *host.Process
	nginx    *host.Process
}

// shopPassword is alice's, as nginx knows it.
const shopPassword = "open sesame"

// TestPanelsPage runs every command of docs/panels.md in its order, and then logs in through nginx.
func TestPanelsPage(t *testing.T) {
	p := newPanels(t)
	const page = "../../docs/panels.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	p.policies = regexp.MustCompile("/etc/sallyport/sallyport.d/[a-z-]+.toml").FindAllString(string(text), -1)
	kinds := map[string]func([]string){"sh": p.commands, "toml": p.dropIn, "json": p.message, "varlinkctl": p.varlinkctl, "nginx": p.server}
	for _, part := range parts(t, page) {
		do, known := kinds[part.kind]
		if !known {
			t.Fatalf("nothing is done about a block of %q", part.kind)
		}
		t.Log(strings.Join(part.lines, "\n"))
		do(part.lines)
	}
	if len(p.policies) > 0 || p.request == "" {
		t.Errorf("the page names files that it does not show: %q", p.policies)
	}
	p.logInThroughNginx()
}

// newPanels is a host with the packages' files on it, and alice, whose phone and recovery codes are at hand.
func newPanels(t *testing.T) *panels {
	t.Helper()
	installed(t)
	host.Fresh(t, "")
	p := &panels{admin: &admin{T: t, alice: host.AddUser(t, "alice")}}
	p.daemon = host.Start(t, "/usr/sbin/sallyportd")
	host.Eventually(t, "sallyportd is ready", host.DaemonAnswers)
	p.enroll("sallyportctl enroll")
	return p
}

// steps are the commands that cannot run as they are: there is no systemd as PID 1 in the private host, and the packages
// are there.
func (p *panels) steps() map[string]func(string) {
	return map[string]func(string){
		"apt-get install --yes nginx python3":                      func(string) { host.Output(p, "which", "nginx", "python3") },
		"systemctl reload sallyportd":                              p.reload,
		"systemctl daemon-reload":                                  p.verifyGate,
		"systemctl enable --now sallyport-gate":                    p.startGate,
		"nginx -t":                                                 p.testNginx,
		"systemctl reload nginx":                                   p.startNginx,
		`echo "alice:$(openssl passwd -6)" >>/etc/nginx/passwords`: p.nginxPassword,
	}
}

// plain are the programs whose commands run as they stand on the page.
var plain = regexp.MustCompile(`^(useradd|install|chown|chmod|sallyportctl) `)

func (p *panels) commands(lines []string) {
	p.Helper()
	steps := p.steps()
	for _, line := range lines {
		step, special := steps[line]
		switch {
		case special:
			step(line)
		case strings.HasPrefix(line, "echo 123456 | runuser -u panel -- "):
			p.check(line)
		case plain.MatchString(line):
			if name, ok := strings.CutPrefix(line, "useradd "); ok {
				name = name[strings.LastIndexByte(name, ' ')+1:]
				p.Cleanup(func() { host.Output(p, "userdel", name) })
			}
			p.run(line)
		default:
			p.Errorf("no test runs %q", line)
		}
	}
}

// check runs an example with a code of alice's, and once more with the same.
func (p *panels) check(line string) {
	p.Helper()
	line = strings.Replace(line, "123456", p.recoveryCode(), 1)
	p.run(line)
	if out, err := host.Command("/bin/sh", "-c", line).CombinedOutput(); err == nil {
		p.Errorf("%s: a code is good twice:\n%s", line, out)
	}
}

func (p *panels) dropIn(lines []string) {
	p.Helper()
	if len(p.policies) == 0 {
		p.Fatal("the page does not say where that policy belongs")
	}
	path := p.policies[0]
	p.policies = p.policies[1:]
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.Fatal(err)
	}
	host.WriteFile(p, path, strings.Join(lines, "\n")+"\n", 0o644)
}

// message sends the page's request, and compares the answer with the page's.
func (p *panels) message(lines []string) {
	p.Helper()
	text := strings.Join(lines, " ")
	if p.request == "" {
		p.request = text
		return
	}
	c, err := net.Dial("unix", varlinkSocket)
	if err != nil {
		p.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(host.Patience)); err != nil {
		p.Fatal(err)
	}
	if _, err := c.Write([]byte(strings.Replace(p.request, "123456", p.recoveryCode(), 1) + "\x00")); err != nil {
		p.Fatal(err)
	}
	reply := make([]byte, 4096)
	n, err := c.Read(reply)
	if err != nil || n == 0 || reply[n-1] != 0 {
		p.Fatalf("it answers %q, %v", reply[:n], err)
	}
	var got, want any
	if err := json.Unmarshal(reply[:n-1], &got); err != nil {
		p.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		p.Fatal(err)
	}
	delete(got.(map[string]any)["parameters"].(map[string]any), "message") // says that a recovery code is gone
	delete(want.(map[string]any)["parameters"].(map[string]any), "message")
	if !reflect.DeepEqual(got, want) {
		p.Errorf("it answers %s, and the page says %s", reply[:n-1], text)
	}
}

// varlinkctl runs the page's line. Where systemd has no varlinkctl yet, a script sends what it would send.
func (p *panels) varlinkctl(lines []string) {
	p.Helper()
	if _, err := os.Stat("/usr/bin/varlinkctl"); err != nil {
		host.WriteFile(p, "/usr/bin/varlinkctl", `#!/bin/sh
[ "$1" = call ] && [ $# -eq 3 ] || exit 2
{ jq -cj --arg method "$3" '{method: $method, parameters: .}'; printf '\0'; } | socat -t 10 - "UNIX-CONNECT:$2" | tr -d '\0' | jq .parameters
`, 0o755)
	}
	for _, line := range lines {
		out := host.Output(p, "/bin/sh", "-c", strings.Replace(line, "123456", p.recoveryCode(), 1))
		if !strings.Contains(out, `"verdict": "granted"`) && !strings.Contains(out, `"verdict" : "granted"`) {
			p.Errorf("%s:\n%s", line, out)
		}
	}
}
