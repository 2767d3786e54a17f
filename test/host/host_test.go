package host_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sallyport/test/host"
)

// TestMain also checks, on the machine, that the private host has left nothing there.
func TestMain(m *testing.M) {
	os.Exit(host.Run(host.Options{After: func(status int, left []string) int {
		for _, line := range left {
			fmt.Println("the private host left on the machine:", line)
			status = 1
		}
		return status
	}}, m.Run))
}

// partVar makes TestPart, run again by another test in a private host within this one, do something.
const partVar = "PRIVATE_HOST_PART"

func TestPart(t *testing.T) {
	part := os.Getenv(partVar)
	switch part {
	case "":
	case "succeed":
		fmt.Println("inside", os.Getppid())
	case "exit":
		os.Exit(7)
	case "die":
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	case "linger":
		if err := os.WriteFile("/run/left-behind", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("setsid", "--fork", "sleep", "1234").Run(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("lingering")
		select {}
	default:
		t.Fatalf("no part %q", part)
	}
}

func playPart(part string) *exec.Cmd {
	cmd := host.Command("/proc/self/exe", "-test.run=^TestPart$", "-test.v", "-test.timeout=1m")
	cmd.Env = append(cmd.Env, partVar+"="+part)
	return cmd
}

func TestExitStatusIsPassedThrough(t *testing.T) {
	for part, want := range map[string]int{"succeed": 0, "exit": 7, "die": 128 + int(syscall.SIGKILL), "unknown": 1} {
		cmd := playPart(part)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d\n%s", part, got, want, out)
		}
		if part == "succeed" && !strings.Contains(string(out), "inside 1\n--- PASS: TestPart") {
			t.Errorf("the run is not a child of process 1, or its output is lost:\n%s", out)
		}
	}
}

// Ctrl-C and the death of the outermost process end all that a private host has started.
func TestSignalEndsTheHost(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		x := host.Open(t, playPart("linger"))
		x.Expect("lingering")
		lingers := func() bool { return exec.Command("pgrep", "--full", "sleep 1234").Run() == nil }
		host.Eventually(t, "something lingers that can be ended", lingers)
		x.Signal(signal)
		if status := x.Wait(); status == 0 {
			t.Errorf("%v: exit status 0", signal)
		}
		host.Eventually(t, "what it started has ended", func() bool { return !lingers() })
		if _, err := os.Stat("/run/left-behind"); err == nil {
			t.Errorf("%v: it wrote to the /run that it was started in", signal)
		}
	}
}

func TestWithoutRootItSaysSo(t *testing.T) {
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := host.Command("setpriv", host.As(nobody, exe)[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "needs root") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	host.Output(t, "sh", "-c", "sh -c 'exec sleep 0' & exit 0")
	host.Eventually(t, "no zombie is left", func() bool {
		return !strings.Contains(host.Output(t, "ps", "-eo", "ppid=,state="), "1 Z")
	})
}

func TestTheMachineIsReadOnly(t *testing.T) {
	for _, dir := range []string{"/usr", "/usr/lib", "/opt", "/"} {
		path := filepath.Join(dir, "private-host-was-here")
		if err := os.WriteFile(path, nil, 0o644); err == nil {
			t.Errorf("%s could be written", path)
			_ = os.Remove(path)
		}
	}
	if root, err := host.Repository(); err != nil {
		t.Error(err)
	} else if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Error(err)
	}
}

func TestUsers(t *testing.T) {
	u := host.AddUser(t, "alice")
	got := host.Output(t, "setpriv", host.As(u, "sh", "-c", "id -un; cd; pwd")[1:]...)
	if got != "alice\n/home/alice\n" {
		t.Errorf("alice is %q", got)
	}
}

func TestSnapshotFindsChanges(t *testing.T) {
	host.WriteFile(t, "/etc/changes", "", 0o644)
	host.WriteFile(t, "/etc/goes", "", 0o644)
	host.WriteFile(t, "/var/lib/opens", "", 0o600)
	before, err := host.Look()
	if err != nil {
		t.Fatal(err)
	}
	host.WriteFile(t, "/etc/changes", "x", 0o644)
	host.WriteFile(t, "/run/comes", "", 0o644)
	for _, err := range []error{os.Remove("/etc/goes"), os.Chmod("/var/lib/opens", 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	after, err := host.Look()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(before.Changes(after), "\n")
	for _, want := range []string{"/etc/changes was ", "/etc/goes is gone", "/run/comes is new", "/var/lib/opens was "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if same := after.Changes(after); same != nil {
		t.Errorf("changes without a change: %q", same)
	}
	for _, path := range []string{"/etc/changes", "/run/comes", "/var/lib/opens"} {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
