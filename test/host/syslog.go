package host

import (
	"net"
	"os"
	"strings"
	"sync"
)

// Syslog is what the private host's programs have written to syslog(3) since it was started.
type Syslog struct {
	mu   sync.Mutex
	text strings.Builder
}

// StartSyslog listens on /dev/log until the end of the test.
func StartSyslog(t T) *Syslog {
	t.Helper()
	const path = "/dev/log"
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		_ = socket.Close() // ends the goroutine
		_ = os.Remove(path)
	})
	s := &Syslog{}
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			s.mu.Lock()
			s.text.Write(append(buffer[:n:n], '\n'))
			s.mu.Unlock()
		}
	}()
	return s
}

// Text is all lines so far.
func (s *Syslog) Text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
