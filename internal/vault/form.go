package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/otp"
)

// form goes through a record field by field, in the order of the file, to write it or to read it: the same walk does both,
// so they cannot differ. The file is TOML, but of TOML it takes only what it writes: every key in its place, one way to
// write a value, nothing left over. That is stricter than a TOML parser, which takes keys in any case and order, and a
// fifth of its time (11 µs against 47 of BurntSushi/toml for a token and ten recovery codes), in the way of every login.
// The first error stays and ends the walk; it has no value in it, for values are secrets.
type form struct {
	reading bool
	keys    *Keyring
	user    string

	rest string // reading: what is left
	line int
	used []string // reading: the IDs of the keys that opened secrets, "" for a secret that is not sealed

	text strings.Builder // writing

	err error
}

const formatVersion = 1

func (f *form) record(r *Record) {
	version := int64(formatVersion)
	f.number("version", &version)
	if f.err == nil && version != formatVersion {
		f.err = fmt.Errorf("it has version %d, and this Sallyport knows %d", version, formatVersion)
	}
	f.string("user", &r.User)
	if f.err == nil && r.User != f.user {
		f.err = errors.New("it is another user's")
	}
	whole(f, "uid", &r.UID)
	f.time("created", &r.Created)
	if f.table("[lock]", !r.Lock.Until.IsZero()) {
		f.time("until", &r.Lock.Until)
		f.string("source", &r.Lock.Source)
	}
	for i := 0; f.table("[[recovery]]", i < len(r.Recovery)); i++ {
		f.recovery(element(f, &r.Recovery, i))
	}
	for i := 0; f.table("[[token]]", i < len(r.Tokens)); i++ {
		t := element(f, &r.Tokens, i)
		f.token(t)
		f.time("confirmed", &t.Confirmed)
	}
	if f.table("[pending]", r.Pending != nil) {
		if f.reading {
			r.Pending = new(Pending)
		}
		f.pending(r.Pending)
	}
	if f.reading && f.err == nil && f.rest != "" {
		f.fail("the end")
	}
}

func (f *form) pending(p *Pending) {
	f.string("id", &p.ID)
	f.time("expires", &p.Expires)
	f.string("replaces", &p.Replaces)
	if f.table("[pending.token]", true) {
		f.token(&p.Token)
	} else {
		f.fail("[pending.token]")
	}
}

func (f *form) token(t *Token) {
	f.string("id", &t.ID)
	f.string("label", &t.Label)
	f.string("kind", (*string)(&t.Key.Kind))
	f.string("algorithm", (*string)(&t.Key.Algorithm))
	whole(f, "digits", &t.Key.Digits)
	if t.Key.Kind == otp.HOTP {
		f.number("counter", &t.Counter)
	} else {
		f.seconds("period", &t.Key.Period)
		f.number("offset", &t.Offset)
	}
	f.secret(t)
}

func (f *form) recovery(h *otp.RecoveryHash) {
	f.bytes("salt", &h.Salt)
	f.bytes("hash", &h.Hash)
}

// secret is `sealed = "…"` or `secret = "BASE32"`.
func (f *form) secret(t *Token) {
	var text string
	if !f.reading {
		if k := f.keys.sealer(); k != nil {
			text = k.seal(t.Key.Secret, f.user, t.ID)
			f.string("sealed", &text)
			return
		}
		text = t.Key.Secret.Base32()
		f.string("secret", &text)
		return
	}
	id, err := "", error(nil)
	if strings.HasPrefix(f.rest, "sealed ") {
		f.string("sealed", &text)
		if f.err == nil {
			t.Key.Secret, id, err = f.keys.open(text, f.user, t.ID)
		}
	} else {
		f.string("secret", &text)
		t.Key.Secret, err = otp.ParseSecret(text)
		if err == nil && t.Key.Secret.Base32() != text {
			err = errors.New("must be base32 in capitals, without padding")
		}
	}
	f.used = append(f.used, id)
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("line %d: %w", f.line, err)
	}
}

// table is a table's head, after an empty line. It reports whether the table is there; writing, that is what it is told.
func (f *form) table(head string, present bool) bool {
	head = "\n" + head + "\n"
	switch {
	case f.err != nil:
		return false
	case f.reading:
		rest, ok := strings.CutPrefix(f.rest, head)
		if ok {
			f.rest = rest
			f.line += 2
		}
		return ok
	case present:
		f.text.WriteString(head)
	}
	return present
}

// element is one of a list; reading makes it.
func element[T any](f *form, list *[]T, i int) *T {
	if f.reading {
		var zero T
		*list = append(*list, zero)
	}
	return &(*list)[i]
}

func (f *form) put(key, value string) {
	f.text.WriteString(key + " = " + value + "\n")
}

// get is the value on the next line, which must have the key.
func (f *form) get(key string) string {
	if f.err != nil {
		return ""
	}
	f.line++
	line, rest, ok := strings.Cut(f.rest, "\n")
	value, found := strings.CutPrefix(line, key+" = ")
	if !ok || !found {
		f.fail(strconv.Quote(key + " = …"))
		return ""
	}
	f.rest = rest
	return value
}

func (f *form) fail(want string) {
	if f.err == nil {
		f.err = fmt.Errorf("line %d must be %s", f.line, want)
	}
}

// string is a basic string of TOML. Control characters, which would need more escapes, are in no record.
func (f *form) string(key string, s *string) {
	if !f.reading {
		f.put(key, `"`+escape.Replace(*s)+`"`)
		return
	}
	value, opened := strings.CutPrefix(f.get(key), `"`)
	value, closed := strings.CutSuffix(value, `"`)
	*s = value
	if strings.ContainsAny(value, `"\`) { // rare, and Replace makes a copy each time
		*s = unescape.Replace(value)
		closed = closed && escape.Replace(*s) == value
	}
	if !opened || !closed {
		f.fail(key + ` = "…"`)
	}
}

var (
	escape   = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)
)

func (f *form) bytes(key string, b *[]byte) {
	text := base64.StdEncoding.EncodeToString(*b)
	f.string(key, &text)
	if !f.reading {
		return
	}
	var ok bool
	if *b, ok = fromBase64(text); !ok {
		f.fail(key + " in base64")
	}
}

func (f *form) number(key string, n *int64) {
	if !f.reading {
		f.put(key, strconv.FormatInt(*n, 10))
		return
	}
	value := f.get(key)
	var err error
	*n, err = strconv.ParseInt(value, 10, 64)
	if err != nil || strconv.FormatInt(*n, 10) != value {
		f.fail(key + " = a whole number")
	}
}

// whole is a number of a smaller type.
func whole[T int | uint32](f *form, key string, n *T) {
	wide := int64(*n)
	f.number(key, &wide)
	*n = T(wide)
	if int64(*n) != wide {
		f.fail(key + " within its bounds")
	}
}

func (f *form) seconds(key string, d *time.Duration) {
	n := int64(*d / time.Second)
	f.number(key, &n)
	*d = time.Duration(n) * time.Second
	if int64(*d/time.Second) != n { // overflow
		f.fail(key + " within its bounds")
	}
}

// time is an offset date-time of TOML, always in UTC.
func (f *form) time(key string, t *time.Time) {
	if !f.reading {
		f.put(key, t.UTC().Format(time.RFC3339Nano))
		return
	}
	value := f.get(key)
	var err error
	*t, err = time.Parse(time.RFC3339Nano, value)
	if err != nil || t.IsZero() || t.UTC().Format(time.RFC3339Nano) != value {
		f.fail(key + " = a time in UTC")
	}
}
