package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// key is one key of the schema, in a table whose content goes into a T.
type key[T any] struct {
	name string
	// read takes a decoded TOML value over into t, unless something is wrong with it.
	read func(t *T, value any) []fault
	// show gives the value in t as TOML.
	show func(t *T) string
}

// boolKey is true or false.
func boolKey[T any](name string, at func(*T) *bool) key[T] {
	return key[T]{name,
		func(t *T, value any) []fault {
			b, ok := value.(bool)
			if !ok {
				return mustBe(name, "true or false", value, fmt.Sprintf("Write %s = true or %s = false.", short(name), short(name)))
			}
			*at(t) = b
			return nil
		},
		func(t *T) string { return strconv.FormatBool(*at(t)) },
	}
}

// maybeKey is true or false, or not there.
func maybeKey[T any](name string, at func(*T) **bool) key[T] {
	k := boolKey(name, func(t *T) *bool {
		*at(t) = new(bool)
		return *at(t)
	})
	k.show = func(t *T) string {
		if p := *at(t); p != nil {
			return strconv.FormatBool(*p)
		}
		return ""
	}
	return k
}

// intKey is a whole number within bounds.
func intKey[T any](name string, least, most int64, at func(*T) *int) key[T] {
	wanted := fmt.Sprintf("a whole number from %d to %d", least, most)
	return key[T]{name,
		func(t *T, value any) []fault {
			n, ok := value.(int64)
			if s, isString := value.(string); isString {
				if _, err := strconv.ParseInt(s, 10, 64); err == nil {
					return mustBe(name, wanted, value, "Write it without quotes.")
				}
			}
			if !ok || n < least || n > most {
				return mustBe(name, wanted, value, "")
			}
			*at(t) = int(n)
			return nil
		},
		func(t *T) string { return strconv.Itoa(*at(t)) },
	}
}

// durationKey is a length of time within bounds, as a string such as "10m".
func durationKey[T any](name string, least, most time.Duration, at func(*T) *time.Duration) key[T] {
	wanted := fmt.Sprintf("a time from %s to %s in whole seconds", showDuration(least), showDuration(most))
	return key[T]{name,
		func(t *T, value any) []fault {
			s, ok := value.(string)
			if !ok {
				return mustBe(name, wanted, value, durationHint(name, value))
			}
			d, err := time.ParseDuration(s)
			if err != nil {
				return mustBe(name, wanted, value, durationHint(name, value))
			}
			if d < least || d > most || d%time.Second != 0 {
				return mustBe(name, wanted, value, "")
			}
			*at(t) = d
			return nil
		},
		func(t *T) string { return strconv.Quote(showDuration(*at(t))) },
	}
}

// durationHint says how to write what somebody probably meant by value.
func durationHint(name string, value any) string {
	if n, ok := value.(int64); ok && n > 0 {
		return fmt.Sprintf("Write a unit: %s = \"%ds\".", short(name), n)
	}
	if s, ok := value.(string); ok && strings.HasSuffix(s, "d") {
		if n, err := strconv.ParseUint(strings.TrimSuffix(s, "d"), 10, 16); err == nil {
			return fmt.Sprintf("Days are not understood; write hours: \"%dh\".", n*24)
		}
	}
	return `Write numbers with the units h, m and s, such as "1h30m".`
}

// choiceKey is one of a few words.
func choiceKey[T any, S ~string](name string, at func(*T) *S, choices ...S) key[T] {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	return key[T]{name,
		func(t *T, value any) []fault {
			s, ok := value.(string)
			if !ok {
				return mustBe(name, quotedList(words, "or"), value, "")
			}
			if !slices.Contains(words, s) {
				return mustBe(name, quotedList(words, "or"), value, didYouMean(s, words))
			}
			*at(t) = S(s)
			return nil
		},
		func(t *T) string { return strconv.Quote(string(*at(t))) },
	}
}

// textKey is a string.
func textKey[T any](name string, at func(*T) *string, check func(string) *fault) key[T] {
	return key[T]{name,
		func(t *T, value any) []fault {
			s, ok := value.(string)
			if !ok {
				return mustBe(name, "a string", value, "")
			}
			if f := check(s); f != nil {
				return []fault{*f}
			}
			*at(t) = s
			return nil
		},
		func(t *T) string { return strconv.Quote(*at(t)) },
	}
}

