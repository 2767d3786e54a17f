package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sallyport/internal/ledger"
)

// ErrGone says that a process has ended; whatever has its PID now is another one.
var ErrGone = errors.New("the process has ended")

// Leader is a process that leads a session: by its PID and by when it began, in clock ticks after boot, so that no later
// process with the PID is taken for it.
type Leader struct {
	PID   int
	Start uint64
}

// LeaderOf is who leads a window.
func LeaderOf(w ledger.Window) Leader { return Leader{w.PID, w.Start} }

// Processes is what is asked of the kernel.
type Processes interface {
	// Identify finds the process that has a PID now. The error is ErrGone where there is none.
	Identify(pid int) (Leader, error)
	// OwnedBy reports whether a process is the user's in every respect, so that the user could signal it by itself.
	OwnedBy(l Leader, uid uint32) bool
	// Open returns a handle to exactly this process, or ErrGone.
	Open(l Leader) (Handle, error)
	// Terminals are the terminals, such as "pts/1", on which the process and its descendants run.
	Terminals(l Leader) []string
}

// Handle is a process that is held on to: a signal to it goes to no other.
type Handle interface {
	FD() int // readable once the process has ended (pidfd_open(2))
	Signal(unix.Signal) error
	Close() error
}

// Alive reports whether a leader goes on. Where that cannot be found out it does: what counts against a limit must not
// stop counting by a fault.
func Alive(p Processes, l Leader) bool {
	now, err := p.Identify(l.PID)
	return err == nil && now == l || err != nil && !errors.Is(err, ErrGone)
}

// Kernel is the running kernel.
type Kernel struct{}

// Identify reads proc(5). A process that has ended and waits to be reaped is gone.
func (Kernel) Identify(pid int) (Leader, error) {
	s, err := readStat(pid)
	return Leader{pid, s.start}, err
}

// OwnedBy is as strict as kill(2) is.
func (k Kernel) OwnedBy(l Leader, uid uint32) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.PID))
	if err != nil {
		return false
	}
	id := strconv.FormatUint(uint64(uid), 10)
	for line := range strings.Lines(string(text)) {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			f := strings.Fields(ids) // real, effective, saved, file system
			return len(f) == 4 && f[0] == id && f[1] == id && f[2] == id && Alive(k, l)
		}
	}
	return false
}

// Open looks at the process after it is held: if it is the right one then, it was when it was taken hold of.
func (k Kernel) Open(l Leader) (Handle, error) {
	fd, err := unix.PidfdOpen(l.PID, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) { // EINVAL: the number is a thread's now
		return nil, ErrGone
	}
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	if now, err := k.Identify(l.PID); err != nil || now != l {
		_ = unix.Close(fd)
		if err == nil {
			err = ErrGone
		}
		return nil, err
	}
	return pidfd(fd), nil
}

// pidfd is pidfd_open(2)'s.
type pidfd int

func (p pidfd) FD() int { return int(p) }

func (p pidfd) Signal(s unix.Signal) error {
	err := unix.PidfdSendSignal(int(p), s, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	return os.NewSyscallError("pidfd_send_signal", err)
}

func (p pidfd) Close() error { return unix.Close(int(p)) }

// stat is what we need of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	terminal uint64 // tty_nr, field 7
	start    uint64 // starttime, field 22
}

func readStat(pid int) (stat, error) {
	if pid < 1 {
		return stat{}, ErrGone
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return stat{}, ErrGone
	}
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(text))
}

// parseStat counts from behind the name, which stands in brackets and may hold anything.
func parseStat(text string) (stat, error) {
	const state, terminal, start = 0, 4, 19 // fields 3, 7 and 22
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(f) <= start {
		return stat{}, fmt.Errorf("/proc/PID/stat has %d fields", len(f))
	}
	if strings.ContainsAny(f[state], "ZXx") {
		return stat{}, ErrGone
	}
	tty, err := strconv.ParseInt(f[terminal], 10, 32)
	began, err2 := strconv.ParseUint(f[start], 10, 64)
	return stat{uint64(uint32(tty)), began}, errors.Join(err, err2)
}
