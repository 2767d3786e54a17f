// Package audit is the record of what happened: one typed event for each fact that matters to security, in the
// systemd journal with fields, or as a line of text.
//
// An event has no room for a secret or for what somebody typed: people type passwords at the wrong prompt.
package audit

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Event is one fact. Fields that do not apply stay zero and are left out.
type Event struct {
	Kind    Kind
	User    string        // whose account it is about
	UID     uint32        // the user's, or with AccessRefused the caller's; 0 is left out
	Service string        // PAM service
	Source  string        // remote host or address
	TTY     string        // terminal
	PID     int           // the process that logs somebody in, or with AccessRefused the caller
	By      string        // who did it, where that is not User
	Token   string        // a device's label
	Setting string        // of the policy
	Value   string        // the setting's, as TOML
	Reason  string        // why, in words
	Path    string        // file
	Method  string        // what was called
	Count   int           // RecoveryCodeUsed: how many are left; Withheld: how many there were
	Offset  time.Duration // ClockWrong, ClockRight: by how much it is fast; ClockJumped: by how much it was set forward
	Until   time.Time     // LoginLocked: when the lock ends; LedgerQuarantined: codes up to here are refused
	Asker   uint32        // who asked, where that is a user who may ask again and again: a Moderated log counts; 0: is not counted
}

// Message is the event in one line of English. Whatever came from outside is escaped: it shows no control characters,
// and cannot look like another event.
func (e Event) Message() string { return e.message(e.fields()) }

func (e Event) message(fields []field) string {
	var b strings.Builder
	b.WriteString(e.Kind.about().title)
	separator := ": "
	for _, f := range fields {
		if f.word == "" {
			continue
		}
		b.WriteString(separator + f.word + " ")
		if f.quoted {
			b.WriteString(strconv.Quote(cut(f.value, maxValue)))
		} else {
			b.WriteString(plain(f.value))
		}
		separator = ", "
	}
	if e.Reason != "" {
		b.WriteString(" (" + escape(cut(e.Reason, maxReason)) + ")")
	}
	return b.String()
}

// field is one value of an event: in the message behind a word, in the journal under a name.
type field struct {
	word   string // empty: only in the journal
	name   string
	value  string
	quoted bool // always in quotes in the message
}

// fields lists what is set, in the message's order.
func (e Event) fields() []field {
	all := [...]field{
		{"user", "SALLYPORT_USER", e.User, true},
		{"", "SALLYPORT_UID", number(int64(e.UID)), false},
		{"device", "SALLYPORT_TOKEN", e.Token, true},
		{"service", "SALLYPORT_SERVICE", e.Service, false},
		{"from", "SALLYPORT_SOURCE", e.Source, false},
		{"on", "SALLYPORT_TTY", e.TTY, false},
		{"process", "SALLYPORT_PID", number(int64(e.PID)), false},
		{"by", "SALLYPORT_BY", e.By, true},
		{"setting", "SALLYPORT_SETTING", e.Setting, false},
		{"value", "SALLYPORT_VALUE", e.Value, false},
		{"method", "SALLYPORT_METHOD", e.Method, false},
		{"file", "SALLYPORT_PATH", e.Path, true},
		{e.counted(), "SALLYPORT_COUNT", e.count(), false},
		{"until", "SALLYPORT_UNTIL", instant(e.Until), false},
		{"", "SALLYPORT_OFFSET", e.offset(), false},
		{"", "SALLYPORT_REASON", e.Reason, false},
	}
	set := make([]field, 0, 8) // more than most have
	for i := range all {
		if all[i].value != "" {
			set = append(set, all[i])
		}
	}
	return set
}

// counted is what a count is of.
func (e Event) counted() string {
	if e.Kind == Withheld {
		return "more"
	}
	return "left"
}

// count shows a zero where the kind has a count: none left is news.
func (e Event) count() string {
	if e.Kind == RecoveryCodeUsed {
		return strconv.Itoa(e.Count)
	}
	return number(int64(e.Count))
}

// offset is in seconds.
func (e Event) offset() string {
	if e.Offset == 0 {
		return ""
	}
	return strconv.FormatFloat(e.Offset.Seconds(), 'f', 3, 64)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// How many bytes are shown of a value, and of a reason, which is an error's words and may name a path and a mend.
const (
	maxValue  = 256
	maxReason = 1024
)

// cut shortens a value to at most limit bytes, and shows that it did.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := limit
	for n > limit-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// harmless reports whether a value has only what escape leaves as it is, without looking far.
func harmless(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// plain leaves a harmless word as it is and quotes any other.
func plain(s string) string {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("._-:/%@+", r) {
			return strconv.Quote(cut(s, maxValue))
		}
	}
	return cut(s, maxValue)
}

// escape shows what cannot be printed as Go writes it in a string: \n, \x1b, \u202e.
func escape(s string) string {
	if harmless(s) {
		return s
	}
	var b []byte
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1, !unicode.IsPrint(r), r == '\\':
			q := strconv.Quote(s[:n])
			b = append(b, q[1:len(q)-1]...)
		default:
			b = append(b, s[:n]...)
		}
		s = s[n:]
	}
	return string(b)
}
