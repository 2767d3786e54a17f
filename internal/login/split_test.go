package login

import (
	"testing"

	"sallyport/internal/otp"
	"sallyport/internal/policy"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name     string
		keys     []int // digits of the tokens
		password string
		code     func(p *person) string
		want     Verdict
		length   int // -1: all of the answer
	}{
		{"six digits", []int{6}, "correct horse", func(p *person) string { return p.code(0) }, Granted, 13},
		{"password ends in digits", []int{6}, "horse99", func(p *person) string { return p.code(0) }, Granted, 7},
		{"no password", []int{6}, "", func(p *person) string { return p.code(0) }, Granted, 0},
		{"eight digits", []int{8}, "horse", func(p *person) string { return p.code(0) }, Granted, 5},
		{"two lengths, the longer", []int{6, 8}, "horse", func(p *person) string { return p.tokenCode(1, 0) }, Granted, 5},
		{"two lengths, the shorter", []int{8, 6}, "horse12", func(p *person) string { return p.tokenCode(1, 0) }, Granted, 7},
		{"two lengths, and a blank at the password's end", []int{8, 7}, "correct horse ", func(p *person) string { return p.tokenCode(1, 0) }, Granted, 14},
		{"wrong code", []int{6}, "horse", func(p *person) string { return p.wrongCode() }, Denied, 5},
		{"no code", []int{6}, "correct horse", func(*person) string { return "" }, Denied, -1},
		{"recovery code", []int{6}, "horse", func(p *person) string { return p.enrolWithRecovery() }, Granted, 5},
		{"scratch code", []int{6}, "horse1", func(p *person) string { return p.enrolWithScratch("12345678") }, Granted, 6},
		{"wrong scratch code", []int{6}, "horse", func(p *person) string { p.enrolWithScratch("12345678"); return "a2345679" }, Denied, 7},
		{"not UTF-8", []int{6}, "h\xf8rse", func(p *person) string { return p.code(0) }, Granted, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var keys []otp.Key
			for _, digits := range c.keys {
				keys = append(keys, key(t, otp.TOTP, digits))
			}
			p := enrolledPerson(t, keys...)
			p.req.Split = true
			answer := c.password + c.code(p)
			s := p.login(answer)
			p.want(c.name, s, c.want)
			if c.length < 0 {
				c.length = len(answer)
			}
			if s.PasswordLength != c.length {
				t.Errorf("password of %d bytes, want %d", s.PasswordLength, c.length)
			}
		})
	}
}

// The host would send the same answer again: there is one try in a split login.
func TestSplitHasOneTry(t *testing.T) {
	p := enrolledPerson(t)
	p.req.Split = true
	p.want("wrong", p.login("horse"+p.wrongCode()), Denied)
}

func TestSplitOfAnUnenrolledUserLooksTheSame(t *testing.T) {
	p := newPerson(t, policy.RequireAlways)
	p.req.Split = true
	s := p.login("horse123456")
	p.want("always", s, Denied)
	if s.PasswordLength != 5 {
		t.Errorf("password of %d bytes", s.PasswordLength)
	}
	p = newPerson(t, policy.RequireIfEnrolled)
	p.req.Split = true
	p.want("if-enrolled", p.login(), NotRequired)
}
