package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk/disktest"
)

var someEvent = Event{Kind: LoginLocked, User: "alice", UID: 1000, Service: "sshd", Source: "10.0.0.5", TTY: "ssh", PID: 42, By: "root",
	Token: "phone", Reason: "three\nlines\nlong", Path: "/p", Method: "m", Count: 3, Until: time.Unix(1795467600, 0)}

// kept is a Log that keeps its events.
type kept struct {
	mu     sync.Mutex
	events []Event
}

func (k *kept) Record(e Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
}

// output is a writer that can be looked at while somebody writes.
type output struct {
	mu   sync.Mutex
	text string
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text += string(b)
	return len(b), nil
}

// lines waits until n lines are there.
func (o *output) lines(t *testing.T, n int) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		o.mu.Lock()
		text := o.text
		o.mu.Unlock()
		if got := strings.Count(text, "\n"); got >= n {
			return text
		} else if time.Now().After(deadline) {
			t.Fatalf("%d lines instead of %d:\n%s", got, n, text)
		}
	}
}

// listen binds a socket as journald does.
func listen(t *testing.T) (fd int, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "socket")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	return fd, path
}

func TestJournalEntry(t *testing.T) {
	fd, path := listen(t)
	instead := &kept{}
	(&journal{path: path, instead: instead}).Record(someEvent)
	buffer := make([]byte, 1<<16)
	n, err := unix.Read(fd, buffer)
	if err != nil {
		t.Fatal(err)
	}
	want := `MESSAGE=` + someEvent.Message() + `
MESSAGE_ID=` + kinds[LoginLocked].id + `
PRIORITY=4
SYSLOG_IDENTIFIER=sallyport
SYSLOG_FACILITY=10
SALLYPORT_KIND=login-locked
SALLYPORT_USER=alice
SALLYPORT_UID=1000
SALLYPORT_TOKEN=phone
SALLYPORT_SERVICE=sshd
SALLYPORT_SOURCE=10.0.0.5
SALLYPORT_TTY=ssh
SALLYPORT_PID=42
SALLYPORT_BY=root
SALLYPORT_METHOD=m
SALLYPORT_PATH=/p
SALLYPORT_COUNT=3
SALLYPORT_UNTIL=2026-11-23T21:00:00Z
SALLYPORT_REASON=three\nlines\nlong
`
	if got := string(buffer[:n]); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if len(instead.events) != 0 {
		t.Error("what the journal took went to the other log too")
	}
}

// TestJournalIsFull has nobody read the socket: what does not fit goes to the other log, and nobody waits.
func TestJournalIsFull(t *testing.T) {
	_, path := listen(t)
	instead := &kept{}
	log := &journal{path: path, instead: instead}
	const events = 3000
	for range events {
		log.Record(someEvent)
	}
	if len(instead.events) == 0 || len(instead.events) == events {
		t.Errorf("%d of %d events went to the other log", len(instead.events), events)
	}
}

func TestJournalComesAndGoes(t *testing.T) {
	instead := &kept{}
	log := &journal{path: filepath.Join(t.TempDir(), "none"), instead: instead}
	log.Record(someEvent)
	if len(instead.events) != 1 {
		t.Fatal("without a journal the event is lost")
	}
	fd, path := listen(t)
	log.path = path
	log.Record(someEvent)
	if len(instead.events) != 1 {
		t.Error("a journal that came later is not used")
	}
	_ = unix.Close(fd)
	log.Record(someEvent)
	if len(instead.events) != 2 {
		t.Error("after the journal went the event is lost")
	}
}

