package login

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/otp"
	"sallyport/internal/policy"
)

func TestWhoIsNotEnrolled(t *testing.T) {
	later := noon.Add(24 * time.Hour)
	for _, c := range []struct {
		name    string
		require policy.Require
		until   time.Time
		known   bool
		want    Verdict
		prompt  string
	}{
		{"never", policy.RequireNever, time.Time{}, true, NotRequired, ""},
		{"if-enrolled", policy.RequireIfEnrolled, time.Time{}, true, NotRequired, ""},
		{"enroll, optional yet", policy.RequireEnroll, later, true, NotRequired, ""},
		{"enroll", policy.RequireEnroll, time.Time{}, true, Pending, PromptSetup},
		{"enroll, the time is up", policy.RequireEnroll, noon, true, Pending, PromptSetup},
		{"always", policy.RequireAlways, time.Time{}, true, Pending, PromptCode},
		{"enroll, unknown user", policy.RequireEnroll, time.Time{}, false, Pending, PromptCode},
		{"always, unknown user", policy.RequireAlways, time.Time{}, false, Pending, PromptCode},
		{"no policy value", "", time.Time{}, true, Pending, PromptCode},
	} {
		p := newPerson(t, c.require)
		p.Decision.Until, p.req.Known = c.until, c.known
		s := p.login()
		p.want(c.name, s, c.want)
		if s.Ask != nil && s.Ask.Text != c.prompt {
			t.Errorf("%s: asks %q", c.name, s.Ask.Text)
		}
	}
}

func TestReminder(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	p.Decision.Until = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	if got := told(p.login()); !strings.Contains(got, "1 March 2027") || !strings.Contains(got, "sallyportctl enroll") {
		t.Errorf("reminded %q", got)
	}
}

func TestNobodyWithoutEnrolmentGetsInByCodes(t *testing.T) {
	p := newPerson(t, policy.RequireAlways)
	p.want("three codes", p.login("000000", "111111", "222222"), Denied)
	p.want("two more", p.login("333333", "444444"), Locked)
}

var keyLine = regexp.MustCompile(`Key: +([A-Z2-7 ]+)`)

