package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a person at a pseudo-terminal (pty(7)) on which one program runs.
type Terminal struct {
	t      T
	cmd    *exec.Cmd
	master *os.File
	name   string        // /dev/pts/N
	over   chan struct{} // closed when the program has ended and all it wrote has been read

	mu   sync.Mutex
	text []byte // all that it wrote
	seen int    // how much of text Expect has gone past
}

// Open starts cmd on a terminal of 120 columns and 50 rows. It is killed at the end of the test.
func Open(t T, cmd *exec.Cmd) *Terminal {
	t.Helper()
	master, name, err := openPTY()
	if err != nil {
		t.Fatalf("%v", err)
	}
	slave, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	x := &Terminal{t: t, cmd: cmd, master: master, name: name, over: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // Wait, below, tells
		close(ended)
	}()
	go x.read(ended)
	t.Cleanup(x.Close)
	return x
}

// openPTY does not take os.OpenFile's word for it that ptmx can be polled: Close has to end a Read.
func openPTY() (*os.File, string, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, "", fmt.Errorf("opening /dev/ptmx: %w", err)
	}
	master := os.NewFile(uintptr(fd), "/dev/ptmx")
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 120})
	}
	if err != nil {
		master.Close()
		return nil, "", fmt.Errorf("setting up a pseudo-terminal: %w", err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", number), nil
}

// read collects what the program writes. While nobody has the terminal open, as after the vhangup of login(1), reads
// fail with EIO; that is the end only if the program has ended too.
func (x *Terminal) read(ended <-chan struct{}) {
	defer close(x.over)
	defer func() { <-ended }()
	buffer := make([]byte, 4096)
	for {
		n, err := x.master.Read(buffer)
		x.mu.Lock()
		x.text = append(x.text, buffer[:n]...)
		x.mu.Unlock()
		if err == nil {
			continue
		}
		if !errors.Is(err, unix.EIO) {
			return
		}
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Expect waits until what the program writes matches a regular expression and returns the match and its groups. The
// next Expect begins behind the match. The end of the program without a match fails the test.
func (x *Terminal) Expect(pattern string) []string {
	x.t.Helper()
	found := x.Meet(pattern)
	if found == nil {
		x.t.Fatalf("%q is not on the terminal of %s (ended: %t), which shows:\n%s", pattern, x.cmd.Path, x.isOver(), x.Text())
	}
	return found
}

// Meet is Expect for what need not come: nil is the end of the program, or of patience.
func (x *Terminal) Meet(pattern string) []string {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	poll(func() bool {
		over := x.isOver() // before looking, so that nothing is missed
		found = x.match(re)
		return found != nil || over
	})
	return found
}

func (x *Terminal) match(re *regexp.Regexp) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	rest := x.text[x.seen:]
	at := re.FindSubmatchIndex(rest)
	if at == nil {
		return nil
	}
	var found []string
	for _, group := range re.FindSubmatch(rest) {
		found = append(found, string(group))
	}
	x.seen += at[1]
	return found
}

// Answer waits for a prompt and replies to it.
func (x *Terminal) Answer(prompt, text string) {
	x.t.Helper()
	x.Expect(prompt)
	x.Reply(text)
}

// Reply types text and Enter once somebody reads it: who asks for a password throws away what was typed before
// (TCSAFLUSH), some after they have written the prompt.
func (x *Terminal) Reply(text string) {
	x.t.Helper()
	x.awaitRead()
	x.Type(text + "\n")
}

// Interrupt types Ctrl-C once somebody reads from the terminal: between two prompts sudo does not heed it.
func (x *Terminal) Interrupt() {
	x.t.Helper()
	x.awaitRead()
	x.Type("\x03")
}

func (x *Terminal) awaitRead() {
	x.t.Helper()
	if !poll(x.isRead) {
		x.t.Fatalf("%s does not read a reply; its terminal shows:\n%s", x.cmd.Path, x.Text())
	}
}

// Type types text, whoever reads it or not.
func (x *Terminal) Type(text string) {
	x.t.Helper()
	if _, err := x.master.WriteString(text); err != nil {
		x.t.Fatalf("typing on the terminal of %s: %v\n%s", x.cmd.Path, err, x.Text())
	}
}

// Offer is Type for a program that may have ended.
func (x *Terminal) Offer(text string) { _, _ = x.master.WriteString(text) }

// Wait waits for the end of the program and returns its exit status.
func (x *Terminal) Wait() int {
	x.t.Helper()
	if !poll(x.isOver) {
		x.t.Fatalf("%s does not end; its terminal shows:\n%s", x.cmd.Path, x.Text())
	}
	return exitStatus(x.cmd.ProcessState.Sys().(syscall.WaitStatus))
}

// Ended reports whether the program has ended and all that it wrote has been read.
func (x *Terminal) Ended() bool { return x.isOver() }

// Signal sends the program a signal.
func (x *Terminal) Signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatalf("%s: %v", x.cmd.Path, err)
	}
}

// Text is all that the terminal has shown.
func (x *Terminal) Text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.text)
}

// Close kills the program, hangs the terminal up and waits for both.
func (x *Terminal) Close() {
	_ = x.cmd.Process.Kill() // it may have ended
	_ = x.master.Close()     // a second time does nothing
	<-x.over
}

func (x *Terminal) isOver() bool {
	select {
	case <-x.over:
		return true
	default:
		return false
	}
}

// isRead reports whether a thread waits in read(2) on the terminal: /proc/PID/task/TID/syscall (proc(5)) has the
// number of the system call and its first argument, the descriptor.
func (x *Terminal) isRead() bool {
	threads, _ := filepath.Glob("/proc/[0-9]*/task/*/syscall") // the pattern is well formed
	for _, path := range threads {
		text, err := os.ReadFile(path)
		fields := strings.Fields(string(text))
		if err != nil || len(fields) < 2 || fields[0] != strconv.Itoa(unix.SYS_READ) {
			continue
		}
		fd, err := strconv.ParseInt(fields[1], 0, 32)
		if err != nil {
			continue
		}
		process := filepath.Dir(filepath.Dir(filepath.Dir(path)))
		target, err := os.Readlink(filepath.Join(process, "fd", strconv.FormatInt(fd, 10)))
		if err == nil && (target == x.name || target == "/dev/tty" && x.controls(process)) {
			return true
		}
	}
	return false
}

// controls reports whether the terminal is the one that /dev/tty means to a process.
func (x *Terminal) controls(process string) bool {
	text, err := os.ReadFile(filepath.Join(process, "stat"))
	if err != nil {
		return false
	}
	// The name, in brackets, may have blanks: count from behind it. tty_nr is the fifth field then.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var st unix.Stat_t
	if len(fields) < 5 || unix.Stat(x.name, &st) != nil {
		return false
	}
	return fields[4] == strconv.FormatUint(st.Rdev, 10)
}
