package monitor

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/godbus/dbus/v5"

	"sallyport/internal/clock"
)

// believable fails for an estimate that nobody could have measured, or that a terminal would obey.
func believable(t *testing.T, e clock.Estimate, text string) {
	t.Helper()
	const most = 100 * 365 * 24 * time.Hour
	if e.Error < 0 || e.Error > most || e.Offset.Abs() > most {
		t.Errorf("this passes for a clock's: %s, ± %s", e.Offset, e.Error)
	}
	if strings.ContainsFunc(e.Detail+text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("this is shown: %q, %q", e.Detail, text)
	}
}

func FuzzParseTracking(f *testing.F) {
	for _, seed := range []string{
		"C0000201,ntp.example,3,1795559304.123456789,0.000012345,0.000001,0.000002,-12.3,0.001,0.01,0.020,0.003,64.2,Normal\n",
		"7F7F0101,,10,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal\n",
		",,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n",
		"C0000201,\"a\nb\",3,1,NaN,0,0,0,0,0,Inf,-Inf,0,Normal\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, err := parseTracking(line)
		text := ""
		if err != nil {
			text = err.Error()
		}
		believable(t, e, text)
	})
}

// FuzzTimesyncd gives the message of the bus that says what timesyncd knows. Its numbers are those of an NTP server.
func FuzzTimesyncd(f *testing.F) {
	now := uint64(noon.UnixMicro())
	for _, m := range []ntpMessage{
		{Stratum: 2, RootDelay: 2000, RootDispersion: 3000, Reference: []byte{127, 0, 0, 1}, Jitter: 500, Packets: 3,
			Origin: now - 60e6, Receive: now - 60e6 + 20000, Transmit: now - 60e6 + 20000, Destination: now - 60e6 + 1000},
		{Packets: 1, RootDelay: ^uint64(0), RootDispersion: 1 << 62, Receive: 1 << 63, Destination: now},
	} {
		var b bytes.Buffer
		v := dbus.MakeVariant(m)
		reply := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(v)),
		}, Body: []any{v}}
		if err := reply.EncodeTo(&b, binary.LittleEndian); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), "ntp.example")
	}
	f.Fuzz(func(t *testing.T, sent []byte, server string) {
		reply, err := dbus.DecodeMessage(bytes.NewReader(sent))
		if err != nil {
			return
		}
		var v dbus.Variant
		var m ntpMessage
		if dbus.Store(reply.Body, &v) != nil || dbus.Store([]any{v.Value()}, &m) != nil {
			return
		}
		e, text := m.estimate(noon, printable(server))
		believable(t, e, text)
	})
}
