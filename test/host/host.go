// Package host gives tests and the demo a private host on the machine they run on: the machine's own programs, with an
// /etc, /run, /var/lib, /home, /dev and process list of their own that are gone when the test ends.
//
// Main runs the test binary again as process 1 of new mount, PID, IPC, UTS and network namespaces (namespaces(7)).
// That process furnishes the host and starts the binary once more; there the tests run. It needs root.
package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// Options says what of the machine is shared.
type Options struct {
	// ShareNetwork keeps the machine's network, so that a person can reach the private host.
	ShareNetwork bool
	// Keep are directories that the private host sees as the machine does, and may write to.
	Keep []string
	// After, if not nil, is called on the machine when the private host is gone: with its exit status and with what it
	// has left on the machine, a line each. It returns the status to go on with.
	After func(status int, left []string) int
}

// stageVar tells a started copy of the binary which part it plays. It is taken out of the environment at once.
const stageVar = "SALLYPORT_PRIVATE_HOST"

const (
	stageInit = "init" // process 1 of the namespaces
	stageRun  = "run"  // runs what the host is for
)

// Main runs the tests of a package in a private host and exits with their status. It is for TestMain.
func Main(m *testing.M) { os.Exit(Run(Options{}, m.Run)) }

// Run runs inside in a private host and returns its exit status. It returns in the process that called it first; the
// copies of the binary that it starts have to come to the same call.
func Run(o Options, inside func() int) int {
	stage := os.Getenv(stageVar)
	if err := os.Unsetenv(stageVar); err != nil {
		return failed(err)
	}
	switch stage {
	case stageInit:
		return beInit(o)
	case stageRun:
		return inside()
	default:
		return enter(o)
	}
}

// Inside reports whether this process runs in a private host or is about to.
func Inside() bool { return os.Getenv(stageVar) != "" }

// enter makes a private host and waits for its end.
func enter(o Options) int {
	if os.Geteuid() != 0 {
		return failed(errors.New("the private host needs root: it is made of mount and PID namespaces"))
	}
	if o.After == nil {
		status, _, err := runInit(o)
		if err != nil {
			return failed(err)
		}
		return status
	}
	before, err := Look()
	if err != nil {
		return failed(err)
	}
	status, spaces, err := runInit(o)
	if err != nil {
		return failed(err)
	}
	after, err := Look()
	if err != nil {
		return failed(err)
	}
	return o.After(status, append(before.Changes(after), processesIn(spaces)...))
}

// runInit starts process 1 of a private host and waits for it.
func runInit(o Options) (status int, spaces []string, err error) {
	flags := syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
	if !o.ShareNetwork {
		flags |= syscall.CLONE_NEWNET
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread that forked ends
	defer runtime.UnlockOSThread()
	cmd := self(stageInit)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: uintptr(flags), Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("making the namespaces (needs CAP_SYS_ADMIN): %w", err)
	}
	stop := forward(cmd.Process)
	defer stop()
	spaces, err = namespaces(cmd.Process.Pid)
	if waitErr := cmd.Wait(); waitErr != nil && cmd.ProcessState == nil {
		return 0, nil, waitErr
	}
	return exitStatus(cmd.ProcessState.Sys().(syscall.WaitStatus)), spaces, err
}

// beInit is process 1: it furnishes the host, starts the run and reaps whatever dies. When it exits the kernel kills
// all that is left.
func beInit(o Options) int {
	if err := furnish(o); err != nil {
		return failed(err)
	}
	cmd := self(stageRun)
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	stop := forward(cmd.Process)
	defer stop()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return failed(fmt.Errorf("waiting for children: %w", err))
		case pid == cmd.Process.Pid:
			return exitStatus(status)
		}
	}
}

// self is this binary with its arguments, in another part.
func self(stage string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVar+"="+stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// forward sends the signals that end a program on to p: Ctrl-C, the end of the terminal, and go test's SIGQUIT, which
// asks for the stacks. The terminal sends them to p too, so p may get one more than once.
func forward(p *os.Process) (stop func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		for s := range signals {
			_ = p.Signal(s) // it may have ended
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// exitStatus is the status as a shell gives it: 128 and the signal's number for who died of one.
func exitStatus(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

func failed(err error) int {
	fmt.Fprintf(os.Stderr, "private host: %v\n", err)
	return 1
}
