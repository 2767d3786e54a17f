package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sallyport/test/burst"
	"sallyport/test/host"
)

// faults are all of them.
func faults() []fault {
	all := append(diskFaults(), daemonFaults()...)
	return append(all, otherFaults()...)
}

// diskFaults are those of /var/lib/sallyport and /run/sallyport.
func diskFaults() []fault {
	return []fault{
		{name: "disk full", disk: smallState, begin: fill(stateOf), end: empty(stateOf), want: memoryOnly},
		{name: "no inodes on the disk", disk: smallState, begin: crowd(stateOf), end: empty(stateOf), want: memoryOnly},
		{name: "disk remounted read-only", disk: smallState, begin: remount(unix.MS_RDONLY), end: remount(0), want: memoryOnly},
		{name: "EIO at each write", disk: faultyState, begin: failing(onWrite, unix.EIO), end: healthy, want: memoryOnly},
		{name: "EIO at each fsync", disk: faultyState, begin: failing(onSync, unix.EIO), end: healthy, want: memoryOnly},
		{name: "EIO at each fsync of a directory", disk: faultyState, begin: failing(onSyncDir, unix.EIO), end: healthy, want: memoryOnly},
		{name: "EIO at each rename", disk: faultyState, begin: failing(onRename, unix.EIO), end: healthy, want: memoryOnly},
		{name: "EIO at each read", disk: faultyState, begin: failing(onRead, unix.EIO), end: healthy, want: allUnavailable},
		{name: "disk that does not answer", disk: faultyState, begin: hanging, end: healthy, want: allUnavailable},
		{name: "/run full", disk: smallRuntime, begin: fill(runtimeOf), end: empty(runtimeOf), want: allWell},
		{name: "/run full, and the ledger has to grow", disk: smallRuntime, begin: overfill, end: empty(runtimeOf)},
		{name: "no inodes in /run", disk: smallRuntime, begin: crowd(runtimeOf), end: empty(runtimeOf), want: allWell},
	}
}

func stateOf(s *scene) string   { return s.root.State() }
func runtimeOf(s *scene) string { return s.root.Runtime() }

// small mounts a file system with little room, in memory.
func small(s *scene, dir, mode string) {
	s.t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=512k,nr_inodes=64,mode="+mode); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func smallState(s *scene)   { small(s, s.root.State(), "0700") }
func smallRuntime(s *scene) { small(s, s.root.Runtime(), "0755") }

// filler is what others have filled the file system with.
const filler = "filler"

// fill leaves no byte.
func fill(dir func(*scene) string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		f, err := os.Create(filepath.Join(dir(s), filler))
		if err != nil {
			s.t.Fatal(err)
		}
		defer f.Close()
		for size := 64 << 10; size > 0; {
			if _, err := f.Write(make([]byte, size)); err != nil {
				size /= 2
			}
		}
	}
}

// crowd leaves no inode.
func crowd(dir func(*scene) string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		for i := range 1000 {
			if err := os.WriteFile(fmt.Sprintf("%s/%s%d", dir(s), filler, i), nil, 0o600); err != nil {
				return
			}
		}
		s.t.Fatal("there is always another inode")
	}
}

// overfill uses up the room in the ledger, too: wrong codes for names that the host does not know are counted there.
func overfill(s *scene) {
	s.t.Helper()
	fill(runtimeOf)(s)
	var all []burst.Attempt
	for i := range 200 {
		all = append(all, burst.Attempt{Service: s.service, User: fmt.Sprintf("nobody%d", i), Code: "000000"})
	}
	b := burst.Prepare(s.t, s.program, burst.ModeOf(0), all)
	b.Release()
	b.Outcomes()
}

func empty(dir func(*scene) string) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		all, err := filepath.Glob(filepath.Join(dir(s), filler+"*"))
		if err != nil || len(all) == 0 {
			s.t.Fatalf("%v: %q", err, all)
		}
		for _, path := range all {
			if err := os.Remove(path); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func remount(flags uintptr) func(*scene) {
	return func(s *scene) {
		s.t.Helper()
		if err := unix.Mount("", s.root.State(), "", unix.MS_REMOUNT|flags, ""); err != nil {
			s.t.Fatal(err)
		}
	}
}

// daemonFaults are those of the daemon's process.
func daemonFaults() []fault {
	nothing := func(*scene) {}
	return []fault{
		{name: "daemon killed", begin: func(s *scene) { s.daemon.Kill() }, end: nothing, want: answers{in, in, in, notDone}, restart: true},
		{name: "daemon stopped (SIGSTOP)", begin: func(s *scene) { host.Freeze(s.t, s.daemon.PID()) }, end: goOn, want: allUnavailable},
		{name: "daemon out of descriptors", begin: noDescriptors, end: manyDescriptors, want: allUnavailable},
		{name: "daemon out of memory", begin: noMemory, end: nothing, want: answers{in, in, in, notDone}, restart: true},
		{name: "daemon killed, and no memory for who logs in", begin: tightLogin, end: looseLogin, want: allUnavailable, restart: true},
	}
}

func goOn(s *scene) {
	s.t.Helper()
	if err := unix.Kill(s.daemon.PID(), unix.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
}

// limit sets a limit of the daemon's process (prlimit(1)).
func (s *scene) limit(option string) {
	s.t.Helper()
	host.Output(s.t, "prlimit", "--pid", fmt.Sprint(s.daemon.PID()), option)
}

// noDescriptors lets the daemon open none: those below are its standard input and outputs.
func noDescriptors(s *scene) { s.limit("--nofile=3:16384") }

func manyDescriptors(s *scene) { s.limit("--nofile=16384:16384") }

// noMemory lets the daemon have no more, and has it want some.
func noMemory(s *scene) {
	s.t.Helper()
	s.limit("--as=1048576")
	connections := s.talkers(200)
	host.Eventually(s.t, "the daemon has run out of memory", func() bool { return !s.daemon.Running() })
	for _, c := range connections {
		_ = c.Close() // it is gone, as who was at the other end
	}
	if !strings.Contains(s.daemon.Log(), "fatal error") {
		s.t.Errorf("the daemon has not said why it ended:\n%s", s.daemon.Log())
	}
}

// tightLogin lets whoever logs in have so little that the module can be loaded, and its Go half not be woken.
func tightLogin(s *scene) {
	s.daemon.Kill()
	s.beforeLogin = []string{"prlimit", "--as=67108864"}
}

func looseLogin(s *scene) { s.beforeLogin = nil }
