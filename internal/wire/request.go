package wire

import (
	"encoding/binary"
	"fmt"
)

// Request is what a module sends. Answer is set with kind Answer only, and everything else with the other kinds only.
// However it is printed, the answer is not.
type Request struct {
	Kind    Kind
	User    string
	Service string
	RHost   string // empty: the login is local
	TTY     string
	PID     int
	Methods []string // what sshd has accepted already, such as "publickey"
	Split   bool     // password and code come in one answer
	Silent  bool     // the host wants no messages
	Given   bool     // the handle has been granted a login
	Resume  string   // what an earlier reply said, when the login begins again
	Answer  string
}

// Format keeps the answer out of every printed form.
func (r Request) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "%s(user %q, service %q, rhost %q)", r.Kind, r.User, r.Service, r.RHost)
}

// Packet is r as a packet; whether r keeps the bounds shows when it is encoded.
func (r Request) Packet() Packet {
	p := Packet{Kind: r.Kind}
	if r.Kind == Answer {
		p.put(TagAnswer, []byte(r.Answer))
		return p
	}
	p.putText(TagUser, r.User)
	p.putText(TagService, r.Service)
	p.putText(TagRHost, r.RHost)
	p.putText(TagTTY, r.TTY)
	p.put(TagPID, binary.BigEndian.AppendUint32(nil, uint32(r.PID)))
	for _, m := range r.Methods {
		p.put(TagMethod, []byte(m))
	}
	p.putFlag(TagSplit, r.Split)
	p.putFlag(TagSilent, r.Silent)
	p.putFlag(TagGiven, r.Given)
	p.putText(TagResume, r.Resume)
	return p
}

// ParseRequest reads a packet that a module sent. Bounds and characters are as the package comment has them.
func ParseRequest(p Packet) (Request, error) {
	switch p.Kind {
	case Begin, Answer, Account, OpenSession, CloseSession:
	default:
		return Request{}, fmt.Errorf("wire: %s from a module: %w", p.Kind, ErrMalformed)
	}
	r := Request{Kind: p.Kind}
	for _, f := range p.Fields {
		switch f.Tag {
		case TagUser:
			r.User = string(f.Value)
		case TagService:
			r.Service = string(f.Value)
		case TagRHost:
			r.RHost = string(f.Value)
		case TagTTY:
			r.TTY = string(f.Value)
		case TagPID:
			r.PID = int(binary.BigEndian.Uint32(f.Value))
		case TagMethod:
			r.Methods = append(r.Methods, string(f.Value))
		case TagSplit:
			r.Split = true
		case TagSilent:
			r.Silent = true
		case TagGiven:
			r.Given = true
		case TagResume:
			r.Resume = string(f.Value)
		case TagAnswer:
			r.Answer = string(f.Value)
		}
	}
	return r, nil
}
