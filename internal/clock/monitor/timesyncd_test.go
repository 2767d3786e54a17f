package monitor

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// bus starts a real dbus-daemon of its own, and returns its address.
func bus(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// TestTimesyncd asks over a real bus. Who answers there is the test: a real timesyncd would set this machine's clock.
func TestTimesyncd(t *testing.T) {
	address := bus(t)
	connect := func(ctx context.Context) (*dbus.Conn, error) { return dbus.Connect(address, dbus.WithContext(ctx)) }
	source := Timesyncd{Runtime: t.TempDir(), Now: time.Now, Connect: connect}
	if e, text := source.Ask(context.Background()); e.Known() || !strings.Contains(text, "does not answer") {
		t.Errorf("nobody is on the bus: %+v, %q", e, text)
	}
	conn, err := connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	now := uint64(time.Now().UnixMicro())
	message := ntpMessage{
		Stratum: 2, RootDelay: 2000, RootDispersion: 3000, Reference: []byte{127, 0, 0, 1}, Jitter: 500, Packets: 3,
		Origin: now - 60e6, Receive: now - 60e6 + 20000, Transmit: now - 60e6 + 20000, Destination: now - 60e6 + 1000,
	}
	const manager = "org.freedesktop.timesync1.Manager"
	properties, err := prop.Export(conn, "/org/freedesktop/timesync1", prop.Map{manager: {
		"NTPMessage": {Value: message}, "ServerName": {Value: "ntp.example"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.timesync1", 0); err != nil {
		t.Fatal(err)
	}
	e, text := source.Ask(context.Background())
	if !e.Known() || e.Offset != 0 || e.Error < 20*time.Millisecond || e.Error > 50*time.Millisecond || !strings.Contains(text, "ntp.example") {
		t.Errorf("%+v, %q", e, text)
	}
	message.Packets = 0
	properties.SetMust(manager, "NTPMessage", message)
	if e, text := source.Ask(context.Background()); e.Known() || !strings.Contains(text, "no answer yet") {
		t.Errorf("without an answer of a server: %+v, %q", e, text)
	}
	source.Runtime += "/gone"
	if e, text := source.Ask(context.Background()); e.Known() || text != "" {
		t.Errorf("it does not run: %+v, %q", e, text)
	}
}

func TestTimesyncdIsStale(t *testing.T) {
	m := ntpMessage{Packets: 1, Destination: uint64(noon.UnixMicro())}
	if e, text := m.estimate(noon.Add(24*time.Hour), "x"); e.Known() || !strings.Contains(text, "not of late") {
		t.Errorf("%+v, %q", e, text)
	}
	m.Ignored = true
	if e, _ := m.estimate(noon, "x"); e.Known() {
		t.Errorf("ignored: %+v", e)
	}
}
