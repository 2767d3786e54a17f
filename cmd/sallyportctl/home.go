package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/transfer"
)

// A file in a home directory is the user's to choose: it may be a link to another's, a FIFO, or on a disk that hangs. So
// root does not open it. A child of sallyportctl's own program does, with the rights of the user and nothing else: no
// environment, no terminal, no open file but the pipe that it writes to. What it says is bytes and an exit status, and
// is believed no more than the file itself would be.

// readHomeWord makes sallyportctl that child: its second argument is the path.
const readHomeWord = "read-home-file"

// What the child ends with when it does not give the file.
const (
	homeMissing = 10 + iota
	homeDenied
	homeLink
	homeIrregular
	homeForeign
	homeOpen
	homeLarge
	homeFault
)

// errHomeless says that the user has no such file.
var errHomeless = errors.New("there is no such file in the home directory")

var homeErrors = map[int]error{
	homeMissing:   errHomeless,
	homeDenied:    errors.New("the user itself may not read its file"),
	homeLink:      errors.New("its file is a symbolic link, which is not followed"),
	homeIrregular: errors.New("its file is not a regular file"),
	homeForeign:   errors.New("its file belongs to somebody else"),
	homeOpen:      errors.New("its file can be read by others: it should have mode 0400"),
	homeLarge:     fmt.Errorf("its file has more than %d bytes", transfer.MaxHome),
}

const homeTimeout = 10 * time.Second

// readHome reads a file with the rights of u.
func readHome(ctx context.Context, u *user.User, path string) ([]byte, error) {
	if !filepath.IsAbs(path) {
		return nil, errHomeless
	}
	cred, err := credential(u)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, homeTimeout)
	defer cancel()
	cmd, err := homeChild(ctx, cred, "/proc/self/exe", readHomeWord, path)
	if err != nil {
		return nil, err
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("its file cannot be read as the user: %w", err)
	}
	data, readErr := io.ReadAll(io.LimitReader(pipe, transfer.MaxHome+1))
	if len(data) > transfer.MaxHome {
		cancel()
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case len(data) > transfer.MaxHome:
		return nil, homeErrors[homeLarge]
	case ctx.Err() != nil:
		return nil, fmt.Errorf("its file could not be read within %v", homeTimeout)
	case errors.As(err, &exit) && homeErrors[exit.ExitCode()] != nil:
		return nil, homeErrors[exit.ExitCode()]
	case err != nil || readErr != nil:
		return nil, errors.New("its file cannot be read")
	}
	return data, nil
}

// homeChild is a program with somebody's rights, and nothing of root's: not the environment, not a file, and not the
// terminal, into which a process of the user's could type (TIOCSTI).
func homeChild(ctx context.Context, as *syscall.Credential, program string, args ...string) (*exec.Cmd, error) {
	// What this process opened closes by itself; what it was started with would not.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, fmt.Errorf("keeping open files from a child: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setsid: true}
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// credential is the user's uid, gid and groups.
func credential(u *user.User) (*syscall.Credential, error) {
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("its groups cannot be found out: %w", err)
	}
	c := &syscall.Credential{}
	for _, n := range append([]string{u.Uid, u.Gid}, ids...) {
		id, err := strconv.ParseUint(n, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("its number %q is none", n)
		}
		c.Groups = append(c.Groups, uint32(id))
	}
	c.Uid, c.Gid, c.Groups = c.Groups[0], c.Groups[1], c.Groups[2:]
	return c, nil
}

// giveHome is the child: it writes the file to standard output, and returns the exit status.
func giveHome(path string, to io.Writer) int {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return homeMissing
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return homeDenied
	case errors.Is(err, unix.ELOOP):
		return homeLink
	case err != nil:
		return homeIrregular // a socket, a device that is not there
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return homeFault
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return homeIrregular
	case int(st.Uid) != os.Getuid():
		return homeForeign
	case st.Mode&0o077 != 0:
		return homeOpen
	case st.Size > transfer.MaxHome:
		return homeLarge
	}
	var data bytes.Buffer
	if _, err := data.ReadFrom(io.LimitReader(f, transfer.MaxHome+1)); err != nil {
		return homeFault
	}
	if _, err := to.Write(data.Bytes()); err != nil {
		return homeFault
	}
	return exitDone
}
