// Package clock is what is known about the host's clock: how far off it is, how sure that is, who says so, and how it is
// said to people. It is pure; package monitor does the asking (DESIGN §8).
//
// Offsets are the clock's time less the true one: a clock with a positive offset is fast.
package clock

import "time"

// Source says where an estimate comes from.
type Source string

// The sources.
const (
	Kernel    Source = "kernel"    // adjtimex(2): that the clock is synchronised, and the most that it may be off
	Chrony    Source = "chrony"    // the local chronyd, which measures
	Timesyncd Source = "timesyncd" // the local systemd-timesyncd
	Servers   Source = "servers"   // the NTP servers of clock.servers
	Codes     Source = "codes"     // the codes that people type
)

// Estimate is how far off the clock is, by one source. The zero value knows nothing.
type Estimate struct {
	Source Source        // empty: nothing is known
	Offset time.Duration // the clock less the true time; positive: fast
	Error  time.Duration // the true offset is no further from Offset
	Sure   bool          // for Codes: enough people agree to overrule the host's own NTP client
	Detail string        // what it rests on, in words
	At     time.Time     // when, by the clock itself
}

// Known reports whether anything is known.
func (e Estimate) Known() bool { return e.Source != "" }

// Wrong reports whether the clock is off by at least warn. An offset within its own error proves nothing.
func (e Estimate) Wrong(warn time.Duration) bool {
	size := e.Offset.Abs()
	return e.Known() && size >= warn && size > e.Error
}

// contradicts reports whether both cannot be true.
func (e Estimate) contradicts(other Estimate) bool {
	return (e.Offset - other.Offset).Abs() > e.Error+other.Error
}

// Best is the estimate to go by. The servers that the administrator names are believed before the host's NTP client,
// and that before the kernel, which only knows that somebody sets the clock. A client that follows a wrong server finds
// its clock right; so the codes of enough people overrule it.
func Best(all []Estimate) Estimate {
	by := make(map[Source]Estimate, len(all))
	for _, e := range all {
		by[e.Source] = e
	}
	if e := by[Servers]; e.Known() {
		return e
	}
	codes := by[Codes]
	for _, source := range []Source{Chrony, Timesyncd, Kernel} {
		e := by[source]
		switch {
		case !e.Known():
		case codes.Sure && codes.contradicts(e):
			return codes
		default:
			return e
		}
	}
	return codes
}

// State is the clock as people are told of it. It is immutable.
type State struct {
	Estimate
	Bad   bool      // the estimate is at least as far off as the policy warns of
	Since time.Time // with Bad: since when it is known
	Mend  string    // the command that sets the clock on this host
}

// Reliable reports whether the clock is known to be right, so that a phone that differs is itself wrong.
func (s State) Reliable() bool { return s.Known() && !s.Bad }
