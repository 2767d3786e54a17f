package verifier

import (
	"errors"
	"net/netip"

	"sallyport/internal/audit"
	"sallyport/internal/login"
)

// Caller is who asks for a login to be verified.
type Caller struct {
	UID uint32
	PID int32
}

// ErrNotAllowed says that the caller may not verify for this user.
var ErrNotAllowed = errors.New("not allowed")

// Admit completes a request with what the host knows of the user, and says whether the caller may verify for it: root,
// who the policy trusts, and everybody for itself (DESIGN §6). It fails with ErrNotAllowed, or because the user
// database did not answer.
func (v *Verifier) Admit(c Caller, r login.Request) (login.Request, error) {
	r.RHost = oneForm(r.RHost)
	uid, err := v.Recent.Lookup(r.User)
	switch {
	case errors.Is(err, ErrUnknownUser):
	case err != nil:
		return r, err
	default:
		r.UID, r.Known = uid, true
	}
	if c.UID == 0 {
		return r, nil
	}
	if trusted, err := v.Trusted(c.UID); err != nil || trusted {
		return r, err
	}
	if r.Known && r.UID == c.UID {
		r.Self = true
		return r, nil
	}
	v.Audit.Record(audit.Event{
		Kind: audit.AccessRefused, User: r.User, Service: r.Service, UID: c.UID, PID: int(c.PID), Reason: "may verify for itself only", Asker: c.UID,
	})
	return r, ErrNotAllowed
}

// oneForm writes an IPv4 address in the usual way: who listens on [::], as Cockpit does, has ::ffff:192.0.2.7 where sshd has
// 192.0.2.7, and a host is one source for wrong codes and sessions.
func oneForm(rhost string) string {
	if addr, err := netip.ParseAddr(rhost); err == nil && addr.Is4In6() {
		return addr.Unmap().String()
	}
	return rhost
}

// Trusted reports whether the policy's login.trusted names the user with this uid.
func (v *Verifier) Trusted(uid uint32) (bool, error) {
	members := v.policy.Load().Login.Trusted
	if len(members) == 0 {
		return false, nil
	}
	name, err := v.Recent.Name(uid)
	if errors.Is(err, ErrUnknownUser) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return members.Include(name, func() ([]string, error) { return v.Recent.Groups(name) })
}

// Login is a login in progress.
type Login struct {
	v   *Verifier
	req login.Request
	d   *login.Dialogue
}

// Begin begins the login of an admitted request.
func (v *Verifier) Begin(r login.Request) (*Login, login.Step) {
	l := &Login{v: v, req: r, d: login.New(r)}
	return l, v.judge(r, l.d.Begin)
}

// Answer goes on with what was typed.
func (l *Login) Answer(answer string) login.Step {
	return l.v.judge(l.req, func(f *login.Facts) login.Step { return l.answer(f, answer) })
}

func (l *Login) answer(f *login.Facts, answer string) login.Step {
	s := l.d.Answer(f, answer)
	if s.Missed {
		l.v.refused(f, answer)
	}
	return s
}

// Verify is a whole login of a program that holds the code already: both its steps, on the same facts.
func (v *Verifier) Verify(r login.Request, code string) login.Step {
	r.Program = true
	l := &Login{v: v, req: r, d: login.New(r)}
	return v.judge(r, func(f *login.Facts) login.Step {
		first := l.d.Begin(f)
		if first.Ask == nil {
			return first
		}
		return l.answer(f, code)
	})
}

// Account answers PAM's account phase.
func (v *Verifier) Account(r login.Request) login.Step {
	return v.judge(r, func(f *login.Facts) login.Step { return login.Account(r, f) })
}
