package audit

import (
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// journal sends events to systemd-journald in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), one datagram
// each.
//
// It does not use go-systemd's journal.Send: when journald hangs and its queue is full, that waits without an end,
// and the login with it. Here such an event goes to the text log instead.
type journal struct {
	path    string // of journald's socket; looked up at each event, as journald may come and go
	instead Log

	mu     sync.Mutex
	socket int // 0: none yet
}

func (j *journal) Record(e Event) {
	if j.send(e) != nil {
		j.instead.Record(e)
	}
}

func (j *journal) send(e Event) error {
	socket, err := j.open()
	if err != nil {
		return err
	}
	for {
		err = unix.Sendto(socket, entry(e), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: j.path})
		if err != unix.EINTR {
			return err
		}
	}
}

// open returns the socket to send from. It stays open as long as the process lives.
func (j *journal) open() (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.socket != 0 {
		return j.socket, nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	j.socket = fd
	return fd, nil
}

// entry is the datagram: a line NAME=value for each field. No value has a line feed, for all are escaped.
func entry(e Event) []byte {
	b := make([]byte, 0, 1024) // more than most need
	add := func(name, value string) {
		b = append(b, name...)
		b = append(b, '=')
		b = append(b, value...)
		b = append(b, '\n')
	}
	a, fields := e.Kind.about(), e.fields()
	add("MESSAGE", e.message(fields))
	add("MESSAGE_ID", a.id)
	add("PRIORITY", strconv.Itoa(int(a.priority)))
	add("SYSLOG_IDENTIFIER", "sallyport")
	add("SYSLOG_FACILITY", "10") // authpriv
	add("SALLYPORT_KIND", plain(string(e.Kind)))
	for _, f := range fields {
		add(f.name, escape(cut(f.value, maxReason)))
	}
	return b
}
