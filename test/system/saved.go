package system

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/test/host"
)

// saved are the disk and the memory of a machine that has just booted; who comes first makes them. They fit this QEMU
// and the devices of machine.start only, so the file's name has the version.
func saved(t host.T) (disk, state string) {
	t.Helper()
	image, err := Machine.dir()
	if err != nil {
		t.Fatalf("%v", err)
	}
	version := bytes.Fields([]byte(host.Output(t, "qemu-system-x86_64", "--version")))
	dir := filepath.Join(image, "booted-"+string(version[3]))
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatalf("waiting for who saves a machine: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		save(t, dir)
	}
	return filepath.Join(dir, "disk.qcow2"), filepath.Join(dir, "state")
}

// save boots a machine and puts it into dir.
func save(t host.T, dir string) {
	t.Helper()
	g := newGuest(t, Machine)
	m := &machine{g: g, disk: layer(t, filepath.Join(g.image, "disk"))}
	g.kind = m
	g.Start()
	partial, err := os.MkdirTemp(filepath.Dir(dir), "partial-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(partial) }) // gone, unless this fails
	g.Run("sync")
	g.master.Kill()
	m.tell(fmt.Sprintf("migrate \"exec:cat >%s\"", filepath.Join(partial, "state")))
	m.process.Kill() // migrate has stopped the machine and flushed its disk
	host.Output(t, "qemu-img", "rebase", "-u", "-F", "raw", "-b", filepath.Join(g.image, "disk"), m.disk)
	host.Output(t, "cp", m.disk, filepath.Join(partial, "disk.qcow2"))
	if err := os.Rename(partial, dir); err != nil {
		t.Fatalf("%v", err)
	}
}

// tell gives QEMU's monitor a command and waits until it is done.
func (m *machine) tell(command string) {
	t := m.g.t
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(m.g.dir, "monitor"))
	if err != nil {
		t.Fatalf("QEMU's monitor: %v", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatalf("%v", err)
	}
	awaitPrompt(t, c)
	if _, err := fmt.Fprintln(c, command); err != nil {
		t.Fatalf("QEMU's monitor: %v", err)
	}
	awaitPrompt(t, c)
}

func awaitPrompt(t host.T, c net.Conn) {
	t.Helper()
	const prompt = "(qemu) "
	var text []byte
	buffer := make([]byte, 4096)
	for !bytes.HasSuffix(text, []byte(prompt)) {
		n, err := c.Read(buffer)
		if err != nil {
			t.Fatalf("QEMU's monitor: %v after %q", err, text)
		}
		text = append(text, buffer[:n]...)
	}
}
