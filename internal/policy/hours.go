package policy

import (
	"fmt"
	"strings"
	"time"
)

// Hours is a part of each day by the host's clock and time zone, from its first
// minute to before its last one, over midnight where the last is not after the
// first. The zero value is the whole day.
type Hours struct {
	From, To int // minutes of the day, 0 to 1440
}

// Include reports whether an instant lies within.
func (h Hours) Include(t time.Time) bool {
	if h == (Hours{}) {
		return true
	}
	t = t.In(time.Local)
	minute := t.Hour()*60 + t.Minute()
	if h.From < h.To {
		return h.From <= minute && minute < h.To
	}
	return h.From <= minute || minute < h.To
}

// String is what parseHours reads.
func (h Hours) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
}

// parseHours reads "HH:MM-HH:MM". A day may end at 24:00.
func parseHours(text string) (Hours, bool) {
	from, to, found := strings.Cut(text, "-")
	first, ok1 := minuteOf(from)
	last, ok2 := minuteOf(to)
	if to == "24:00" {
		last, ok2 = 24*60, true
	}
	return Hours{first, last}, found && ok1 && ok2
}

func minuteOf(text string) (int, bool) {
	const layout = "15:04"
	t, err := time.Parse(layout, text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len(layout)
}

// hoursKey is a part of the day.
func hoursKey[T any](name string, at func(*T) *Hours) key[T] {
	return key[T]{name,
		func(t *T, value any) []fault {
			const wanted, hint = "a part of the day", `Write "08:00-18:00", in the host's time; "22:00-06:00" goes over midnight.`
			s, ok := value.(string)
			if !ok {
				return mustBe(name, wanted, value, hint)
			}
			h, ok := parseHours(s)
			switch {
			case !ok:
				return mustBe(name, wanted, value, hint)
			case h.From == h.To, h.From == 0 && h.To == 24*60:
				return []fault{{fmt.Sprintf("%s has the whole day in %s.", name, quote(s)), "Leave it out to match at any time."}}
			}
			*at(t) = h
			return nil
		},
		func(t *T) string { return fmt.Sprintf("%q", *at(t)) },
	}
}
