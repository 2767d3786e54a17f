package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sallyport/test/host"
)

// machine is a guest in QEMU under software emulation: everything is its own, the clock and the kernel too.
type machine struct {
	g        *Guest
	options  MachineOptions
	disk     string // qcow2, over the image's disk or over that of the saved machine
	state    string // what to go on from; empty: a cold boot
	process  *host.Process
	ssh, way int // forwarded ports
}

// MachineOptions say how a machine differs from the usual one.
type MachineOptions struct {
	Cold   bool     // boot it, rather than go on from where one was saved after its boot
	Kernel string   // more words of the kernel's command line, with Cold
	QEMU   []string // more of QEMU's, with Cold
}

// BootMachine gives a machine of its own, with a clock that the test may set, real cgroup limits, and a power supply
// that can fail. The first use saves one after its boot; the others go on from there, in a few seconds.
func BootMachine(t host.T, o MachineOptions) *Guest {
	t.Helper()
	g := newGuest(t, Machine)
	m := &machine{g: g, options: o}
	g.kind = m
	base := filepath.Join(g.image, "disk")
	if !o.Cold && o.Kernel == "" && len(o.QEMU) == 0 {
		base, m.state = saved(t)
	}
	m.disk = layer(t, base)
	g.Start()
	return g
}

// layer is a disk that a test may write to, over one that it may not.
func layer(t host.T, base string) string {
	t.Helper()
	format := "raw"
	if strings.HasSuffix(base, ".qcow2") {
		format = "qcow2"
	}
	path := filepath.Join(t.TempDir(), "disk.qcow2")
	host.Output(t, "qemu-img", "create", "-q", "-f", "qcow2", "-F", format, "-b", base, path)
	return path
}

func (m *machine) start() {
	m.g.t.Helper()
	m.ssh, m.way = freePorts(m.g.t)
	monitor := filepath.Join(m.g.dir, "monitor")
	_ = os.Remove(monitor) // of the boot before
	line := []string{
		"-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512",
		"-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot",
		"-monitor", "unix:" + monitor + ",server=on,wait=off",
		"-kernel", filepath.Join(m.g.image, "kernel"), "-initrd", filepath.Join(m.g.image, "initrd"),
		"-append", "console=ttyS0 net.ifnames=0 mitigations=off random.trust_cpu=on " + m.options.Kernel,
		"-drive", "file=" + m.disk + ",if=virtio,cache=writeback",
		"-netdev", fmt.Sprintf("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-:22,hostfwd=tcp:127.0.0.1:%d-:%d", m.ssh, m.way, doorPort),
		"-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
	}
	line = append(line, m.options.QEMU...)
	if m.state != "" {
		line = append(line, "-incoming", "exec:cat "+m.state)
	}
	m.process = host.Start(m.g.t, "qemu-system-x86_64", line...)
}

// started is called when a machine answers: one that goes on from a saved state has the clock of the moment when it was
// saved, and boots cold after that.
func (m *machine) started() {
	m.g.t.Helper()
	if m.state != "" {
		m.state = ""
		m.g.Run(fmt.Sprintf("date --set @%d", time.Now().Unix()))
	}
}

func (m *machine) running() *host.Process { return m.process }

func (m *machine) cut() { m.process.Kill() }

func (m *machine) network() (enter []string, ssh, door int) { return nil, m.ssh, m.way }
