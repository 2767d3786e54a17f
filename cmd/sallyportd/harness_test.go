package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	account "sallyport/internal/api/iosallyportaccount"
	"sallyport/internal/client"
	"sallyport/internal/disk"
)

// The tests run the daemon that is built from this tree, each on a tree of its own, as root.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sallyportd")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "sallyportd")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building: %v\n%s", err, out))
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

const patience = time.Minute

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// tree is a new root that other users may look into.
func tree(t *testing.T) disk.Root {
	t.Helper()
	dir, err := os.MkdirTemp("", "sallyport-root")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	root := disk.Root(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{root.Config(), root.Runtime()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func writePolicy(t *testing.T, root disk.Root, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root.Config(), "sallyport.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// process is a daemon that runs.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *output
	done chan error
}

// output is what a process prints.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// run starts a daemon. env and files are added to what it gets.
func run(t *testing.T, root disk.Root, env []string, files ...*os.File) *process {
	t.Helper()
	p := &process{t: t, log: &output{}, done: make(chan error, 1)}
	// LISTEN_PID must be the daemon's.
	p.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, program, "--root", string(root))
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.ExtraFiles = files
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("the daemon printed:\n%s", p.log)
		}
	})
	return p
}

// startDaemon runs a daemon and waits until it answers.
func startDaemon(t *testing.T, root disk.Root, env ...string) *process {
	t.Helper()
	p := run(t, root, env)
	eventually(t, "the daemon answers", func() bool {
		_, err := status(root)
		return err == nil || p.ended()
	})
	if p.ended() {
		t.Fatalf("the daemon ended:\n%s", p.log)
	}
	return p
}

func (p *process) ended() bool {
	select {
	case err := <-p.done:
		p.done <- err
		return true
	default:
		return false
	}
}

// wait returns the exit status.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case err := <-p.done:
		p.done <- err
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("the daemon does not end")
		return -1
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// status asks the daemon for root's own status.
func status(root disk.Root) (account.SecondFactor, error) {
	c, err := client.Dial(context.Background(), root)
	if err != nil {
		return account.SecondFactor{}, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return account.Status().Call(ctx, c, nil)
}
