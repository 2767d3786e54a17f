package clock

import (
	"fmt"
	"math"
	"time"
)

// Length says a length of time as people do, to two or three digits: "3 ms", "1.5 s", "42 s", "10 minutes", "2 hours".
func Length(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2g ms", d.Seconds()*1000)
	case d < 999500*time.Microsecond:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1000)
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.2g s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	default:
		return fmt.Sprintf("%.0f days", math.Round(d.Hours()/24))
	}
}

// Words says an offset: "42 s slow", "10 minutes fast".
func Words(offset time.Duration) string {
	if offset < 0 {
		return Length(offset) + " slow"
	}
	return Length(offset) + " fast"
}

// Summary says in one sentence how the clock is.
func (s State) Summary() string {
	switch {
	case s.Bad:
		return s.Warning()
	case s.Known():
		return fmt.Sprintf("This server's clock is right: %s, ± %s.", Words(s.Offset), Length(s.Error))
	default:
		return "Whether this server's clock is right is not known."
	}
}

// Warning is the sentence about a clock that is wrong, without what mends it; empty: it is not known to be wrong.
func (s State) Warning() string {
	if !s.Bad {
		return ""
	}
	return fmt.Sprintf("This server's clock is %s, since %s.", Words(s.Offset), stamp(s.Since, s.At))
}

// Advice is Warning with what mends it, for who can do that.
func (s State) Advice() string {
	if !s.Bad || s.Mend == "" {
		return s.Warning()
	}
	return s.Warning() + " What sets it right: " + s.Mend
}

// stamp is a time of today by its hour, any other with its date.
func stamp(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("15:04 on 2 January")
}