func TestText(t *testing.T) {
	var out output
	log := &text{w: &out, now: func() time.Time { return time.Date(2026, 11, 23, 22, 0, 0, 5, time.FixedZone("", 3600)) }}
	log.Record(Event{Kind: LoginAccepted, User: "alice", Service: "sshd", Source: "10.0.0.5"})
	log.Record(Event{Kind: DaemonStopped})
	want := "2026-11-23T21:00:00Z login accepted: user \"alice\", service sshd, from 10.0.0.5\n2026-11-23T21:00:00Z daemon stopped\n"
	if got := out.lines(t, 2); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestTextHangs has a writer that takes nothing until it is told to.
func TestTextHangs(t *testing.T) {
	r, w := io.Pipe()
	log := &text{w: w, now: time.Now}
	for range 3 * backlog { // comes to its end: a writer that hangs does not hold its callers up
		log.Record(Event{Kind: DaemonStarted})
	}
	lines := make(chan string)
	go func() {
		data, _ := io.ReadAll(r)
		lines <- string(data)
	}()
	for deadline := time.Now().Add(time.Minute); log.hangs.Load(); {
		if time.Now().After(deadline) {
			t.Fatal("the writer is thought to hang after it took a line")
		}
	}
	for len(log.lines) > 0 { // the backlog
		log.Record(Event{Kind: DaemonStarted})
	}
	log.Record(Event{Kind: DaemonStopped})
	_ = w.Close()
	if got := <-lines; !strings.Contains(got, "daemon started\n") || !strings.HasSuffix(got, "daemon stopped\n") {
		t.Errorf("after the writer came back, it got %q", got)
	}
}

func TestConcurrent(t *testing.T) {
	var out output
	log := &journal{path: filepath.Join(t.TempDir(), "none"), instead: &text{w: &out, now: time.Now}}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 { // together less than the backlog
				log.Record(someEvent)
			}
		})
	}
	group.Wait()
	if n := strings.Count(out.lines(t, 160), "Z login locked: user \"alice\""); n != 160 {
		t.Errorf("%d whole lines instead of 160", n)
	}
}

// TestOpen: a terminal gets text, anything else the journal.
func TestOpen(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	if _, ok := Open(terminal).(*text); !ok {
		t.Error("a terminal does not get text")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	for _, w := range []io.Writer{null, io.Discard} {
		if _, ok := Open(w).(*journal); !ok {
			t.Errorf("%T does not leave it to the journal", w)
		}
	}
}

// TestRealJournal records through systemd-journald, in a mount namespace of its own, and reads back with journalctl.
func TestRealJournal(t *testing.T) {
	const daemon = "/lib/systemd/systemd-journald"
	for _, program := range []string{daemon, "journalctl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: run make deps", err)
		}
	}
	if !disktest.InMountNamespace(t) {
		return
	}
	disktest.Tmpfs(t, "/run", "64m")
	if err := os.MkdirAll("/run/log/journal", 0o755); err != nil {
		t.Fatal(err)
	}
	journald := exec.Command(daemon)
	if err := journald.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = journald.Process.Kill()
		_ = journald.Wait()
	}()
	instead := &kept{}
	log := Open(io.Discard).(*journal)
	log.instead = instead
	deadline := time.Now().Add(30 * time.Second)
	for log.Record(someEvent); len(instead.events) > 0; log.Record(someEvent) {
		instead.events = nil
		if time.Now().After(deadline) {
			t.Fatal("systemd-journald does not take events")
		}
		time.Sleep(10 * time.Millisecond)
	}
	var got map[string]string
	for got == nil {
		if time.Now().After(deadline) {
			t.Fatal("journalctl does not find the event")
		}
		out, _ := exec.Command("journalctl", "--directory=/run/log/journal", "--output=json", "MESSAGE_ID="+kinds[LoginLocked].id).Output()
		_ = json.NewDecoder(bytes.NewReader(out)).Decode(&got)
	}
	for name, want := range map[string]string{
		"MESSAGE": someEvent.Message(), "PRIORITY": "4", "SALLYPORT_USER": "alice", "SALLYPORT_REASON": `three\nlines\nlong`,
		"SALLYPORT_KIND": "login-locked", "SYSLOG_IDENTIFIER": "sallyport",
	} {
		if got[name] != want {
			t.Errorf("%s is %q instead of %q", name, got[name], want)
		}
	}
}

// TestFile has many write to a file: each line is whole, and is there when Record returns. What could hang is left to the
// goroutine.
func TestFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	log := Open(f).(*journal)
	log.path = filepath.Join(t.TempDir(), "none")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				log.Record(someEvent)
			}
		})
	}
	group.Wait()
	got, err := os.ReadFile(f.Name())
	if n := strings.Count(string(got), "Z login locked: user \"alice\""); err != nil || n != 800 || strings.Count(string(got), "\n") != 800 {
		t.Errorf("%d whole lines instead of 800, %v", n, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	for _, mayHang := range []io.Writer{w, io.Discard} {
		if Open(mayHang).(*journal).instead.(*text).direct {
			t.Errorf("%T is written to while a login waits", mayHang)
		}
	}
}
