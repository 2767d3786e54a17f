package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sallyport/test/host"
)

const (
	gateUnit = "/etc/systemd/system/sallyport-gate.service"
	site     = "/etc/nginx/sites-enabled/default"
	treasure = "what is behind both doors"
)

func (p *panels) verifyGate(string) {
	p.Helper()
	host.Output(p, "systemd-analyze", "verify", "--man=no", gateUnit)
}

// startGate starts the gate as its unit says.
func (p *panels) startGate(string) {
	p.Helper()
	unit, err := os.ReadFile(gateUnit)
	if err != nil {
		p.Fatal(err)
	}
	says := func(key string) string {
		found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(string(unit))
		if found == nil {
			p.Fatalf("the unit has no %s", key)
		}
		return found[1]
	}
	dir := "/run/" + says("RuntimeDirectory")
	host.Output(p, "install", "-d", "-m", says("RuntimeDirectoryMode"), "-o", says("User"), "-g", says("Group"), dir)
	command := append([]string{"--reuid", says("User"), "--regid", says("Group"), "--clear-groups"}, strings.Fields(says("ExecStart"))...)
	p.gate = host.Start(p, "setpriv", command...)
	host.Eventually(p, "the gate listens", func() bool {
		_, err := os.Stat(dir + "/socket")
		return err == nil || !p.gate.Running()
	})
	if !p.gate.Running() {
		p.Fatalf("the gate ended:\n%s", p.gate.Log())
	}
}

// nginxPassword is the page's line at a terminal, where openssl asks.
func (p *panels) nginxPassword(line string) {
	p.Helper()
	x := host.Open(p, host.Command("/bin/sh", "-c", line))
	x.Answer("Password: ", shopPassword)
	x.Answer("Verifying.*: ", shopPassword)
	p.ended(x)
}

// server puts the page's line into the server of a site with a certificate.
func (p *panels) server(lines []string) {
	p.Helper()
	host.Overlay(p, "/var/www")
	host.Output(p, "mkdir", "-p", "/var/www/html", "/var/log/nginx", "/var/lib/nginx")
	host.WriteFile(p, "/var/www/html/index.html", treasure, 0o644)
	host.Output(p, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=panel.test",
		"-addext", "subjectAltName=DNS:panel.test", "-keyout", "/etc/nginx/key", "-out", "/etc/nginx/certificate")
	host.WriteFile(p, site, fmt.Sprintf(`server {
	listen 127.0.0.1:443 ssl;
	server_name panel.test;
	ssl_certificate /etc/nginx/certificate;
	ssl_certificate_key /etc/nginx/key;
	%s
}
`, strings.Join(lines, "\n")), 0o644)
}

func (p *panels) testNginx(line string) {
	p.Helper()
	p.run(line)
}

func (p *panels) startNginx(string) {
	p.Helper()
	p.nginx = host.Start(p, "nginx", "-g", "daemon off;")
	host.Eventually(p, "nginx answers", func() bool {
		return !p.nginx.Running() || exec.Command("curl", "-ks", "https://127.0.0.1/").Run() == nil
	})
	if !p.nginx.Running() {
		p.Fatalf("nginx ended:\n%s", p.nginx.Log())
	}
}

// browser is curl with a person's password and cookies.
type browser struct {
	*panels
	who string // user:password
	jar string
}

func (p *panels) browser(who string) *browser {
	return &browser{panels: p, who: who, jar: filepath.Join(p.TempDir(), "cookies")}
}

// answer is one answer of the server.
type answer struct{ status, location, text string }

// get asks for a path; more goes to curl.
func (b *browser) get(path string, more ...string) answer {
	b.Helper()
	args := []string{"-sS", "--max-time", "60", "--cacert", "/etc/nginx/certificate", "--resolve", "panel.test:443:127.0.0.1",
		"-b", b.jar, "-c", b.jar, "-w", "\n%{http_code} %header{location}"}
	if b.who != "" {
		args = append(args, "-u", b.who)
	}
	out := host.Output(b, "curl", append(append(args, more...), "https://panel.test"+path)...)
	at := strings.LastIndexByte(out, '\n')
	status, location, _ := strings.Cut(out[at+1:], " ")
	return answer{status, strings.TrimPrefix(location, "https://panel.test"), out[:at]}
}

// give sends the form, as the browser does.
func (b *browser) give(path, code string) answer {
	b.Helper()
	return b.get(path, "-H", "Origin: https://panel.test", "--data-urlencode", "code="+code)
}

