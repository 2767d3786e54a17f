package crash

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"sallyport/test/host"
	"sallyport/test/system"
)

// person is what one user was told before the power was cut.
type person struct {
	*system.Person
	uid      uint32   // in the guest; 0: nobody asked
	hotp     string   // the key of a device that counts, in base32; "": the device goes by the clock
	counter  int      // of the next code
	used     []string // codes whose use was acknowledged; the first one set the device up
	recovery []string // codes that nobody has sent
}

// live sets a second factor up and logs in with its codes until the power fails. told is called whenever something was
// acknowledged.
func (p *person) live(t *testing.T, g *system.Guest, told func()) {
	if !p.setUp(t, g, "totp") {
		return
	}
	told()
	code := p.code(t)
	for range 3 { // no more: a check that is refused counts, and five lock
		if !p.use(g, code) {
			return
		}
		told()
		code, p.recovery = p.recovery[0], p.recovery[1:]
	}
}

// setUp reports whether a device was set up.
func (p *person) setUp(t *testing.T, g *system.Guest, kind string) bool {
	out, err := g.Command(p.As("sallyportctl enroll --no-confirm --kind " + kind)).Output()
	key := regexp.MustCompile(`Key: +((?:[A-Z2-7]{1,4} ?)+)\n`).FindStringSubmatch(string(out))
	id := regexp.MustCompile(`sallyportctl confirm ([0-9a-f]+)`).FindStringSubmatch(string(out))
	if err != nil || key == nil || id == nil {
		return false
	}
	if p.App = host.NewAuthenticator(t, key[1]); kind == "hotp" {
		p.hotp = strings.ReplaceAll(key[1], " ", "")
	}
	first := p.code(t)
	confirm := g.Command(p.As("sallyportctl confirm " + id[1]))
	confirm.Stdin = strings.NewReader(first + "\n")
	if out, err = confirm.Output(); err != nil {
		return false
	}
	p.used = append(p.used, first)
	p.recovery = regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`).FindAllString(string(out), -1)
	return true
}

// code is the device's next one.
func (p *person) code(t *testing.T) string {
	if p.hotp == "" {
		return p.App.Code()
	}
	counter := strconv.Itoa(p.counter)
	p.counter++
	return strings.TrimSpace(host.Output(t, "oathtool", "--hotp", "--base32", "--counter", counter, "--", p.hotp))
}

// use reports whether a code got the person in.
func (p *person) use(g *system.Guest, code string) bool {
	verify := g.Command("sallyportctl verify " + p.Name)
	verify.Stdin = strings.NewReader(code + "\n")
	if verify.Run() != nil {
		return false
	}
	p.used = append(p.used, code)
	return true
}

// check holds what the person was told against what is so after the cut, and returns how much that was.
func (p *person) check(t *testing.T, g *system.Guest) int {
	t.Helper()
	status, acknowledged := g.Run(p.As("sallyportctl status")), len(p.used)
	if acknowledged == 0 {
		return 0
	}
	if !strings.Contains(status, "phone") {
		t.Errorf("%s has set up a phone, and it is gone:\n%s", p.Name, status)
	}
	for i, code := range p.used[:acknowledged:acknowledged] {
		if p.use(g, code) {
			t.Errorf("code %d of %s worked before the cut and again after it", i, p.Name)
		}
	}
	if len(p.recovery) > 0 && !p.use(g, p.recovery[len(p.recovery)-1]) {
		t.Errorf("an unused recovery code of %s does not work", p.Name)
	}
	return acknowledged
}
