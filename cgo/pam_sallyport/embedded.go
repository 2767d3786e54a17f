// Command pam_sallyport is the PAM module, built with -buildmode=c-shared. Its C half does every login alone while the
// daemon can be reached; its Go half, this file, sleeps until the C half wakes it in a child process of its own.
// dormant.ld says how it sleeps, wake.c how it is woken.
package main

/*
#cgo CFLAGS: -std=c11 -D_GNU_SOURCE -O2 -fvisibility=hidden
#cgo CFLAGS: -Wall -Wextra -Werror -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
#cgo LDFLAGS: -lpam -Wl,-z,relro,-z,now
*/
import "C"

import (
	"net"
	"os"
	"runtime"

	"sallyport/internal/disk"
	"sallyport/internal/verifier"
	"sallyport/internal/wire"
)

// sallyport_serve serves one connection of the module on the socket fd, with the files under root. What goes wrong is in
// the journal, and the module takes the end of the connection for "unavailable".
//
//export sallyport_serve
func sallyport_serve(fd C.int, root *C.char) {
	socket := os.NewFile(uintptr(fd), "module")
	// The module waits for this descriptor to be closed by the end of the process: not by a finalizer before.
	defer runtime.KeepAlive(socket)
	conn, err := net.FileConn(socket)
	if err != nil {
		return
	}
	if unix, ok := conn.(*net.UnixConn); ok {
		_ = verifier.ServeEmbedded(disk.Root(C.GoString(root)), wire.NewConn(unix))
	}
}

func main() {}