// listKey is a list of strings, each of which is made an E of. Where empty is
// not the empty string, an empty list is an error, and empty says why.
func listKey[T any, L ~[]E, E any](name, empty string, at func(*T) *L, parse func(string) (E, *fault), show func(E) string) key[T] {
	return key[T]{name,
		func(t *T, value any) []fault {
			items, ok := value.([]any)
			if !ok {
				hint := ""
				if s, isString := value.(string); isString {
					hint = fmt.Sprintf("Write %s = [%s].", short(name), quote(s))
				}
				return mustBe(name, "a list of strings", value, hint)
			}
			if len(items) == 0 && empty != "" {
				return []fault{{fmt.Sprintf("%s must not be empty.", name), empty}}
			}
			var faults []fault
			list := make(L, 0, len(items))
			for _, item := range items {
				s, ok := item.(string)
				if !ok {
					faults = append(faults, mustBe(name, "a list of strings", item, "")...)
					continue
				}
				e, f := parse(s)
				if f != nil {
					faults = append(faults, *f)
					continue
				}
				list = append(list, e)
			}
			if faults == nil {
				*at(t) = list
			}
			return faults
		},
		func(t *T) string {
			shown := make([]string, len(*at(t)))
			for i, e := range *at(t) {
				shown[i] = strconv.Quote(show(e))
			}
			return "[" + strings.Join(shown, ", ") + "]"
		},
	}
}

// stringsKey is a list of strings that are taken as they are.
func stringsKey[T any, L ~[]string](name, empty string, at func(*T) *L, check func(string) *fault) key[T] {
	return listKey(name, empty, at,
		func(s string) (string, *fault) {
			if f := check(s); f != nil {
				return "", &fault{name + ": " + f.text, f.hint}
			}
			return s, nil
		},
		func(s string) string { return s })
}

// timeKey is a day or an instant. A TOML day, or a time without an offset, is
// one of the host's time zone; a day is its first instant.
func timeKey[T any](name string, at func(*T) *time.Time) key[T] {
	const wanted = "a day or a time of a day"
	return key[T]{name,
		func(t *T, value any) []fault {
			v, ok := value.(time.Time)
			if !ok {
				hint := ""
				if _, isString := value.(string); isString {
					hint = "Write it without quotes."
				}
				return mustBe(name, wanted+", such as 2027-03-01", value, hint)
			}
			when, ok := instant(v, time.Local)
			if !ok {
				return mustBe(name, wanted, value, "Write the day too.")
			}
			if when.Year() < 2000 || when.Year() > 2100 {
				return mustBe(name, wanted+" from 2000 to 2100", value, "")
			}
			*at(t) = when
			return nil
		},
		func(t *T) string { return showTime(*at(t), time.Local) },
	}
}

// The names of the locations that the decoder gives to values without an
// offset. Such values have the right fields, but not the right offset.
const (
	decodedDate     = "date-local"
	decodedDatetime = "datetime-local"
	decodedTime     = "time-local"
)

// instant makes an instant of a decoded TOML time, unless it is a time of no
// day. What has no offset is taken to be in loc.
func instant(v time.Time, loc *time.Location) (time.Time, bool) {
	switch v.Location().String() {
	case decodedTime:
		return time.Time{}, false
	case decodedDate, decodedDatetime:
		y, m, d := v.Date()
		return time.Date(y, m, d, v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), loc), true
	default:
		return v, true
	}
}

// showTime is what instant understands: a day where it is one.
func showTime(t time.Time, loc *time.Location) string {
	y, m, d := t.In(loc).Date()
	if t.Equal(time.Date(y, m, d, 0, 0, 0, 0, loc)) {
		return t.In(loc).Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// showDuration leaves out the zeros that time.Duration.String ends in.
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// mustBe is the fault of a value that is not what it must be.
func mustBe(name, wanted string, value any, hint string) []fault {
	return []fault{{fmt.Sprintf("%s must be %s, not %s.", name, wanted, describe(value)), hint}}
}

// short is a key's name within its table.
func short(name string) string {
	return name[strings.LastIndexByte(name, '.')+1:]
}

// describe says what a decoded TOML value is.
func describe(value any) string {
	switch v := value.(type) {
	case string:
		return "the string " + quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64: // nothing in the schema is one
		return "a fraction"
	case time.Time:
		return describeTime(v)
	case []any:
		return "a list"
	case []map[string]any:
		return "a list of tables"
	default:
		return "a table"
	}
}

func describeTime(t time.Time) string {
	switch t.Location().String() {
	case decodedDate:
		return "the day " + t.Format(time.DateOnly)
	case decodedTime:
		return "the time " + t.Format(time.TimeOnly)
	default:
		return "the time " + t.Format(time.DateTime)
	}
}