// is compares an answer's beginning with what it should be, such as "302 /sallyport/code".
func (p *panels) is(what string, got answer, status, location, text string) {
	p.Helper()
	if got.status != status || got.location != location || !strings.Contains(got.text, text) {
		p.Errorf("%s: %s to %q; want %s to %q and %q. It says:\n%s", what, got.status, got.location, status, location, text, got.text)
	}
	if status != "200" && strings.Contains(got.text, treasure) {
		p.Errorf("%s: it shows what it should protect", what)
	}
}

// logInThroughNginx is alice at her browser, and what others may try.
func (p *panels) logInThroughNginx() {
	p.Helper()
	const form = "/sallyport/code?back=/index.html?x=1&y=2"
	alice := p.browser("alice:" + shopPassword)
	p.is("without a password", p.browser("").get("/"), "401", "", "")
	p.is("with a wrong one", p.browser("alice:wrong").get(form), "401", "", "")
	p.is("without a code", alice.get("/index.html?x=1&y=2"), "302", form, "")
	p.is("the form", alice.get(form), "200", "", `name="code"`)
	p.is("the check itself", alice.get("/sallyport/check"), "404", "", "")
	p.is("a wrong code", alice.give(form, p.app.Wrong()), "403", "", "wrong")
	p.is("and no cookie", alice.get("/"), "302", "/sallyport/code?back=/", "")

	code := p.app.Code()
	p.is("a right code from another page", alice.get(form, "-H", "Origin: https://evil.test", "-d", "code="+code), "403", "", "")
	p.is("a right code", alice.give(form, code), "303", "/index.html?x=1&y=2", "")
	p.is("then", alice.get("/index.html?x=1&y=2"), "200", "", treasure)
	p.is("a used code", p.browser("alice:"+shopPassword).give(form, code), "403", "", "used already")
	p.is("a page elsewhere", p.browser("alice:"+shopPassword).give("/sallyport/code?back=//evil.test/", p.recoveryCode()), "303", "/", "")

	p.othersTakeTheCookie(alice)
	p.doorsAway(alice)
}

// othersTakeTheCookie has it used with another password, without one, and changed.
func (p *panels) othersTakeTheCookie(alice *browser) {
	p.Helper()
	data, err := os.ReadFile(alice.jar)
	if err != nil {
		p.Fatal(err)
	}
	taken := regexp.MustCompile(`__Host-sallyport\t([0-9]+)\.([0-9a-f]{64})\n`).FindStringSubmatch(string(data))
	if taken == nil {
		p.Fatalf("no cookie:\n%s", data)
	}
	host.Output(p, "/bin/sh", "-c", `sed s/^alice/bob/ /etc/nginx/passwords >/etc/nginx/more && cat /etc/nginx/more >>/etc/nginx/passwords`)
	cookie := func(who, value string, more ...string) answer {
		return p.browser(who).get("/", append(more, "-H", "Cookie: __Host-sallyport="+value)...)
	}
	good := taken[1] + "." + taken[2]
	const form = "/sallyport/code?back=/"
	p.is("the cookie as it is", cookie(alice.who, good), "200", "", treasure)
	p.is("without a password", cookie("", good), "401", "", "")
	p.is("bob with alice's cookie", cookie("bob:"+shopPassword, good), "302", form, "")
	p.is("bob who says that he is alice", cookie("bob:"+shopPassword, good, "-H", "X-Gate-User: alice"), "302", form, "")
	p.is("a later end", cookie(alice.who, "9"+taken[1]+"."+taken[2]), "302", form, "")
	p.is("another proof", cookie(alice.who, taken[1]+"."+strings.Repeat("0", 64)), "302", form, "")
	p.is("no proof", cookie(alice.who, taken[1]), "302", form, "")
	p.is("two of them", cookie(alice.who, taken[1]+"."+taken[2]+taken[2]), "302", form, "")
}

// TestGateCookieEnds: eight hours are over, and the cookie with them.
func TestGateCookieEnds(t *testing.T) {
	const program = `
import time, gate
for seconds, good in ((60, True), (-1, False)):
    g = gate.Gate.__new__(gate.Gate)
    g.headers = {"X-Gate-User": "alice", "Cookie": f"{gate.COOKIE}={gate.sealed('alice', int(time.time()) + seconds)}"}
    assert g.known() is good, seconds
`
	installed(t)
	host.Output(t, "env", "PYTHONPATH="+exampleDir, "/usr/bin/python3", "-c", program)
}

// doorsAway stops the daemon, and then the gate: nobody comes in.
func (p *panels) doorsAway(alice *browser) {
	p.Helper()
	p.daemon.Kill()
	p.is("without the daemon", p.browser(alice.who).give("/sallyport/code", p.recoveryCode()), "403", "", unavailable)
	p.gate.Kill()
	p.is("without the gate", alice.get("/"), "500", "", "")
}
