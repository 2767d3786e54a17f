package server

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Peer is who connected, as the kernel saw it at connect(2) (SO_PEERCRED, unix(7)). Nothing that the peer says about
// itself counts beside it.
type Peer struct {
	UID uint32
	PID int32
}

// credentials asks the kernel who is at the other end.
func credentials(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("peer credentials: %w", err)
	}
	var cred *unix.Ucred
	var sockErr error
	if err := raw.Control(func(fd uintptr) {
		cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Peer{}, fmt.Errorf("peer credentials: %w", err)
	}
	if sockErr != nil {
		return Peer{}, fmt.Errorf("peer credentials: %w", sockErr)
	}
	return Peer{UID: cred.Uid, PID: cred.Pid}, nil
}
