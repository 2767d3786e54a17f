package ledger

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"sallyport/internal/clock"
)

// An account is read and written in every login, and all of them are in memory: so it is not JSON, as all else here,
// which takes three times the room and ten times the time (BenchmarkHeld). It is this byte and then the fields of Account
// in their order, but for Phone, which is the first: numbers are varints (encoding/binary), a text and a list are behind their length, a time is seconds
// and nanoseconds since 1970. JSON, which begins with "{", is read as well: earlier versions wrote it.
const binaryAccount = 0x01

// form goes through an account field by field, to write it or to read it: the same walk does both, so they cannot
// differ. The first error stays and ends the walk.
type form struct {
	reading bool
	data    []byte // reading: what is left; writing: what there is
	err     error
}

var errBinary = errors.New("it is cut off, or too long")

func appendAccount(b []byte, a *Account) []byte {
	f := form{data: append(b, binaryAccount)}
	f.account(a)
	return f.data
}

// readAccount reads what appendAccount wrote, and takes nothing else.
func readAccount(data []byte, a *Account) error {
	f := form{reading: true, data: data[1:]}
	f.account(a)
	if f.err == nil && len(f.data) > 0 {
		return errBinary
	}
	return f.err
}

// readPhone reads no further than to Phone.
func readPhone(data []byte) (*clock.Sample, error) {
	var a Account
	f := form{reading: true, data: data[1:]}
	f.phone(&a)
	return a.Phone, f.err
}

func (f *form) account(a *Account) {
	f.phone(a)
	f.tokens(a)
	list(f, &a.Sources, f.source)
	list(f, &a.Wrong, f.time)
	list(f, &a.Known, func(k *Known) {
		f.text(&k.Service)
		f.text(&k.Source)
		f.time(&k.At)
		f.turn(&k.Turn)
	})
	f.time(&a.Last.At)
	f.text(&a.Last.Service)
	f.text(&a.Last.Source)
	list(f, &a.Permits, func(p *Permit) {
		f.text(&p.Service)
		f.text(&p.Source)
		f.time(&p.At)
		list(f, &p.Sessions, f.text)
	})
	if a.Owned = f.present(a.Owned); a.Owned {
		f.uid(&a.UID)
	}
}

// tokens are in the order of their IDs, each once, so that one account has one form.
func (f *form) tokens(a *Account) {
	ids := make([]string, 0, 4)
	for id := range a.Tokens {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	n := f.length(len(ids))
	if f.reading {
		a.Tokens = make(map[string]*TokenUse, n)
	}
	before := ""
	for i := 0; i < n && f.err == nil; i++ {
		if f.reading {
			ids = append(ids, "")
		}
		f.text(&ids[i])
		if i > 0 && ids[i] <= before {
			f.err = errBinary
		}
		before = ids[i]
		if f.reading {
			a.Tokens[ids[i]] = new(TokenUse)
		}
		f.use(a.Tokens[ids[i]])
	}
}

// use writes steps and ranges by how far they are from the one before.
func (f *form) use(u *TokenUse) {
	last := int64(0)
	number := func(n *int64) {
		away := *n - last
		f.number(&away)
		*n = last + away
		last = *n
	}
	list(f, &u.Steps, number)
	list(f, &u.Past, func(r *Range) {
		number(&r[0])
		number(&r[1])
	})
	u.Fresh = f.present(u.Fresh)
}

func (f *form) source(s *SourceState) {
	f.text(&s.Source)
	f.whole(&s.Count)
	f.time(&s.First)
	f.time(&s.Last)
	f.whole(&s.Locks)
	f.time(&s.Until)
	f.whole(&s.Today)
	f.time(&s.Since)
}

// phone is in front, for who looks for that alone (readPhone).
func (f *form) phone(a *Account) {
	if !f.present(a.Phone != nil) {
		return
	}
	if f.reading {
		a.Phone = new(clock.Sample)
	}
	s := a.Phone
	f.text(&s.Device)
	f.time(&s.At)
	f.number(&s.Step)
	f.number((*int64)(&s.Period))
	f.number(&s.Learned)
	f.time(&s.Booted)
}

// list is a list of at most as many elements as there are bytes left.
func list[T any](f *form, all *[]T, element func(*T)) {
	n := f.length(len(*all))
	if f.reading && n > 0 {
		*all = make([]T, 0, min(n, 64))
	}
	for i := 0; i < n && f.err == nil; i++ {
		if f.reading {
			var zero T
			*all = append(*all, zero)
		}
		element(&(*all)[i])
	}
}

func (f *form) length(n int) int {
	if !f.reading {
		f.data = binary.AppendUvarint(f.data, uint64(n))
		return n
	}
	given, size := binary.Uvarint(f.data)
	if f.err != nil || size <= 0 || given > uint64(len(f.data)-size) {
		f.err = errBinary
		return 0
	}
	f.data = f.data[size:]
	return int(given)
}

func (f *form) text(s *string) {
	n := f.length(len(*s))
	switch {
	case !f.reading:
		f.data = append(f.data, *s...)
	case f.err == nil:
		*s, f.data = string(f.data[:n]), f.data[n:]
	}
}

func (f *form) number(n *int64) {
	if !f.reading {
		f.data = binary.AppendVarint(f.data, *n)
		return
	}
	given, size := binary.Varint(f.data)
	if f.err != nil || size <= 0 {
		f.err = errBinary
		return
	}
	*n, f.data = given, f.data[size:]
}

func (f *form) whole(n *int) {
	wide := int64(*n)
	f.number(&wide)
	*n = int(wide)
}

func (f *form) turn(n *uint64) {
	wide := int64(*n)
	f.number(&wide)
	*n = uint64(wide)
}

func (f *form) uid(n *uint32) {
	wide := int64(*n)
	f.number(&wide)
	if *n = uint32(wide); int64(*n) != wide {
		f.err = errBinary
	}
}

// present is a byte, 1 where something is there.
func (f *form) present(there bool) bool {
	n := int64(0)
	if there {
		n = 1
	}
	f.number(&n)
	if n != 0 && n != 1 {
		f.err = errBinary
	}
	return f.err == nil && n == 1
}

// time is the zero time, or one in UTC.
func (f *form) time(t *time.Time) {
	if !f.present(!t.IsZero()) {
		return
	}
	seconds, rest := t.Unix(), int64(t.Nanosecond())
	f.number(&seconds)
	f.number(&rest)
	switch {
	case rest < 0 || rest >= int64(time.Second):
		f.err = errBinary
	case f.reading:
		*t = time.Unix(seconds, rest).UTC()
	}
}
