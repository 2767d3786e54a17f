package main

import (
	"bufio"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/wire"
)

// TestRealUsers connects as other users do, by what the kernel says of them. The whole table is internal/server's test.
func TestRealUsers(t *testing.T) {
	root := tree(t)
	writePolicy(t, root, "[[delegate]]\nwho = [\"games\"]\nover = [\"daemon\"]\nmay = [\"unlock\"]\n")
	startDaemon(t, root)
	for _, test := range []struct{ user, method, parameters, want string }{
		{"daemon", "Account.Status", `{}`, `"user":"daemon"`},
		{"daemon", "Account.Status", `{"user":"daemon"}`, `"user":"daemon"`},
		{"daemon", "Account.Status", `{"user":"root"}`, `Account.NotAllowed`},
		{"games", "Account.Status", `{"user":"daemon"}`, `Account.NotAllowed`},
		{"games", "Admin.Unlock", `{"user":"daemon"}`, `{}`},
		{"games", "Admin.Unlock", `{"user":"root"}`, `Admin.NotAllowed`},
		{"games", "Admin.Disable", `{"user":"daemon"}`, `Admin.NotAllowed`},
		{"games", "Admin.Users", `{}`, `Admin.NotAllowed`},
		{"root", "Admin.Users", `{}`, `Admin.MoreNeeded`},
		{"daemon", "Admin.Reload", `{}`, `Admin.NotAllowed`},
		{"daemon", "Login.Verify", `{"user":"daemon","service":"lock","code":"123456"}`, `"verdict":"not_required"`},
		{"daemon", "Login.Verify", `{"user":"games","service":"lock","code":"123456"}`, `Login.NotAllowed`},
	} {
		got := ask(t, dialAs(t, test.user, root.VarlinkSocket()), `{"method":"io.sallyport.`+test.method+`","parameters":`+test.parameters+`}`)
		if !strings.Contains(got, test.want) {
			t.Errorf("%s calls %s(%s): %s, want %s", test.user, test.method, test.parameters, got, test.want)
		}
	}
}

// TestUsersDoNotStarveRoot has a user take all connections that it can get. Root is still answered, on both sockets.
func TestUsersDoNotStarveRoot(t *testing.T) {
	root := tree(t)
	startDaemon(t, root)
	for _, path := range []string{root.PamSocket(), root.VarlinkSocket()} {
		for range 200 {
			dialAs(t, "games", path)
		}
	}
	if _, err := status(root); err != nil {
		t.Errorf("root is not answered: %v", err)
	}
	c := wire.NewConn(dialAs(t, "root", root.PamSocket()))
	if err := c.Write(wire.Request{Kind: wire.Begin, User: "root", Service: "sshd", PID: 1}.Packet(), time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(time.Now().Add(patience)); err != nil {
		t.Errorf("root's login is not answered: %v", err)
	}
}

// dialAs connects with a user's credentials: they are those of the thread that connects.
func dialAs(t *testing.T, name, path string) *net.UnixConn {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		fd  int
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		const keep = ^uintptr(0)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); errno != 0 {
			done <- result{-1, errno}
			return
		}
		fd, err := connect(path)
		done <- result{fd, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatalf("connecting to %s as %s: %v", path, name, r.err)
	}
	f := os.NewFile(uintptr(r.fd), path)
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.UnixConn)
}

func connect(path string) (int, error) {
	kind := unix.SOCK_STREAM
	if filepath.Base(path) == "pam" {
		kind = unix.SOCK_SEQPACKET
	}
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// ask sends one message and returns the reply.
func ask(t *testing.T, c *net.UnixConn, message string) string {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(message + "\x00")); err != nil {
		t.Fatal(err)
	}
	reply, err := bufio.NewReader(c).ReadString(0)
	if err != nil {
		t.Fatalf("no reply to %s: %v", message, err)
	}
	return reply
}
