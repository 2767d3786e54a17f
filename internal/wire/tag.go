package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tag says what a field is.
type Tag byte

// The tags; the package comment has what each may hold and where.
const (
	TagUser     Tag = 0x01
	TagService  Tag = 0x02
	TagRHost    Tag = 0x03
	TagTTY      Tag = 0x04
	TagPID      Tag = 0x05
	TagMethod   Tag = 0x06
	TagSplit    Tag = 0x07
	TagSilent   Tag = 0x08
	TagGiven    Tag = 0x09
	TagResume   Tag = 0x10
	TagAnswer   Tag = 0x11
	TagInfo     Tag = 0x20
	TagError    Tag = 0x21
	TagHidden   Tag = 0x22
	TagShown    Tag = 0x23
	TagVerdict  Tag = 0x24
	TagPassword Tag = 0x25
	TagBusy     Tag = 0x26
)

const tagSkippable Tag = 0x80

// tags is all of them.
var tags = [...]Tag{
	TagUser, TagService, TagRHost, TagTTY, TagPID, TagMethod, TagSplit, TagSilent, TagGiven, TagResume, TagAnswer,
	TagInfo, TagError, TagHidden, TagShown, TagVerdict, TagPassword, TagBusy,
}

func (t Tag) skippable() bool { return t&tagSkippable != 0 }

func (t Tag) String() string {
	if r, known := t.rule(); known {
		return r.name
	}
	return fmt.Sprintf("field 0x%02x", byte(t))
}

// presence says whether a field belongs in a packet of some kind.
type presence int

const (
	never presence = iota
	maybe
	always
)

// rule is what a field must keep to.
type rule struct {
	name        string
	presence    presence // in packets of the kinds
	kinds       func(Kind) bool
	least, most int // bytes of the value
	times       int // how often it may be there
	good        func([]byte) bool
}

// rule gives the tag's rule; known is false where the tag has none.
func (t Tag) rule() (r rule, known bool) {
	switch t {
	case TagUser:
		return rule{"user", always, requests, 1, MaxUser, 1, isName}, true
	case TagService:
		return rule{"service", always, requests, 1, MaxService, 1, isWord}, true
	case TagRHost:
		return rule{"rhost", maybe, requests, 1, MaxRHost, 1, isText}, true
	case TagTTY:
		return rule{"tty", maybe, requests, 1, MaxTTY, 1, isText}, true
	case TagPID:
		return rule{"pid", always, requests, 4, 4, 1, isPID}, true
	case TagMethod:
		return rule{"method", maybe, requests, 1, 64, MaxMethods, isWord}, true
	case TagSplit:
		return rule{"split", maybe, begins, 0, 0, 1, isAny}, true
	case TagSilent:
		return rule{"silent", maybe, requests, 0, 0, 1, isAny}, true
	case TagGiven:
		return rule{"given", maybe, sessions, 0, 0, 1, isAny}, true
	case TagResume:
		return rule{"resume", maybe, beginOrAsk, 1, MaxResume, 1, isText}, true
	case TagAnswer:
		return rule{"answer", always, answers, 0, MaxAnswer, 1, isAnswer}, true
	case TagInfo:
		return rule{"info", maybe, replies, 0, MaxText, MaxMessages, isText}, true
	case TagError:
		return rule{"error", maybe, replies, 0, MaxText, MaxMessages, isText}, true
	case TagHidden:
		return rule{"hidden", maybe, asks, 0, MaxText, 1, isText}, true
	case TagShown:
		return rule{"shown", maybe, asks, 0, MaxText, 1, isText}, true
	case TagVerdict:
		return rule{"verdict", always, finals, 1, 1, 1, isVerdict}, true
	case TagPassword:
		return rule{"password", maybe, finals, 2, 2, 1, isPasswordLength}, true
	case TagBusy:
		return rule{"busy", maybe, finals, 0, 0, 1, isAny}, true
	}
	return rule{}, false
}

// in says whether the field belongs in a packet of the kind.
func (r *rule) in(k Kind) presence {
	if r.kinds(k) {
		return r.presence
	}
	return never
}

// requests are the packets that begin a connection.
func requests(k Kind) bool { return k == Begin || k == Account || sessions(k) }

func begins(k Kind) bool     { return k == Begin }
func beginOrAsk(k Kind) bool { return k == Begin || k == Ask }
func sessions(k Kind) bool   { return k == OpenSession || k == CloseSession }
func answers(k Kind) bool    { return k == Answer }
func asks(k Kind) bool       { return k == Ask }
func finals(k Kind) bool     { return k == Final }
func replies(k Kind) bool    { return k == Ask || k == Final }

func isAny([]byte) bool { return true }

// isText refuses what could drive a terminal or forge a log line: control characters, and bytes that are not UTF-8,
// which an 8-bit terminal might take for C1 controls.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, unicode.IsControl)
}

func isName(b []byte) bool { return isText(b) && !bytes.ContainsRune(b, '/') }

func isWord(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return false
		default:
			return !strings.ContainsRune("_.@+-", r)
		}
	})
}

// isAnswer lets any byte through that a C string can hold: people type passwords there, in any encoding.
func isAnswer(b []byte) bool { return bytes.IndexByte(b, 0) < 0 }

func isPID(b []byte) bool {
	pid := binary.BigEndian.Uint32(b)
	return pid > 0 && pid <= 1<<31-1
}

func isVerdict(b []byte) bool { return b[0] >= byte(Granted) && b[0] <= byte(SessionRefused) }

func isPasswordLength(b []byte) bool { return binary.BigEndian.Uint16(b) <= MaxAnswer }
