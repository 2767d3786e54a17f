package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Bounds of a packet and of what it carries, in bytes but for MaxMethods and MaxMessages.
const (
	Version     = 1
	MaxPacket   = 16 << 10
	MaxUser     = 255 // LOGIN_NAME_MAX less its NUL
	MaxService  = 64
	MaxRHost    = 255 // a domain name, RFC 1035 §2.3.4
	MaxTTY      = 64
	MaxMethods  = 16
	MaxAnswer   = 512 // PAM_MAX_RESP_SIZE
	MaxText     = 511 // PAM_MAX_MSG_SIZE less its NUL
	MaxResume   = 512
	MaxMessages = 256
)

const (
	headerSize = 2 // version, kind
	fieldSize  = 3 // tag, length
)

// ErrMalformed is what every error of Decode, ParseRequest and ParseReply is. None of them quotes a value.
var ErrMalformed = errors.New("malformed packet")

// Kind says what a packet is.
type Kind byte

// The kinds: the first five come from the module, the last two from the verifier.
const (
	Begin        Kind = 0x01
	Answer       Kind = 0x02
	Account      Kind = 0x03
	OpenSession  Kind = 0x04
	CloseSession Kind = 0x05
	Ask          Kind = 0x41
	Final        Kind = 0x42
)

func (k Kind) String() string {
	switch k {
	case Begin:
		return "begin"
	case Answer:
		return "answer"
	case Account:
		return "account"
	case OpenSession:
		return "open-session"
	case CloseSession:
		return "close-session"
	case Ask:
		return "ask"
	case Final:
		return "final"
	}
	return fmt.Sprintf("kind 0x%02x", byte(k))
}

// Field is one field of a packet. However it is printed, its value is not.
type Field struct {
	Tag   Tag
	Value []byte
}

// Format keeps the value, which may be an answer, out of every printed form.
func (f Field) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%s(%d bytes)", f.Tag, len(f.Value)) }

// Packet is one packet, its fields in the order of sending.
type Packet struct {
	Kind   Kind
	Fields []Field
}

// Encode gives the packet's bytes. It refuses what Decode would refuse, so nothing malformed is ever sent.
func (p Packet) Encode() ([]byte, error) {
	b := []byte{Version, byte(p.Kind)}
	for _, f := range p.Fields {
		if len(f.Value) > MaxPacket {
			return nil, fmt.Errorf("wire: %s of %d bytes in %s: %w", f.Tag, len(f.Value), p.Kind, ErrMalformed)
		}
		b = append(b, byte(f.Tag))
		b = binary.BigEndian.AppendUint16(b, uint16(len(f.Value)))
		b = append(b, f.Value...)
	}
	if _, err := Decode(b); err != nil {
		return nil, err
	}
	return b, nil
}

// Decode reads one packet strictly, by the table of the package comment. Fields that may be skipped and are not known
// are left out of what it returns. The packet keeps no part of b.
func Decode(b []byte) (Packet, error) {
	if len(b) < headerSize || len(b) > MaxPacket {
		return Packet{}, fmt.Errorf("wire: %d bytes, should be %d to %d: %w", len(b), headerSize, MaxPacket, ErrMalformed)
	}
	if b[0] != Version {
		return Packet{}, fmt.Errorf("wire: version %d, should be %d: %w", b[0], Version, ErrMalformed)
	}
	p := Packet{Kind: Kind(b[1])}
	rest := bytes.Clone(b[headerSize:])
	for len(rest) > 0 {
		f, after, err := cutField(rest)
		if err != nil {
			return Packet{}, fmt.Errorf("wire: %s: %w", p.Kind, err)
		}
		rest = after
		known, err := p.check(f)
		if err != nil {
			return Packet{}, fmt.Errorf("wire: %s: %w", p.Kind, err)
		}
		if known {
			p.Fields = append(p.Fields, f)
		}
	}
	if err := p.complete(); err != nil {
		return Packet{}, fmt.Errorf("wire: %s: %w", p.Kind, err)
	}
	return p, nil
}

// cutField takes the first field off b, which is not empty.
func cutField(b []byte) (f Field, rest []byte, err error) {
	if len(b) < fieldSize {
		return Field{}, nil, fmt.Errorf("%d bytes after the last field: %w", len(b), ErrMalformed)
	}
	f.Tag = Tag(b[0])
	size := int(binary.BigEndian.Uint16(b[1:]))
	b = b[fieldSize:]
	if size > len(b) {
		return Field{}, nil, fmt.Errorf("%s of %d bytes where %d are left: %w", f.Tag, size, len(b), ErrMalformed)
	}
	f.Value = b[:size:size]
	return f, b[size:], nil
}

// check says whether f, which comes after the fields that p has, is known and may be there.
func (p Packet) check(f Field) (known bool, err error) {
	r, known := f.Tag.rule()
	if !known {
		if f.Tag.skippable() {
			return false, nil
		}
		return false, fmt.Errorf("%s: %w", f.Tag, ErrMalformed)
	}
	if r.in(p.Kind) == never {
		return true, fmt.Errorf("%s does not belong there: %w", f.Tag, ErrMalformed)
	}
	if p.count(f.Tag) >= r.times {
		return true, fmt.Errorf("%s more than %d times: %w", f.Tag, r.times, ErrMalformed)
	}
	if len(f.Value) < r.least || len(f.Value) > r.most {
		return true, fmt.Errorf("%s of %d bytes, should be %d to %d: %w", f.Tag, len(f.Value), r.least, r.most, ErrMalformed)
	}
	if !r.good(f.Value) {
		return true, fmt.Errorf("%s holds what it may not: %w", f.Tag, ErrMalformed)
	}
	return true, nil
}

// Holds reports whether a field with this tag may hold the value.
func (t Tag) Holds(value string) bool {
	r, known := t.rule()
	return known && len(value) >= r.least && len(value) <= r.most && r.good([]byte(value))
}

// complete says whether p, all of whose fields are good, is a packet.
func (p Packet) complete() error {
	needed := false // whether any field is: an unknown kind has none
	for _, tag := range tags {
		r, _ := tag.rule()
		if r.in(p.Kind) != always {
			continue
		}
		needed = true
		if p.count(tag) == 0 {
			return fmt.Errorf("without %s: %w", tag, ErrMalformed)
		}
	}
	switch {
	case p.Kind == Ask && p.count(TagHidden)+p.count(TagShown) != 1:
		return fmt.Errorf("without its one prompt: %w", ErrMalformed)
	case p.Kind == Final && p.count(TagBusy) > 0 && Verdict(p.value(TagVerdict)[0]) != Unavailable:
		return fmt.Errorf("busy with another verdict than unavailable: %w", ErrMalformed)
	case p.Kind != Ask && !needed:
		return ErrMalformed
	}
	return nil
}

func (p Packet) count(tag Tag) int {
	n := 0
	for _, f := range p.Fields {
		if f.Tag == tag {
			n++
		}
	}
	return n
}

// value is the value of the first field with that tag; nil: there is none.
func (p Packet) value(tag Tag) []byte {
	for _, f := range p.Fields {
		if f.Tag == tag {
			return f.Value
		}
	}
	return nil
}

// put appends a field.
func (p *Packet) put(tag Tag, value []byte) {
	p.Fields = append(p.Fields, Field{Tag: tag, Value: value})
}

// putText appends a field, unless its value is empty.
func (p *Packet) putText(tag Tag, value string) {
	if value != "" {
		p.put(tag, []byte(value))
	}
}

// putFlag appends an empty field where set.
func (p *Packet) putFlag(tag Tag, set bool) {
	if set {
		p.put(tag, nil)
	}
}
