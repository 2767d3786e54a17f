package host

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// name is the private host's host name.
const name = "sallyport"

// covers are the directories that start out empty, with their modes.
func covers() map[string]string {
	dirs := map[string]string{
		"/run": "0755", "/var/lib": "0755", "/var/log": "0755", "/var/mail": "0755", "/home": "0755", "/root": "0700",
		"/tmp": "01777", "/var/tmp": "01777",
	}
	const vendor = "/usr/lib/sallyport" // there only if Sallyport is installed on this machine
	if _, err := os.Stat(vendor); err == nil {
		dirs[vendor] = "0755"
	}
	return dirs
}

// furnish makes the private host out of the namespaces that this process is in. The machine's root file system becomes
// read-only for it, but for the directories of keep.
func furnish(o Options) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	kept, err := openKept(o.Keep)
	if err != nil {
		return err
	}
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for dir, mode := range covers() {
		if err := mount("tmpfs", dir, "tmpfs", 0, "mode="+mode); err != nil {
			return err
		}
	}
	goHere := func() error { return os.Chdir(here) } // it may have been covered and put back
	for _, step := range []func() error{copyEtc, makeDev, kept.bind, goHere, lockRoot, makeDirectories, hurryPAM, copyBuild, nameHost} {
		if err := step(); err != nil {
			return err
		}
	}
	if o.ShareNetwork {
		return nil
	}
	return raiseLoopback()
}

// mount is mount(2) with errors that say what was to be mounted where.
func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting %q (%s) on %s: %w", source, kind, target, err)
	}
	return nil
}

// build makes a tmpfs, lets fill put things into it and moves it to target.
func build(target string, fill func(dir string) error) error {
	dir := filepath.Join("/run", filepath.Base(target))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	if err := fill(dir); err != nil {
		return err
	}
	if err := mount(dir, target, "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	return os.Remove(dir)
}

func copyEtc() error {
	return build("/etc", func(dir string) error {
		if out, err := exec.Command("cp", "-a", "/etc/.", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("copying /etc: %w: %s", err, out)
		}
		return nil
	})
}

// makeDev makes a /dev with the machine's harmless devices, pseudo-terminals of its own, and room for a /dev/log.
func makeDev() error {
	return build("/dev", func(dir string) error {
		for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
			if err := os.WriteFile(filepath.Join(dir, device), nil, 0o666); err != nil {
				return err
			}
			if err := mount("/dev/"+device, filepath.Join(dir, device), "", unix.MS_BIND, ""); err != nil {
				return err
			}
		}
		links := map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
		for link, to := range links {
			if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
				return err
			}
		}
		for _, sub := range []string{"pts", "shm"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
				return err
			}
		}
		if err := mount("tmpfs", filepath.Join(dir, "shm"), "tmpfs", 0, "mode=01777"); err != nil {
			return err
		}
		const tty = "gid=5" // the group that owns terminals, on every distribution
		return mount("devpts", filepath.Join(dir, "pts"), "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,"+tty)
	})
}

// lockRoot makes the machine's root file system read-only in here.
func lockRoot() error {
	return mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
}

// makeDirectories makes what the machine's programs expect to find.
func makeDirectories() error {
	for _, dir := range []string{"/run/lock", "/run/sshd", "/var/lib/sudo"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for file, mode := range map[string]os.FileMode{"/run/utmp": 0o644, "/var/log/wtmp": 0o644, "/var/log/btmp": 0o600, "/var/log/lastlog": 0o644} {
		if err := os.WriteFile(file, nil, mode); err != nil {
			return err
		}
	}
	return nil
}

// hurryPAM takes out of Debian's common-auth the two seconds that pam_unix has everybody wait after a failure.
func hurryPAM() error {
	const path = "/etc/pam.d/common-auth"
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("this needs the PAM stack of Debian: %w", err)
	}
	return os.WriteFile(path, bytes.ReplaceAll(text, []byte("pam_unix.so"), []byte("pam_unix.so nodelay")), 0o644)
}

func nameHost() error {
	if err := unix.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	hosts, err := os.OpenFile("/etc/hosts", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(hosts, "\n127.0.0.1 localhost\n127.0.1.1 %s\n", name)
	if closeErr := hosts.Close(); err == nil {
		err = closeErr
	}
	return err
}

// raiseLoopback brings lo up. All of 127.0.0.0/8 works on it.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	return nil
}

// kept are directories that stay as they are, open from before they were covered.
type kept map[string]*os.File

// openKept opens the repository, the directory of this binary, where go test wants its results, and more. Any may be below
// one of the directories that are covered.
func openKept(more []string) (kept, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root, err := Repository()
	if err != nil {
		return nil, err
	}
	dirs := append([]string{filepath.Dir(exe), root}, more...)
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		dirs = append(dirs, dir)
	}
	k := kept{}
	for _, dir := range dirs {
		if _, covered := covers()[dir]; covered || dir == "/" {
			continue
		}
		if k[dir], err = os.Open(dir); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// bind puts the kept directories back in their places.
func (k kept) bind() error {
	for dir, f := range k {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := mount(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
