package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// Listeners are the daemon's two sockets (DESIGN §6).
type Listeners struct {
	Pam     *net.UnixListener // SOCK_SEQPACKET
	Varlink *net.UnixListener // SOCK_STREAM
}

// Close lets nobody in any more. A socket that Listen made is removed; systemd's stays, and holds who connects for the
// next daemon.
func (l Listeners) Close() {
	for _, u := range []*net.UnixListener{l.Pam, l.Varlink} {
		if u != nil {
			_ = u.Close()
		}
	}
}

// Activated takes the sockets that systemd passed on (sd_listen_fds(3)); ok is false where it passed none. They are told
// apart by their type: one socket unit gives all its sockets one name (FileDescriptorName=, systemd.socket(5)). One
// without the other, or something else, is an error.
func Activated() (l Listeners, ok bool, err error) {
	files := activation.Files(true)
	if len(files) == 0 {
		return l, false, nil
	}
	for _, f := range files {
		err = errors.Join(err, l.take(f))
		_ = f.Close() // the listener has a descriptor of its own
	}
	if err == nil && (l.Pam == nil || l.Varlink == nil) {
		err = errors.New("systemd passed one socket, and must pass two")
	}
	if err != nil {
		l.Close()
		return Listeners{}, false, fmt.Errorf("%w: sallyportd.socket must have one ListenSequentialPacket and one ListenStream", err)
	}
	return l, true, nil
}

// take makes a listener of a socket that systemd passed.
func (l *Listeners) take(f *os.File) error {
	listener, err := net.FileListener(f)
	if err != nil {
		return fmt.Errorf("descriptor %d of systemd's is no listening socket: %w", f.Fd(), err)
	}
	u, ok := listener.(*net.UnixListener)
	if !ok {
		_ = listener.Close()
		return fmt.Errorf("the socket %s of systemd's is no Unix socket", listener.Addr())
	}
	switch network := u.Addr().Network(); {
	case network == "unixpacket" && l.Pam == nil:
		l.Pam = u
	case network == "unix" && l.Varlink == nil:
		l.Varlink = u
	default:
		_ = u.Close()
		return fmt.Errorf("systemd passed a socket too many, %s", u.Addr())
	}
	return nil
}

// Listen makes both sockets in the runtime directory, which the ledger has made, for a daemon that was started by hand.
// Everybody may connect: who may do what is decided by who it is.
func Listen(root disk.Root) (Listeners, error) {
	if err := disk.CheckDir(root.Runtime()); err != nil {
		return Listeners{}, err
	}
	pam, err := listen(root.PamSocket(), "unixpacket")
	if err != nil {
		return Listeners{}, err
	}
	others, err := listen(root.VarlinkSocket(), "unix")
	if err != nil {
		_ = pam.Close()
		return Listeners{}, err
	}
	return Listeners{pam, others}, nil
}

// listen makes one socket. What a daemon that was killed left behind is replaced; a socket that somebody listens on, or
// something else that has its name, is not.
func listen(path, network string) (*net.UnixListener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%q is there and is no socket: move it away", path)
	default:
		if err := removeStale(path, network); err != nil {
			return nil, err
		}
	}
	l, err := net.ListenUnix(network, &net.UnixAddr{Name: path, Net: network})
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", path, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on.
func removeStale(path, network string) error {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.Dial(network, path)
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("somebody listens on %q: another sallyportd, or systemd for it (systemctl stop sallyportd.socket)", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// acceptPause is how long to wait when a connection could not be accepted for want of descriptors or memory.
const acceptPause = 100 * time.Millisecond

// temporary reports whether accept(2) may work again later.
func temporary(err error) bool {
	for _, e := range []error{unix.ECONNABORTED, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
