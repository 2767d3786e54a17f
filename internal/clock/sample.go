package clock

import (
	"fmt"
	"time"
)

// How long it takes from looking at a code to its arrival: a password manager needs a second, a person 5 to 15.
const (
	leastDelay = time.Second
	mostDelay  = 20 * time.Second
)

// Sample is what one code tells about two clocks, the phone's and the server's: to which time step of the phone the
// code belongs that came at some time of the server. It is small: the ledger keeps the last one of each user.
type Sample struct {
	Device  string        `json:"device,omitempty"`  // which of the user's
	At      time.Time     `json:"at"`                // the server's time
	Step    int64         `json:"step"`              // the phone's, RFC 6238 §4.2
	Period  time.Duration `json:"period"`            // of a step
	Learned int64         `json:"learned,omitempty"` // steps that the phone is known to be ahead, by a resync
	// Booted is when the machine started, by the server's clock at that time. It differs from now's by as much as the
	// clock was set since.
	Booted time.Time `json:"booted,omitzero"`
}

// span is where an offset lies.
type span struct{ from, to time.Duration }

// ahead is by how much the phone was ahead of the server. The phone showed the code for one period, and the person
// looked at it before it came.
func (s Sample) ahead() span {
	shown := time.Unix(0, 0).Add(time.Duration(s.Step) * s.Period)
	return span{shown.Sub(s.At) + leastDelay, shown.Sub(s.At) + s.Period + mostDelay}
}

// offset is by how much the server's clock is off at present, if the phone's is right. booted is Booted of now.
func (s Sample) offset(booted time.Time) span {
	a, set := s.ahead(), s.set(booted)
	return span{set - a.to, set - a.from}
}

// set is by how much the clock was set since the sample.
func (s Sample) set(booted time.Time) time.Duration {
	if s.Booted.IsZero() || booted.IsZero() {
		return 0
	}
	return booted.Sub(s.Booted)
}

// Recent reports whether the sample is of the last day.
func (s Sample) Recent(now, booted time.Time) bool {
	age := s.age(now, booted)
	return s.Period > 0 && age >= 0 && age < lastsFor
}

// age is how long ago the sample was taken, however the clock was set since.
func (s Sample) age(now, booted time.Time) time.Duration { return now.Sub(s.At) - s.set(booted) }

// Fits reports whether code and clocks fit together: the phone may be right, or off by what a resync has found.
func (s Sample) Fits(server State) bool {
	const tolerance = 5 * time.Second
	a := s.ahead()
	known := time.Duration(s.Learned)*s.Period - server.Offset
	return a.from-known <= tolerance+server.Error && a.to-known >= -tolerance-server.Error
}

// Phone is by how much the phone's clock is off, given the server's; good to half a period.
func (s Sample) Phone(server State) time.Duration {
	a := s.ahead()
	return server.Offset + (a.from+a.to)/2
}

// Advice tells a phone's owner that it is wrong; empty: it is not, or nobody can tell whose clock is.
func (s Sample) Advice(server State) string {
	if !server.Reliable() || s.Fits(server) {
		return ""
	}
	return fmt.Sprintf("Your phone's clock is about %s. Have it set by the network, or run: sallyportctl resync", Words(s.Phone(server)))
}
