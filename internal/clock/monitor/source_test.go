package monitor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/clock"
	"sallyport/test/host"
)

func TestKernel(t *testing.T) {
	ask := func(status int32) (clock.Estimate, string) {
		return Kernel{Now: time.Now, Adjtimex: func(x *unix.Timex) (int, error) {
			x.Status, x.Maxerror, x.Esterror = status, 12000, 300
			return 0, nil
		}}.Ask(context.Background())
	}
	if e, text := ask(0); e.Error != 12*time.Millisecond || !strings.Contains(text, "at most 12 ms off") {
		t.Errorf("synchronised: %+v, %q", e, text)
	}
	if e, text := ask(unix.STA_UNSYNC); e.Known() || !strings.Contains(text, "not synchronised") {
		t.Errorf("not synchronised: %+v, %q", e, text)
	}
	if _, text := (Kernel{Now: time.Now, Adjtimex: unix.Adjtimex}).Ask(context.Background()); !strings.Contains(text, "synchronised") {
		t.Errorf("this machine's: %q", text)
	}
}

// asked asks the servers until each has been heard of.
func asked(t *testing.T, s *Servers, want string) (e clock.Estimate, text string) {
	t.Helper()
	eventually(t, "the servers say "+want, func() bool {
		e, text = s.Ask(context.Background())
		return strings.Contains(text, want)
	})
	return e, text
}

// settled waits until nobody is being asked.
func settled(t *testing.T, s *Servers) {
	t.Helper()
	eventually(t, "the round is over", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return !s.busy })
}

func newServers(list ...string) *Servers {
	return &Servers{List: func() []string { return list }, Now: time.Now, Booted: clock.Booted, Done: func() {}}
}

func TestServersOutvoteAFalseOne(t *testing.T) {
	false1 := host.StartNTP(t, time.Hour)
	right := []*host.NTP{host.StartNTP(t, 42*time.Second), host.StartNTP(t, 42*time.Second)}
	s := newServers(right[0].Addr, false1.Addr, right[1].Addr)
	e, text := asked(t, s, "2 of 3 servers")
	if miss := (e.Offset + 42*time.Second).Abs(); miss > time.Second || !strings.Contains(text, "42 s slow") {
		t.Errorf("%+v, %q", e, text)
	}
	for range 20 {
		s.Ask(context.Background())
	}
	settled(t, s)
	for _, n := range append(right, false1) {
		if q := n.Queries(); q != 1 {
			t.Errorf("%s was asked %d times within ten minutes", n.Addr, q)
		}
	}
	if e, text := newServers().Ask(context.Background()); e.Known() || text != "" {
		t.Errorf("without servers: %+v, %q", e, text)
	}
}

func TestServersThatDisagree(t *testing.T) {
	s := newServers(host.StartNTP(t, 0).Addr, host.StartNTP(t, time.Hour).Addr)
	if e, _ := asked(t, s, "2 servers that answered disagree"); e.Known() {
		t.Errorf("%+v", e)
	}
}

// TestKissOfDeath shows that a server that does not want to be asked is not, however long it takes.
func TestKissOfDeath(t *testing.T) {
	for code, again := range map[string]int{"DENY": 0, "RSTR": 0, "RATE": 1} {
		n := host.StartNTP(t, 0)
		n.Kiss(code)
		s := newServers(n.Addr)
		asked(t, s, code)
		later := func(d time.Duration) {
			settled(t, s)
			s.mu.Lock()
			for _, k := range s.known {
				k.next = k.next.Add(-d)
			}
			s.mu.Unlock()
			before := n.Queries()
			s.Ask(context.Background())
			settled(t, s)
			if got := n.Queries() - before; got != 0 && d < 2*serverEvery || got != again && d >= 2*serverEvery {
				t.Errorf("%s, %v later: asked %d times", code, d, got)
			}
		}
		later(serverEvery)
		later(2 * serverEvery)
	}
}

