package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Process is a program that runs beside the test. What it prints goes to a file, so that its children may outlive it.
type Process struct {
	t    T
	cmd  *exec.Cmd
	log  string
	over chan struct{} // closed when the program has ended
}

// Start starts a program. It is killed at the end of the test.
func Start(t T, program string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, cmd: Command(program, args...), over: make(chan struct{})}
	log, err := os.CreateTemp(t.TempDir(), filepath.Base(program)+"-*.log")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer log.Close()
	p.log = log.Name()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%v", err)
	}
	go func() {
		defer close(p.over)
		_ = p.cmd.Wait() // Status tells
	}()
	t.Cleanup(func() { p.Kill() })
	return p
}

// PID is its process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is what it has printed so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Running reports whether it has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.over:
		return false
	default:
		return true
	}
}

// Signal sends it a signal, if it still runs.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%s: %v", p.cmd.Path, err)
	}
}

// Kill kills it with SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	<-p.over
}

// Terminate asks it with SIGTERM to end, waits and returns its exit status.
func (p *Process) Terminate() int {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	Eventually(p.t, p.cmd.Path+" ends", func() bool { return !p.Running() })
	return exitStatus(p.cmd.ProcessState.Sys().(syscall.WaitStatus))
}
