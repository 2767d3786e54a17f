package verifier

import (
	"errors"
	"io"
	"time"

	"sallyport/internal/login"
	"sallyport/internal/wire"
)

// How long a connection of the module may be idle. A person who types has what sshd's LoginGraceTime may be set to; a
// packet that has begun the exchange must follow the connection at once.
const (
	firstPacketWait = 10 * time.Second
	answerWait      = 15 * time.Minute
	replyWait       = 5 * time.Second
)

// ServePackets serves one connection of the module: one login, account check or session event, from its first packet to
// its verdict. Anything malformed is answered with a denial. The caller closes the connection.
func (v *Verifier) ServePackets(c Caller, conn *wire.Conn) error {
	p, err := conn.Read(time.Now().Add(firstPacketWait))
	if err != nil {
		return v.deny(conn, err)
	}
	req, err := wire.ParseRequest(p)
	if err != nil {
		return v.deny(conn, err)
	}
	r, err := v.Admit(c, request(req))
	if errors.Is(err, ErrNotAllowed) {
		return reply(conn, login.Refuse(login.Denied, "This program may not verify for that user."))
	}
	if err != nil {
		return reply(conn, v.unavailable(r, err))
	}
	switch req.Kind {
	case wire.Begin:
		return v.serveLogin(r, conn)
	case wire.Account:
		return reply(conn, v.Account(r))
	case wire.OpenSession:
		return v.serveOpenSession(c, r, conn)
	case wire.CloseSession:
		return reply(conn, v.CloseSession(c, byPeer(c, r)))
	default:
		return v.deny(conn, errors.New("an answer before the login began"))
	}
}

func (v *Verifier) serveLogin(r login.Request, conn *wire.Conn) error {
	l, step := v.Begin(r)
	for {
		if err := reply(conn, step); err != nil || step.Ask == nil {
			return err
		}
		p, err := conn.Read(time.Now().Add(answerWait))
		if err != nil {
			return v.deny(conn, err)
		}
		req, err := wire.ParseRequest(p)
		if err != nil || req.Kind != wire.Answer {
			return v.deny(conn, errors.Join(errors.New("not an answer"), err))
		}
		step = l.Answer(req.Answer)
	}
}

// serveOpenSession opens a session and says so. Where nobody hears it there is none: the module has gone, or begins again
// with the next verifier.
func (v *Verifier) serveOpenSession(c Caller, r login.Request, conn *wire.Conn) error {
	r = byPeer(c, r)
	err := reply(conn, v.OpenSession(c, r))
	if err != nil {
		v.CloseSession(c, r)
	}
	return err
}

// byPeer has the process at the other end lead the session: the kernel says which it is. What the module says of itself
// is the same, but in a container of its own.
func byPeer(c Caller, r login.Request) login.Request {
	r.PID = int(c.PID)
	return r
}

// deny ends a connection on which something malformed came, and returns what it was. Where the connection has ended, by
// the peer or by a daemon that stops, there is nothing to deny: the module begins again with the next verifier.
func (v *Verifier) deny(conn *wire.Conn, cause error) error {
	if errors.Is(cause, io.EOF) {
		return cause
	}
	return errors.Join(cause, reply(conn, login.Refuse(login.Denied, "")))
}

func reply(conn *wire.Conn, s login.Step) error {
	return conn.Write(packetReply(s).Packet(), time.Now().Add(replyWait))
}

func request(p wire.Request) login.Request {
	return login.Request{
		User: p.User, Service: p.Service, RHost: p.RHost, TTY: p.TTY, PID: p.PID,
		Methods: p.Methods, Split: p.Split, Silent: p.Silent, Resume: p.Resume,
	}
}

func packetReply(s login.Step) wire.Reply {
	r := wire.Reply{Resume: s.Resume, PasswordLength: s.PasswordLength, Busy: s.Busy}
	for _, m := range s.Tell {
		r.Tell = append(r.Tell, wire.Message{Error: m.Error, Text: m.Text})
	}
	if s.Ask != nil {
		r.Ask = &wire.Prompt{Text: s.Ask.Text, Echo: s.Ask.Echo}
		return r
	}
	r.Verdict = wireVerdict(s.Verdict)
	return r
}

// wireVerdict maps by name, not by number: whatever it does not know is a denial.
func wireVerdict(v login.Verdict) wire.Verdict {
	switch v {
	case login.Granted:
		return wire.Granted
	case login.Locked:
		return wire.Locked
	case login.NotRequired:
		return wire.NotRequired
	case login.Unavailable:
		return wire.Unavailable
	case login.AccountRefused:
		return wire.AccountRefused
	case login.SessionRefused:
		return wire.SessionRefused
	default:
		return wire.Denied
	}
}
