package machine

import (
	"strings"
	"testing"

	"sallyport/test/system"
)

const group = "/sys/fs/cgroup/system.slice/sallyportd.service/"

// limited is a machine with the packages, ssh protected, and a daemon in bounds.
type limited struct {
	*testing.T
	g     *system.Guest
	alice *system.Person
}

// TestLimits: the unit's bounds are the kernel's. At them people log in; past them the daemon ends, and it comes back.
// (A container's own cgroup has no bounds, so this needs a machine.)
func TestLimits(t *testing.T) {
	g := system.BootMachine(t, system.MachineOptions{})
	g.InstallPackages(g.CopyPackages())
	g.ProtectSSH()
	l := &limited{t, g, g.AddUser("alice").Enroll()}
	l.g.Run("systemctl start sallyportd")
	l.inEffect()
	l.fewTasks()
	l.littleMemory()
	l.noMemory()
}

// code is one of alice's recovery codes: her phone's are soon used up.
func (l *limited) code() string {
	l.Helper()
	code := l.alice.Recovery[0]
	l.alice.Recovery = l.alice.Recovery[1:]
	return code
}

// logIn has alice log in by a code that does not work again.
func (l *limited) logIn() {
	l.Helper()
	code := l.code()
	l.alice.LogInWith(code)
	l.alice.Refused(code)
}

func (l *limited) show(name string) string {
	l.Helper()
	return strings.TrimSpace(l.g.Run("systemctl show --value --property=" + name + " sallyportd"))
}

func (l *limited) read(file string) string {
	l.Helper()
	return strings.TrimSpace(l.g.ReadFile(group + file))
}

// set changes a bound of the running service.
func (l *limited) set(name, value string) {
	l.Helper()
	l.g.Run("systemctl set-property --runtime sallyportd " + name + "=" + value)
}

// inEffect holds what the unit says against what systemd has and the kernel does.
func (l *limited) inEffect() {
	l.Helper()
	unit := l.g.Run("systemctl cat sallyportd")
	for name, file := range map[string]string{"MemoryMax": "memory.max", "TasksMax": "pids.max"} {
		if !strings.Contains(unit, "\n"+name+"=") {
			l.Errorf("the unit has no %s", name)
		}
		if shown, kernel := l.show(name), l.read(file); shown != kernel || kernel == "max" {
			l.Errorf("%s is %s for systemd, and %s is %s", name, shown, file, kernel)
		}
	}
	limits := l.g.ReadFile("/proc/" + l.show("MainPID") + "/limits")
	for _, want := range []string{"Max core file size        0                    0", "Max open files            16384                16384"} {
		if !strings.Contains(limits, want) {
			l.Errorf("no %q among the process's limits:\n%s", want, limits)
		}
	}
	if links := l.g.Run("nsenter --net --target " + l.show("MainPID") + " ip -oneline link"); strings.Count(links, "\n") != 1 || !strings.Contains(links, " lo: ") {
		l.Errorf("the daemon has a network:\n%s", links)
	}
	l.logIn()
}

// fewTasks lets the daemon have no thread more than it has.
func (l *limited) fewTasks() {
	l.Helper()
	before := l.show("TasksMax")
	l.set("TasksMax", l.read("pids.current"))
	l.logIn()
	l.set("TasksMax", before)
	l.answers()
}

// littleMemory lets it have no more memory than it has, so that the kernel has to take some back for whatever it reads, or
// to end it.
func (l *limited) littleMemory() {
	l.Helper()
	before, restarts := l.show("MemoryMax"), l.show("NRestarts")
	l.set("MemoryMax", l.read("memory.current"))
	l.logIn()
	if hit := l.read("memory.events"); strings.Contains(hit, "max 0\n") && l.show("NRestarts") == restarts {
		l.Errorf("the bound was never met:\n%s", hit)
	}
	l.set("MemoryMax", before)
	l.answers()
}

// noMemory has the kernel end the daemon again and again, until it may have what it needs. (It runs in 4 MiB.)
func (l *limited) noMemory() {
	l.Helper()
	before, restarts := l.show("MemoryMax"), l.show("NRestarts")
	used := l.code()
	l.alice.LogInWith(used)
	l.set("MemoryMax", "1M")
	l.g.Eventually("test $(systemctl show --value --property=NRestarts sallyportd) -gt " + restarts)
	l.g.Eventually(`journalctl --boot --quiet --unit=sallyportd | grep -q 'oom-kill'`)
	l.alice.Refused(used)
	l.set("MemoryMax", before)
	l.answers()
	l.logIn()
	l.alice.Refused(used)
}

// answers waits for the daemon, and has it forget the refusals: five lock.
func (l *limited) answers() {
	l.Helper()
	l.g.Eventually("systemctl is-active sallyportd && sallyportctl unlock alice")
}
