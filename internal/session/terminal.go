package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
)

// maxFamily is at how many processes of a session we look for terminals.
const maxFamily = 512

// Terminals looks through the leader's descendants: sshd's own process has none, the shells below it do.
func (k Kernel) Terminals(l Leader) []string {
	if now, err := k.Identify(l.PID); err != nil || now != l {
		return nil
	}
	var found []string
	family := []int{l.PID}
	for i := 0; i < len(family) && len(family) < maxFamily; i++ {
		if s, err := readStat(family[i]); err == nil {
			if name := terminalName(s.terminal); name != "" && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
		family = append(family, children(family[i])...)
	}
	return found
}

// children reads /proc/PID/task/TID/children, of each thread; a kernel without it shows none.
func children(pid int) []int {
	var all []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well formed
	for _, file := range files {
		text, _ := os.ReadFile(file) // it may have gone
		for _, f := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(f); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// Device numbers of terminals; see Documentation/admin-guide/devices.txt in the kernel.
const (
	consoles   = 4 // minor below 64: tty0 …
	firstPTY   = 136
	lastPTY    = 143
	maxConsole = 63
)

// terminalName is the name below /dev of a terminal by its device number; "": it is none that a person sits at.
func terminalName(device uint64) string {
	major, minor := unix.Major(device), unix.Minor(device)
	switch {
	case major == consoles && minor > 0 && minor <= maxConsole:
		return fmt.Sprintf("tty%d", minor)
	case major >= firstPTY && major <= lastPTY:
		return fmt.Sprintf("pts/%d", (major-firstPTY)<<8|minor)
	}
	return ""
}

// PAMTerminal is the terminal that PAM_TTY names; "": it names none, as sshd's "ssh".
func PAMTerminal(tty string) string {
	tty = strings.TrimPrefix(tty, "/dev/")
	kind, number := "tty", strings.TrimPrefix(tty, "tty")
	if number == tty {
		kind, number = "pts/", strings.TrimPrefix(tty, "pts/")
	}
	if n, err := strconv.ParseUint(number, 10, 20); err != nil || kind+strconv.FormatUint(n, 10) != tty {
		return ""
	}
	return tty
}

// Terminals are those of a window: where its processes run, or else what PAM was told.
func Terminals(p Processes, w ledger.Window) []string {
	if found := p.Terminals(LeaderOf(w)); len(found) > 0 {
		return found
	}
	if name := PAMTerminal(w.TTY); name != "" {
		return []string{name}
	}
	return nil
}

// Tell writes a line to those of the terminals that are the user's. It follows no link, waits for nobody, and never
// makes a terminal its own; a device that is somebody else's by now is left alone.
func Tell(terminals []string, uid uint32, text string) {
	for _, name := range terminals {
		if PAMTerminal(name) == name {
			_ = tell("/dev/"+name, uid, text) // the session is ended either way
		}
	}
}

func tell(path string, uid uint32, text string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Uid != uid || terminalName(st.Rdev) == "" {
		return errors.New("not a terminal of the user")
	}
	_, err = unix.Write(fd, []byte("\r\n\a"+printable(text)+"\r\n"))
	return err
}

// printable leaves out what could drive a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
