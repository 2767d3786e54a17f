package logind

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/godbus/dbus/v5"

	"sallyport/internal/session"
)

// reply is a message of the bus with this body, as it comes over the socket.
func reply(t testing.TB, body ...any) []byte {
	t.Helper()
	m := &dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(body...)),
	}, Body: body}
	var b bytes.Buffer
	if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzReply gives what logind may answer about a session. Only a session that names this very process as its leader, and
// this user, is ended.
func FuzzReply(f *testing.F) {
	l, err := session.Kernel{}.Identify(os.Getpid())
	if err != nil {
		f.Fatal(err)
	}
	const nobodys = 7 // a PID that is not ours, so that no session may be ended
	f.Add(reply(f, properties(nobodys, 1000)))
	f.Add(reply(f, map[string]dbus.Variant{"Id": dbus.MakeVariant([]string{"c1"}), "Leader": dbus.MakeVariant(int64(nobodys)), "User": dbus.MakeVariant([]any{})}))
	f.Add(reply(f, dbus.ObjectPath("/org/freedesktop/login1/session/c1")))
	f.Fuzz(func(t *testing.T, sent []byte) {
		m, err := dbus.DecodeMessage(bytes.NewReader(sent))
		if err != nil {
			return
		}
		var path dbus.ObjectPath
		_ = dbus.Store(m.Body, &path) // as terminate takes it: what is no path is refused
		var all map[string]dbus.Variant
		if dbus.Store(m.Body, &all) != nil {
			return
		}
		if leader, ok := all["Leader"].Value().(uint32); ok && int(leader) == l.PID {
			return
		}
		if id, err := judge(all, l, 1000); err == nil {
			t.Errorf("the session %q of another process would be ended", id)
		}
	})
}
