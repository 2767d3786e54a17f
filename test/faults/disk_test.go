package faults

import (
	"os"
	"sync"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// operation is what a program asks of a disk.
type operation int

const (
	onRead operation = iota
	onWrite
	onSync
	onSyncDir
	onRename
	operations // how many there are
)

// faultyDisk is a file system in user space (FUSE) that passes everything on to a directory, or fails when told to.
type faultyDisk struct {
	fuse.RawFileSystem

	mu    sync.Mutex
	fails [operations]unix.Errno
	hangs chan struct{} // nil: it answers; closed when it answers again
}

// verdict is how an operation ends before it has begun. It waits while the disk hangs.
func (d *faultyDisk) verdict(o operation) fuse.Status {
	d.mu.Lock()
	fails, hangs := d.fails[o], d.hangs
	d.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
	return fuse.Status(fails)
}

func (d *faultyDisk) Open(cancel <-chan struct{}, input *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if status := d.verdict(onRead); status != fuse.OK {
		return status
	}
	status := d.RawFileSystem.Open(cancel, input, out)
	keepInside(out)
	return status
}

func (d *faultyDisk) Create(cancel <-chan struct{}, input *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	status := d.RawFileSystem.Create(cancel, input, name, out)
	keepInside(&out.OpenOut)
	return status
}

// keepInside has the kernel not go to the file below by itself.
func keepInside(out *fuse.OpenOut) {
	out.OpenFlags, out.BackingID = out.OpenFlags&^fuse.FOPEN_PASSTHROUGH, 0
}

func (d *faultyDisk) Read(cancel <-chan struct{}, input *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if status := d.verdict(onRead); status != fuse.OK {
		return nil, status
	}
	return d.RawFileSystem.Read(cancel, input, buf)
}

func (d *faultyDisk) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if status := d.verdict(onRead); status != fuse.OK {
		return status
	}
	return d.RawFileSystem.Lookup(cancel, header, name, out)
}

func (d *faultyDisk) Writev(cancel <-chan struct{}, input *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if status := d.verdict(onWrite); status != fuse.OK {
		return 0, status
	}
	return d.RawFileSystem.Writev(cancel, input, data)
}

func (d *faultyDisk) Fsync(cancel <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	if status := d.verdict(onSync); status != fuse.OK {
		return status
	}
	return d.RawFileSystem.Fsync(cancel, input)
}

func (d *faultyDisk) FsyncDir(cancel <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	if status := d.verdict(onSyncDir); status != fuse.OK {
		return status
	}
	return d.RawFileSystem.FsyncDir(cancel, input)
}

func (d *faultyDisk) Rename(cancel <-chan struct{}, input *fuse.RenameIn, from, to string) fuse.Status {
	if status := d.verdict(onRename); status != fuse.OK {
		return status
	}
	return d.RawFileSystem.Rename(cancel, input, from, to)
}

// faultyState mounts such a disk at /var/lib/sallyport. The kernel keeps nothing of it.
func faultyState(s *scene) {
	s.t.Helper()
	const device = "/dev/fuse"
	if _, err := os.Stat(device); err != nil {
		// The private host's /dev has none.
		if err := unix.Mknod(device, unix.S_IFCHR|0o600, int(unix.Mkdev(10, 229))); err != nil {
			s.t.Fatal(err)
		}
	}
	below, err := fs.NewLoopbackRoot(s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	s.faulty = &faultyDisk{RawFileSystem: fs.NewNodeFS(below, &fs.Options{})}
	server, err := fuse.NewServer(s.faulty, s.root.State(), &fuse.MountOptions{DirectMountStrict: true, FsName: "faulty", Name: "faulty"})
	if err != nil {
		s.t.Fatalf("mounting a FUSE file system: %v", err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		healthy(s)
		_ = unix.Unmount(s.root.State(), unix.MNT_DETACH)
	})
}

// failing has an operation fail.
func failing(o operation, err unix.Errno) func(*scene) {
	return func(s *scene) {
		s.faulty.mu.Lock()
		defer s.faulty.mu.Unlock()
		s.faulty.fails[o] = err
	}
}

// hanging has all operations wait.
func hanging(s *scene) {
	s.faulty.mu.Lock()
	defer s.faulty.mu.Unlock()
	s.faulty.hangs = make(chan struct{})
}

// healthy has everything work, also what waits.
func healthy(s *scene) {
	s.faulty.mu.Lock()
	defer s.faulty.mu.Unlock()
	if s.faulty.hangs != nil {
		close(s.faulty.hangs)
		s.faulty.hangs = nil
	}
	s.faulty.fails = [operations]unix.Errno{}
}
