package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// FuzzRequest sends a connection's bytes to the server, as a user who may do little. Whatever they are, the server
// answers in bounded and whole messages, ends the connection in time, and lets nobody in.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"method":"org.varlink.service.GetInfo"}`,
		`{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"io.sallyport.Login"}}`,
		`{"method":"io.sallyport.Account.Status","parameters":{}}`,
		`{"method":"io.sallyport.Account.Status","parameters":{"user":null},"more":true}`,
		`{"method":"io.sallyport.Account.Enroll","parameters":{"label":"phone","digits":8,"kind":"hotp","algorithm":"SHA512"}}`,
		`{"method":"io.sallyport.Login.Begin","parameters":{"user":"alice","service":"lock","tty":":0"}}` + "\x00" +
			`{"method":"io.sallyport.Login.Answer","parameters":{"text":"123456"}}`,
		`{"method":"io.sallyport.Login.Verify","parameters":{"user":"alice","service":"lock","code":"123456"}}`,
		`{"method":"io.sallyport.Admin.Disable","parameters":{"user":"alice"},"oneway":true}`,
		`{"method":"io.sallyport.Admin.SealVault","parameters":{},"upgrade":true}`,
		`{"method":"Status","parameters":[]}`,
		`{"method":"io.sallyport.Account.Status","parameters":{"user":"\ud800"}}`,
		`{}`, `[]`, "", "\xff",
	} {
		f.Add([]byte(seed + "\x00"))
	}
	h := newHost(f, always)
	h.enroll(f, "alice")
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := socketPair(t)
		defer theirs.Close()
		conn := &messageConn{Conn: ours, most: MaxMessage, idle: time.Minute, arrival: time.Minute, write: time.Minute}
		ctx := context.WithValue(context.Background(), callerKey{}, &caller{peer: Peer{UID: 1000, PID: 1}})
		served := make(chan struct{})
		go func() { h.serveMessages(ctx, conn); conn.Close(); close(served) }()
		go func() {
			_, _ = theirs.Write(sent) // the server may have had enough before the end
			_ = theirs.CloseWrite()
		}()
		if err := theirs.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(theirs)
		if err != nil && !errors.Is(err, unix.ECONNRESET) { // it closed with bytes unread
			t.Fatalf("the connection does not end: %v", err)
		}
		<-served
		if len(got) > 0 && got[len(got)-1] != 0 {
			t.Errorf("an answer without an end: %q", got)
		}
		if strings.Contains(string(got), `"granted"`) {
			t.Errorf("somebody was let in without a code: %q", got)
		}
	})
}

// socketPair is two ends of a connection.
func socketPair(t *testing.T) (net.Conn, *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return ends[0], ends[1].(*net.UnixConn)
}
