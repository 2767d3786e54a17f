package faults

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sallyport/internal/wire"
	"sallyport/test/host"
)

// talkers are connections of root's to the Varlink socket, each with most of a message sent.
func (s *scene) talkers(n int) []net.Conn {
	s.t.Helper()
	half := []byte(`{"method":"` + strings.Repeat("x", 60<<10))
	all := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("unix", s.root.VarlinkSocket())
		if err != nil {
			break // it is gone
		}
		all = append(all, c)
		_, _ = c.Write(half) // it may be gone by now
	}
	return all
}

// otherFaults are those of what the daemon asks.
func otherFaults() []fault {
	dir, err := os.MkdirTemp("", "nss-") // gone with the private host
	if err != nil {
		panic(err)
	}
	flag := filepath.Join(dir, "hang")
	return []fault{
		{
			name:  "user database that does not answer",
			disk:  func(s *scene) { hangingUsers(s, dir) },
			env:   []string{"LD_LIBRARY_PATH=" + dir, "NSS_HANG=" + flag},
			begin: func(s *scene) { hang(s, flag) },
			end: func(s *scene) {
				if err := os.Remove(flag); err != nil {
					s.t.Fatal(err)
				}
			},
			want: allUnavailable,
		},
	}
}

// hang has the source of users hang, and returns when the daemon has asked it for alice: it believes for two seconds what it
// was told before.
func hang(s *scene, flag string) {
	s.t.Helper()
	host.WriteFile(s.t, flag, "", 0o600)
	begin := wire.Request{Kind: wire.Begin, User: s.alice.Name, Service: s.service, PID: os.Getpid()}
	host.Eventually(s.t, "the daemon asks for alice", func() bool {
		unix, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: s.root.PamSocket(), Net: "unixpacket"})
		if err != nil {
			s.t.Fatal(err)
		}
		c := wire.NewConn(unix)
		defer c.Close()
		if err := c.Write(begin.Packet(), time.Now().Add(deadline)); err != nil {
			s.t.Fatal(err)
		}
		_, err = os.Stat(flag + "." + s.alice.Name)
		return err == nil
	})
}

// hangingUsers puts a source of users before the files, which hangs when it is told to (nsswitch.conf(5)). Only the
// daemon can load it.
func hangingUsers(s *scene, dir string) {
	s.t.Helper()
	host.Output(s.t, "gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC",
		"-o", filepath.Join(dir, "libnss_hang.so.2"), "testdata/nss_hang.c")
	host.Output(s.t, "sed", "-i", "s/^passwd:/passwd: hang /", "/etc/nsswitch.conf")
}
