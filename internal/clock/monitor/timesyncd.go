package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/godbus/dbus/v5"

	"sallyport/internal/clock"
)

// Timesyncd asks systemd-timesyncd over D-Bus (org.freedesktop.timesync1(5)).
type Timesyncd struct {
	Runtime string // the directory that is there while it runs
	Now     func() time.Time
	Connect func(context.Context) (*dbus.Conn, error) // to the system's bus
}

// SystemBus connects to the system's bus.
func SystemBus(ctx context.Context) (*dbus.Conn, error) {
	return dbus.ConnectSystemBus(dbus.WithContext(ctx))
}

// Name is clock.Timesyncd.
func (Timesyncd) Name() clock.Source { return clock.Timesyncd }

// ntpMessage is the property NTPMessage: the last answer of the server that it goes by. Times are in microseconds.
type ntpMessage struct {
	Leap, Version, Mode, Stratum           uint32
	Precision                              int32
	RootDelay, RootDispersion              uint64
	Reference                              []byte
	Origin, Receive, Transmit, Destination uint64
	Ignored                                bool
	Packets, Jitter                        uint64
}

// Ask asks for the last answer that timesyncd had of its server. It does not start a timesyncd that is off.
func (t Timesyncd) Ask(ctx context.Context) (clock.Estimate, string) {
	if _, err := os.Stat(t.Runtime); errors.Is(err, fs.ErrNotExist) {
		return clock.Estimate{}, ""
	}
	conn, err := t.Connect(ctx)
	if err != nil {
		return clock.Estimate{}, fmt.Sprintf("cannot be asked: %v", err)
	}
	defer conn.Close()
	const manager = "org.freedesktop.timesync1.Manager"
	object := conn.Object("org.freedesktop.timesync1", "/org/freedesktop/timesync1")
	get := func(property string, into any) error {
		var v dbus.Variant
		call := object.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, manager, property)
		if err := call.Store(&v); err != nil {
			return err
		}
		return dbus.Store([]any{v.Value()}, into)
	}
	var message ntpMessage
	var server string
	if err := errors.Join(get("NTPMessage", &message), get("ServerName", &server)); err != nil {
		return clock.Estimate{}, fmt.Sprintf("does not answer: %v", err)
	}
	return message.estimate(t.Now(), printable(server))
}

// estimate is what the message says of now. timesyncd sets the clock by what it measures: it steps where that is more
// than 0.4 s (NTP_MAX_ADJUST), and has the kernel slew the rest away.
func (m ntpMessage) estimate(now time.Time, server string) (clock.Estimate, string) {
	if m.Packets == 0 || m.Ignored || m.Destination == 0 {
		return clock.Estimate{}, "has no answer yet of a server that it goes by"
	}
	age := now.Sub(time.UnixMicro(int64(m.Destination)))
	const stale = 3 * 2048 * time.Second // it asks every 2048 s at least
	if age < -time.Minute || age > stale {
		return clock.Estimate{}, fmt.Sprintf("its last answer, from %s, is not of late", server)
	}
	if !m.sane() {
		return clock.Estimate{}, fmt.Sprintf("its last answer, from %s, is not understood", server)
	}
	micro := func(u uint64) time.Duration { return time.Duration(u) * time.Microsecond }
	measured := (micro(m.Receive) - micro(m.Origin) + micro(m.Transmit) - micro(m.Destination)) / 2
	const step = 400 * time.Millisecond
	slew := measured.Abs()
	if slew > step {
		slew = 0
	}
	const drift = 100e-6 // seconds a second, of a bad quartz
	most := micro(m.RootDelay)/2 + micro(m.RootDispersion) + micro(m.Jitter) + slew + time.Duration(drift*float64(max(0, age)))
	return clock.Estimate{Source: clock.Timesyncd, Error: most, Detail: "systemd-timesyncd, by " + server, At: now},
		fmt.Sprintf("sets the clock by %s, and finds it at most %s off", server, clock.Length(most))
}

// sane reports whether the message's numbers, which come from the network, are such as can be reckoned with.
func (m ntpMessage) sane() bool {
	const century, hour = 100 * 365 * 24 * uint64(time.Hour/time.Microsecond), uint64(time.Hour / time.Microsecond)
	for _, instant := range []uint64{m.Origin, m.Receive, m.Transmit, m.Destination} {
		if instant > 2*century { // after 1970
			return false
		}
	}
	return max(m.RootDelay, m.RootDispersion, m.Jitter) <= hour // RFC 5905 has no more than 16 s of each
}
