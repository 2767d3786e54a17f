package system

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// machinePackages are what a guest needs beside packages when it has a kernel of its own.
var machinePackages = []string{"udev", "linux-image-cloud-amd64", "busybox-static"}

// diskSize is how much a machine can hold, in MiB. What nobody has written takes no room.
const diskSize = 2048

// initScript is process 1 of the initrd: it loads what the root file system is behind, gives the network card the
// address that QEMU's user network expects (10.0.2.15), and hands over. udev and systemd do the rest.
const initScript = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t proc none /proc
for module in $(/bin/busybox cat /modules/order); do
	/bin/busybox insmod /modules/$module
done
/bin/busybox ip link set lo up
/bin/busybox ip addr add 10.0.2.15/24 dev eth0
/bin/busybox ip link set eth0 up
for try in 1 2 3 4 5 6 7 8 9 10; do
	/bin/busybox mount -t ext4 -o rw /dev/vda /root && break
	/bin/busybox sleep 1
done
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root "${init:-/sbin/init}" "$@"
`

// makeDisk makes what a machine boots from: kernel, initrd and disk.
func makeDisk(dir, tree string) error {
	kernels, err := filepath.Glob(filepath.Join(tree, "boot/vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return fmt.Errorf("%d kernels in the tree, want 1", len(kernels))
	}
	if err := run("cp", kernels[0], filepath.Join(dir, "kernel")); err != nil {
		return err
	}
	version := strings.TrimPrefix(filepath.Base(kernels[0]), "vmlinuz-")
	if err := makeInitrd(filepath.Join(dir, "initrd"), tree, version); err != nil {
		return err
	}
	return run("mkfs.ext4", "-q", "-d", tree, filepath.Join(dir, "disk"), fmt.Sprintf("%dM", diskSize))
}

// makeInitrd makes a small one: busybox, the modules in the order of loading, and initScript.
func makeInitrd(path, tree, version string) error {
	top, err := os.MkdirTemp(filepath.Dir(path), "initrd-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(top)
	for _, dir := range []string{"bin", "dev", "proc", "root", "modules"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			return err
		}
	}
	order, err := modules(tree, version)
	if err != nil {
		return err
	}
	var names strings.Builder
	for _, module := range order {
		if err := run("cp", filepath.Join(tree, module), filepath.Join(top, "modules")); err != nil {
			return err
		}
		fmt.Fprintln(&names, filepath.Base(module))
	}
	if err := os.WriteFile(filepath.Join(top, "modules/order"), []byte(names.String()), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(top, "init"), []byte(initScript), 0o755); err != nil {
		return err
	}
	if err := run("cp", filepath.Join(tree, "bin/busybox"), filepath.Join(top, "bin")); err != nil {
		return err
	}
	return run("sh", "-c", `cd "$0" && find . | cpio --quiet -o -H newc >"$1"`, top, path)
}

// modules are the kernel modules by which a machine finds its disk and its network, each after those that it needs.
func modules(tree, version string) ([]string, error) {
	var order []string
	for _, name := range []string{"virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4"} {
		out, err := exec.Command("chroot", tree, "modprobe", "--set-version", version, "--show-depends", name).Output()
		if err != nil {
			return nil, fmt.Errorf("modprobe %s: %w", name, err)
		}
		for line := range strings.Lines(string(out)) {
			words := strings.Fields(line) // "insmod FILE", or "builtin NAME"
			if len(words) == 2 && words[0] == "insmod" && !slices.Contains(order, words[1]) {
				order = append(order, words[1])
			}
		}
	}
	return order, nil
}

// run runs a program of the machine's.
func run(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}
