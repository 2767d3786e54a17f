package wire

import (
	"encoding/binary"
	"fmt"
)

// Verdict ends a connection.
type Verdict byte

// The verdicts, and what the module makes of them where the request was one that they can answer.
const (
	Granted        Verdict = 1 // PAM_SUCCESS
	Denied         Verdict = 2 // PAM_AUTH_ERR
	Locked         Verdict = 3 // PAM_MAXTRIES
	NotRequired    Verdict = 4 // PAM_IGNORE
	Unavailable    Verdict = 5 // PAM_AUTHINFO_UNAVAIL
	AccountRefused Verdict = 6 // PAM_PERM_DENIED
	SessionRefused Verdict = 7 // PAM_SESSION_ERR
)

func (v Verdict) String() string {
	switch v {
	case Granted:
		return "granted"
	case Denied:
		return "denied"
	case Locked:
		return "locked"
	case NotRequired:
		return "not required"
	case Unavailable:
		return "unavailable"
	case AccountRefused:
		return "account refused"
	case SessionRefused:
		return "session refused"
	}
	return fmt.Sprintf("verdict %d", byte(v))
}

// Message is one line for the person who logs in.
type Message struct {
	Error bool
	Text  string
}

// Prompt is a question. Where Echo is false the answer is not shown as it is typed.
type Prompt struct {
	Text string
	Echo bool
}

// Reply is what the verifier sends: messages, then a question or, where Ask is nil, the verdict.
type Reply struct {
	Tell    []Message
	Ask     *Prompt
	Resume  string // with Ask: to be given back by who has to begin again
	Verdict Verdict
	// PasswordLength is, with a verdict, how many bytes of the last answer are the password; -1: this is not said.
	PasswordLength int
	Busy           bool // with Unavailable: another process is the verifier
}

// Packet is r as a packet; whether r keeps the bounds shows when it is encoded.
func (r Reply) Packet() Packet {
	p := Packet{Kind: Final}
	if r.Ask != nil {
		p.Kind = Ask
	}
	for _, m := range r.Tell {
		tag := TagInfo
		if m.Error {
			tag = TagError
		}
		p.put(tag, []byte(m.Text))
	}
	if r.Ask != nil {
		tag := TagHidden
		if r.Ask.Echo {
			tag = TagShown
		}
		p.put(tag, []byte(r.Ask.Text))
		p.putText(TagResume, r.Resume)
		return p
	}
	p.put(TagVerdict, []byte{byte(r.Verdict)})
	if r.PasswordLength >= 0 {
		p.put(TagPassword, binary.BigEndian.AppendUint16(nil, uint16(min(r.PasswordLength, MaxAnswer+1))))
	}
	p.putFlag(TagBusy, r.Busy)
	return p
}

// ParseReply reads a packet that a verifier sent.
func ParseReply(p Packet) (Reply, error) {
	if p.Kind != Ask && p.Kind != Final {
		return Reply{}, fmt.Errorf("wire: %s from a verifier: %w", p.Kind, ErrMalformed)
	}
	r := Reply{PasswordLength: -1}
	for _, f := range p.Fields {
		switch f.Tag {
		case TagInfo, TagError:
			r.Tell = append(r.Tell, Message{Error: f.Tag == TagError, Text: string(f.Value)})
		case TagHidden, TagShown:
			r.Ask = &Prompt{Text: string(f.Value), Echo: f.Tag == TagShown}
		case TagResume:
			r.Resume = string(f.Value)
		case TagVerdict:
			r.Verdict = Verdict(f.Value[0])
		case TagPassword:
			r.PasswordLength = int(binary.BigEndian.Uint16(f.Value))
		case TagBusy:
			r.Busy = true
		}
	}
	return r, nil
}
