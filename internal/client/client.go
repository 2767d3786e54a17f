// Package client calls the daemon's Varlink interfaces. The calls themselves are the generated ones of internal/api, on
// the connection that Dial makes; Sentence says what an error of theirs means.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/varlink/go/varlink"
	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// dialTimeout is how long the daemon may take to accept a connection: it does nothing else first.
const dialTimeout = 5 * time.Second

// DialError says that no connection was made.
type DialError struct {
	Path string // of the socket
	Err  error
}

func (e *DialError) Error() string { return fmt.Sprintf("connecting to %q: %v", e.Path, e.Err) }

func (e *DialError) Unwrap() error { return e.Err }

var errNotRoot = errors.New("it is not root who listens there")

// Dial connects to the daemon. The error is a *DialError.
func Dial(ctx context.Context, root disk.Root) (*varlink.Connection, error) {
	path := root.VarlinkSocket()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := varlink.NewConnectionWithDialer(ctx, "unix:"+path, dialer{})
	if err != nil {
		return nil, &DialError{path, err}
	}
	return conn, nil
}

// dialer connects to who may be told codes: root, or the caller itself in a tree of its own.
type dialer struct{}

func (dialer) DialContext(ctx context.Context, network, path string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, path)
	if err != nil {
		return nil, err
	}
	uid, err := peerUID(conn.(*net.UnixConn))
	if err == nil && uid != 0 && int(uid) != os.Geteuid() {
		err = errNotRoot
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// peerUID is who listened (SO_PEERCRED, unix(7)).
func peerUID(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var sockErr error
	if err := raw.Control(func(fd uintptr) {
		cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if sockErr != nil {
		return 0, sockErr
	}
	return cred.Uid, nil
}