// setUp begins a login that must set up the second factor, and returns its dialogue and the key as a person reads it.
func setUp(t *testing.T, p *person) (*Dialogue, otp.Key) {
	t.Helper()
	d := New(p.req)
	s := d.Begin(&p.Facts)
	p.want("set-up", s, Pending)
	if s.Ask.Text != PromptSetup || !s.SaveRecord || s.Resume == "" {
		t.Fatalf("asks %q, saves %v, resume %q", s.Ask.Text, s.SaveRecord, s.Resume)
	}
	m := keyLine.FindStringSubmatch(told(s))
	if m == nil {
		t.Fatalf("no key in %q", told(s))
	}
	secret, err := otp.ParseSecret(strings.ReplaceAll(m[1], " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return d, otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: secret, Digits: 6, Period: 30 * time.Second}
}

func (p *person) codeOf(k otp.Key, steps int64) string {
	p.t.Helper()
	c, err := k.Code(k.Step(p.Now) + steps)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func TestSetupInsideTheLogin(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	d, k := setUp(t, p)
	if p.Enrolled() {
		t.Error("on before it is confirmed")
	}
	first := p.codeOf(k, 0)
	s := d.Answer(&p.Facts, first)
	p.want("first code", s, Pending)
	if s.Ask.Text != PromptAcknowledge || !s.SaveRecord || !s.SaveAccount || !p.Enrolled() {
		t.Fatalf("asks %q, saves %v %v, enrolled %v", s.Ask.Text, s.SaveRecord, s.SaveAccount, p.Enrolled())
	}
	codes := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindAllString(told(s), -1)
	if len(codes) != otp.RecoveryCodes {
		t.Fatalf("%d recovery codes", len(codes))
	}
	p.want("Enter", d.Answer(&p.Facts, ""), Granted)
	p.want("the code that confirmed", p.login(first), Pending)
	p.want("a recovery code", p.login(codes[3]), Granted)
	p.want("the next code", p.login(p.codeOf(k, 1)), Granted)
}

// cockpit-session writes each message into the journal, and breaks no line of a prompt: secrets are in prompts, which fit.
func TestSetupWhereMessagesAreLogged(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	p.req.Service = "cockpit"
	d := New(p.req)
	s := d.Begin(&p.Facts)
	p.want("set-up", s, Pending)
	key := regexp.MustCompile(`key: ([A-Z2-7 ]+)\. ` + PromptSetup + `$`).FindStringSubmatch(s.Ask.Text)
	if key == nil || len(s.Tell) != 0 {
		t.Fatalf("asks %q, tells %q", s.Ask.Text, told(s))
	}
	secret, err := otp.ParseSecret(strings.ReplaceAll(key[1], " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	k := otp.Key{Kind: otp.TOTP, Algorithm: otp.SHA1, Secret: secret, Digits: 6, Period: 30 * time.Second}
	s = d.Answer(&p.Facts, p.codeOf(k, 0))
	p.want("first code", s, Pending)
	codes := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindAllString(s.Ask.Text, -1)
	if len(codes) != otp.RecoveryCodes || len(s.Tell) != 0 || !strings.HasSuffix(s.Ask.Text, PromptAcknowledge) {
		t.Fatalf("asks %q, tells %q", s.Ask.Text, told(s))
	}
	if len(s.Ask.Text) >= 512 || strings.ContainsAny(s.Ask.Text, "\n█") {
		t.Errorf("a prompt of %d bytes: %q", len(s.Ask.Text), s.Ask.Text)
	}
	p.want("Enter", d.Answer(&p.Facts, ""), Granted)
}

func TestSetupWithAWrongCode(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	d, k := setUp(t, p)
	far := p.codeOf(k, 50)
	p.want("wrong", d.Answer(&p.Facts, far), Pending)
	p.want("wrong", d.Answer(&p.Facts, far), Pending)
	p.want("wrong", d.Answer(&p.Facts, far), Denied)
	if p.Enrolled() {
		t.Error("enrolled by wrong codes")
	}
}

func TestSetupExpires(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	d, k := setUp(t, p)
	p.Now = noon.Add(10 * time.Minute)
	p.want("ten minutes later", d.Answer(&p.Facts, p.codeOf(k, 0)), Denied)
	if p.Enrolled() {
		t.Error("enrolled")
	}
}

// A daemon that restarts in the middle of a set-up does not cost the person the code that was scanned.
func TestSetupResumes(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	_, k := setUp(t, p)
	p.req.Resume = p.Record.Pending.ID
	d := New(p.req)
	s := d.Begin(&p.Facts)
	p.want("begun again", s, Pending)
	if s.Ask.Text != PromptSetup || len(s.Tell) != 0 {
		t.Errorf("asks %q, tells %q", s.Ask.Text, told(s))
	}
	p.want("the first app's code", d.Answer(&p.Facts, p.codeOf(k, 0)), Pending)
	if !p.Enrolled() {
		t.Error("not enrolled")
	}
}

// Whoever begins a set-up may know its secret: a new one never takes it over, and it ends the old one.
func TestSetupIsNotShared(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	old, oldKey := setUp(t, p)
	p.req.Resume = "0123456789abcdef0123456789abcdef"
	d, k := setUp(t, p)
	if k.Secret.Base32() == oldKey.Secret.Base32() {
		t.Fatal("the same secret again")
	}
	p.want("the old one", old.Answer(&p.Facts, p.codeOf(oldKey, 0)), Denied)
	p.want("the new one", d.Answer(&p.Facts, p.codeOf(k, 0)), Pending)
}

func TestProgramsCannotSetUp(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	p.req.Program = true
	s := p.login("123456")
	p.want("a program", s, Denied)
	if p.Record != nil {
		t.Error("a set-up began")
	}
}

// sudo shows no messages: a set-up there would ask for a code of a key that nobody saw.
func TestSilentHost(t *testing.T) {
	p := newPerson(t, policy.RequireEnroll)
	p.req.Silent = true
	s := p.login()
	p.want("not enrolled", s, Pending)
	if !strings.Contains(s.Ask.Text, "sallyportctl enroll") || !strings.HasSuffix(s.Ask.Text, PromptCode) || p.Record != nil {
		t.Errorf("asks %q, set-up begun: %v", s.Ask.Text, p.Record != nil)
	}
	p.want("whatever is typed", p.login("123456", "123456", "123456"), Denied)

	p = enrolledPerson(t)
	p.req.Silent = true
	if s := p.login(); s.Ask.Text != PromptCode {
		t.Errorf("asks %q", s.Ask.Text)
	}
	if s := p.login(p.wrongCode()); s.Ask.Text != "The code is wrong. "+PromptCode {
		t.Errorf("asks %q", s.Ask.Text)
	}
}
