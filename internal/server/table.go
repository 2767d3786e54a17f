package server

import (
	"errors"

	"sallyport/internal/login"
	"sallyport/internal/policy"
	"sallyport/internal/verifier"
)

// table says who may call which method: whoever one of the row's grants holds for. A method without a row is refused.
// (The two methods of org.varlink.service, which describe the interfaces, are the library's; everybody may call them.)
func table() map[string][]grant {
	return map[string][]grant{
		"io.sallyport.Login.Begin":        {verifying()},
		"io.sallyport.Login.Answer":       {begun()},
		"io.sallyport.Login.Verify":       {verifying()},
		"io.sallyport.Login.OpenSession":  {verifying()},
		"io.sallyport.Login.CloseSession": {verifying()},

		"io.sallyport.Account.Status":        {self(), root()},
		"io.sallyport.Account.Enroll":        {self(), enroller()},
		"io.sallyport.Account.Confirm":       {self(), enroller()},
		"io.sallyport.Account.Rename":        {self()},
		"io.sallyport.Account.Forget":        {self(), root()},
		"io.sallyport.Account.Remove":        {self()},
		"io.sallyport.Account.RecoveryCodes": {self()},
		"io.sallyport.Account.Resync":        {self(), root()},

		"io.sallyport.Admin.Rights":      {everybody()},
		"io.sallyport.Admin.Users":       {root(), anyDelegate("list")},
		"io.sallyport.Admin.Disable":     {root(), delegate("disable")},
		"io.sallyport.Admin.Unlock":      {root(), delegate("unlock")},
		"io.sallyport.Admin.Sessions":    {self(), root(), delegate("sessions")},
		"io.sallyport.Admin.EndSession":  {self(), root(), delegate("sessions")},
		"io.sallyport.Admin.Explain":     {root()},
		"io.sallyport.Admin.Policy":      {root()},
		"io.sallyport.Admin.Set":         {root()},
		"io.sallyport.Admin.Clock":       {root(), notified()},
		"io.sallyport.Admin.Reload":      {root()},
		"io.sallyport.Admin.Import":      {root()},
		"io.sallyport.Admin.Export":      {root()},
		"io.sallyport.Admin.Backup":      {root()},
		"io.sallyport.Admin.SealVault":   {root()},
		"io.sallyport.Admin.RekeyVault":  {root()},
		"io.sallyport.Admin.UnsealVault": {root()},
	}
}

// grant is one reason to let a call through.
type grant struct {
	who   string // who has it, for the sentence "only … may"
	admin bool   // it is for others' accounts, and the journal says who did it
	holds func(*Server, *call) (bool, error)
}

func root() grant {
	return grant{"root", true, func(_ *Server, c *call) (bool, error) { return c.peer.UID == 0, nil }}
}

// self is the user whose account it is, by uid: two names of one uid are one person.
func self() grant {
	return grant{"the user itself", false, func(s *Server, c *call) (bool, error) {
		uid, err := s.Users.Lookup(c.subject)
		if errors.Is(err, verifier.ErrUnknownUser) {
			return false, nil
		}
		return err == nil && uid == c.peer.UID, err
	}}
}

// enroller is root where the policy lets admins set up a second factor for somebody else.
func enroller() grant {
	return grant{"root, where the policy says admins_may_enroll,", true, func(s *Server, c *call) (bool, error) {
		return c.peer.UID == 0 && s.Verifier.Policy().AdminsMayEnroll, nil
	}}
}

// delegate is who the policy's delegates let do this to that account.
func delegate(action string) grant {
	return delegating(action, func(s *Server, c *call, name string) (bool, error) {
		return s.Verifier.Policy().Delegate(s.act(name, s.groups(name), c.subject, action))
	})
}

// anyDelegate is who the policy's delegates let do this to any account. The handler sees to it that it is only those.
func anyDelegate(action string) grant {
	return delegating(action, func(s *Server, _ *call, name string) (bool, error) {
		return s.Verifier.Policy().DelegatesTo(name, s.groups(name), action)
	})
}

func delegating(action string, may func(s *Server, c *call, name string) (bool, error)) grant {
	return grant{"a delegate who may \"" + action + "\"", true, func(s *Server, c *call) (bool, error) {
		name, err := s.Users.Name(c.peer.UID)
		if errors.Is(err, verifier.ErrUnknownUser) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return may(s, c, name)
	}}
}

// act is what a user wants to do to another's account.
func (s *Server) act(user string, groups func() ([]string, error), over, action string) policy.Act {
	return policy.Act{User: user, Groups: groups, Over: over, OverGroups: s.groups(over), Action: action, Owner: s.owners.Owner}
}

// groups looks up a user's groups when it is asked to.
func (s *Server) groups(user string) func() ([]string, error) {
	return func() ([]string, error) { return s.Users.Groups(user) }
}

// notified is whom the policy has told at login that the clock is wrong.
func notified() grant {
	return grant{"who is in clock.notify", false, func(s *Server, c *call) (bool, error) {
		name, err := s.Users.Name(c.peer.UID)
		if errors.Is(err, verifier.ErrUnknownUser) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return s.Verifier.Notified(name)
	}}
}

// verifying is who may verify for that user; the verifier judges that for both sockets.
func verifying() grant {
	return grant{"root, login.trusted or the user itself", false, func(s *Server, c *call) (bool, error) {
		r := login.Request{User: c.subject, Service: c.text("service"), RHost: c.text("rhost"), TTY: c.text("tty"), PID: int(c.peer.PID)}
		var err error
		c.login, err = s.Verifier.Admit(c.caller.verifying(), r)
		return err == nil, err
	}}
}

// everybody is for what tells nothing of anybody else.
func everybody() grant {
	return grant{"everybody", false, func(*Server, *call) (bool, error) { return true, nil }}
}

// begun is who began a login on this connection: nobody else speaks on it.
func begun() grant {
	return grant{"who began the login", false, func(*Server, *call) (bool, error) { return true, nil }}
}
