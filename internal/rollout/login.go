package rollout

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is what proc_pid_stat(5) says of one.
type process struct {
	pid     int
	name    string
	parent  int
	session int   // the pid of its session's leader
	start   int64 // nanoseconds of CLOCK_BOOTTIME
}

// tick is the unit of proc_pid_stat(5) in nanoseconds: 1/USER_HZ, on every architecture that Go runs on.
const tick = int64(time.Second) / 100

func readProcess(pid int) (process, error) {
	p := process{pid: pid}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, err
	}
	// The name is in brackets, and may have any character in it.
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[end+1:]))
	if open < 0 || end < open || len(fields) < 20 {
		return p, errors.New("/proc is not as proc_pid_stat(5) says")
	}
	p.name = string(data[open+1 : end])
	ticks, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return p, err
	}
	p.start = ticks * tick
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return p, err
	}
	p.session, err = strconv.Atoi(fields[3])
	return p, err
}

// bootTime is which start of the machine this is, and the time since.
func bootTime() (boot string, since int64, err error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", 0, err
	}
	var now unix.Timespec
	err = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	return strings.TrimSpace(string(id)), now.Nano(), err
}

// doors are the programs that one comes in by.
func (t Target) doors() []string {
	return map[Target][]string{
		SSH: {"sshd", "sshd-session"}, Sudo: {"sudo"}, Cockpit: {"cockpit-session", "cockpit-bridge"},
	}[t]
}

// NotNewError says why this is no login that shows that the change works.
type NotNewError struct {
	Target Target
	Door   string // the program that it came in by, before the change; "": by none of the target's
}

func (e *NotNewError) Error() string {
	if e.Door == "" {
		return fmt.Sprintf("no %s is above this process", e.Target.doors()[0])
	}
	return fmt.Sprintf("the %s above this process is from before the change", e.Door)
}

// checkNew looks for the door above this process. For sudo the terminal's session must be new, too: in an old one sudo
// asks nothing for a while.
func (s Setup) checkNew(v *Saved) error {
	boot, _, err := bootTime()
	if err != nil {
		return err
	}
	door, err := s.findDoor()
	if err != nil {
		return err
	}
	// A start is cut to whole ticks, so it was up to one later.
	old := func(p process) bool { return boot == v.Boot && p.start+tick <= v.Since }
	if old(door) {
		return &NotNewError{s.Target, door.name}
	}
	if s.Target != Sudo {
		return nil
	}
	leader, err := readProcess(door.session)
	if err != nil || old(leader) {
		return &NotNewError{s.Target, "terminal of the " + door.name}
	}
	return nil
}

// findDoor is the nearest process of a door above this one, and of several in a row the outermost: the one that has been
// there since somebody knocked. The sshd that listens for everybody is none.
func (s Setup) findDoor() (process, error) {
	const deepest = 256
	p, err := readProcess(os.Getpid())
	for range deepest {
		if err != nil || p.parent <= 0 {
			break
		}
		if p, err = readProcess(p.parent); err != nil || !s.Target.isDoor(p) {
			continue
		}
		for {
			above, err := readProcess(p.parent)
			if err != nil || !s.Target.isDoor(above) {
				return p, nil
			}
			p = above
		}
	}
	return process{}, &NotNewError{Target: s.Target}
}

func (t Target) isDoor(p process) bool {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
	return slices.Contains(t.doors(), p.name) && err == nil && !bytes.Contains(title, []byte("[listener]"))
}