func TestTracking(t *testing.T) {
	const good = "7F000001,127.0.0.1,2,1795558095.044439447,42.000011444,-0.000005643,0.000004865,6.385,-0.129,12.384,0.000056102,0.000010321,1.0,Normal\n"
	e, err := parseTracking(good)
	if err != nil || (e.Offset+42*time.Second).Abs() > time.Millisecond || e.Error > time.Millisecond || e.Error == 0 {
		t.Errorf("%+v, %v", e, err)
	}
	for _, bad := range []string{
		"", "506 Cannot talk to daemon", strings.Replace(good, "42.0", "x", 1), strings.Replace(good, "42.0", "1e300", 1), strings.Replace(good, "42.000011444", "NaN", 1),
		"7F7F0101,,8,1795561295.638531405,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal",
		"00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised",
	} {
		if e, err := parseTracking(bad); err == nil {
			t.Errorf("%q: %+v", bad, e)
		}
	}
}

// TestChronyThatMisbehaves has the program be somebody else's, hang, and talk without an end.
func TestChronyThatMisbehaves(t *testing.T) {
	script := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ask := func(path string) string {
		e, text := Chrony{Program: path, Now: time.Now}.Ask(context.Background())
		if e.Known() {
			t.Errorf("%s: %+v", path, e)
		}
		return text
	}
	if text := ask("/nowhere/chronyc"); text != "" {
		t.Errorf("not installed: %q", text)
	}
	if text := ask(script("hangs", "exec sleep 1000")); !strings.Contains(text, "does not answer") {
		t.Errorf("hangs: %q", text)
	}
	if text := ask(script("talks", "exec yes")); len(text) > 5000 {
		t.Errorf("talks: %d bytes", len(text))
	}
	open := script("open", "echo")
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if text := ask(open); !strings.Contains(text, "is not asked") {
		t.Errorf("others may write it: %q", text)
	}
}

func TestMend(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  string
	}{
		{nil, "apt-get install chrony"},
		{[]string{"/usr/bin/dnf"}, "dnf install chrony"},
		{[]string{"/run/chrony/chronyd.pid", "/usr/lib/systemd/system/systemd-timesyncd.service"}, "chronyc makestep"},
		{[]string{"/run/systemd/timesync/synchronized", "/usr/lib/systemd/system/systemd-timesyncd.service"}, "systemctl restart systemd-timesyncd"},
		{[]string{"/usr/lib/systemd/system/systemd-timesyncd.service"}, "timedatectl set-ntp true"},
		{[]string{"/lib/systemd/system/chrony.service"}, "systemctl enable --now chrony"},
		{[]string{"/run/ntpd.pid", "/usr/lib/systemd/system/ntpsec.service"}, "systemctl restart ntpsec"},
		{[]string{"/usr/lib/systemd/system/ntpsec.service"}, "systemctl enable --now ntpsec"},
	} {
		root := t.TempDir()
		for _, f := range c.files {
			path := filepath.Join(root, f)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := Mend(root); got != c.want {
			t.Errorf("with %v: %q, want %q", c.files, got, c.want)
		}
	}
}

func TestGuest(t *testing.T) {
	root := t.TempDir()
	if Guest(root) {
		t.Error("an empty host is a guest")
	}
	path := filepath.Join(root, "/sys/class/ptp/ptp0/clock_name")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("KVM virtual PTP\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !Guest(root) {
		t.Error("a host with the hypervisor's clock is no guest")
	}
	bad := clock.State{Estimate: clock.Estimate{Source: clock.Codes}, Bad: true}
	if text := hint(bad, nil, true); !strings.Contains(text, "hypervisor") {
		t.Errorf("%q", text)
	}
	chrony := []Answer{{Estimate: clock.Estimate{Source: clock.Chrony}, Name: clock.Chrony}}
	if text := hint(bad, chrony, true); !strings.Contains(text, "servers") {
		t.Errorf("%q", text)
	}
	if text := hint(clock.State{}, chrony, true); text != "" {
		t.Errorf("%q", text)
	}
}

// TestWatchJumpsEnds shows that the kernel takes the timer, and that the watch ends with its context.
func TestWatchJumpsEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	jumped := make(chan struct{}, 1)
	go func() { done <- WatchJumps(ctx, jumped) }()
	select {
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	case <-time.After(20 * time.Millisecond): // an error would come at once
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("%v", err)
	}
	if len(jumped) > 0 {
		t.Error("a jump, and nobody set the clock")
	}
}
