package system

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Image is a kind of guest, and the files that it boots from.
type Image string

// The images.
const (
	Container Image = "container" // a tree, for Boot
	Panel     Image = "panel"     // a tree with Cockpit, for BootPanel
	Machine   Image = "machine"   // a disk, a kernel and an initrd, for BootMachine
)

// suite is the Debian that the guests are.
const suite = "bookworm"

// packages are what every guest has: a server that people log in to, as an admin finds it.
var packages = []string{
	"systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "openssh-client", "sudo", "passwd", "login", "iproute2", "procps", "psmisc",
	"chrony", "debconf", "apparmor",
}

// panelPackages are what a Panel has beside these: Cockpit, as on a server without a desktop.
var panelPackages = []string{"cockpit-ws", "cockpit-bridge", "cockpit-system"}

// recipe is what an image depends on. Where packages come from is no part of it.
type recipe struct {
	Image    Image
	Suite    string
	Packages []string
	Files    []file
	Init     string // the initrd's
	Steps    int    // raised when the building itself changes
}

func (i Image) recipe() recipe {
	r := recipe{Image: i, Suite: suite, Packages: packages, Files: furniture(), Steps: 1}
	switch i {
	case Panel:
		r.Packages = append(slices.Clone(packages), panelPackages...)
	case Machine:
		r.Packages = append(slices.Clone(packages), machinePackages...)
		r.Init = initScript
	}
	return r
}

// cache is where the images are, on this machine.
func cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where the images go: %w", err)
	}
	dir = filepath.Join(dir, "sallyport", "system")
	return dir, os.MkdirAll(dir, 0o700)
}

// dir is the image's own directory, whether it is there or not.
func (i Image) dir() (string, error) {
	top, err := cache()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(i.recipe())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return filepath.Join(top, string(i)+"-"+hex.EncodeToString(sum[:8])), nil
}

func (i Image) ensure() error {
	dir, err := i.dir()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("building a guest needs root")
	}
	return ensure(string(i), dir, i.build)
}

// ensure has build fill dir unless it is there. Several processes may come at once: the first builds, the others wait.
func ensure(name, dir string, build func(dir string) error) error {
	top := filepath.Dir(dir)
	lock, err := os.OpenFile(filepath.Join(top, name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("waiting for who builds %s: %w", name, err)
	}
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		return os.Chtimes(dir, now, now)
	}
	forget(top, name)
	fmt.Fprintf(os.Stderr, "system: building %s (%s); this happens once\n", name, dir)
	partial, err := os.MkdirTemp(top, "partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial) // what is left of it
	if err := build(partial); err != nil {
		return fmt.Errorf("building %s: %w", name, err)
	}
	return os.Rename(partial, dir)
}

// forget removes older editions when nothing has used them for two weeks.
func forget(top, name string) {
	editions, _ := filepath.Glob(filepath.Join(top, name+"-*")) // the pattern is well formed
	for _, old := range editions {
		if info, err := os.Stat(old); err == nil && time.Since(info.ModTime()) > 14*24*time.Hour {
			_ = os.RemoveAll(old) // only a cache
		}
	}
}

// build fills a directory with the image: the tree, the key to its door, and what a machine boots from.
func (i Image) build(dir string) error {
	r := i.recipe()
	tree := filepath.Join(dir, "tree")
	if err := bootstrap(tree, r); err != nil {
		return err
	}
	if err := makeDoor(dir, tree); err != nil {
		return err
	}
	for _, f := range r.Files {
		if err := f.write(tree); err != nil {
			return err
		}
	}
	if i == Machine {
		return makeDisk(dir, tree)
	}
	return nil
}

// bootstrap makes a minimal Debian.
func bootstrap(tree string, r recipe) error {
	sources, err := aptSources()
	if err != nil {
		return err
	}
	cmd := exec.Command("mmdebstrap", "--quiet", "--variant=minbase", "--include="+strings.Join(r.Packages, ","), r.Suite, tree, "-")
	cmd.Env = append(os.Environ(), "INITRD=No") // the kernel's scripts make none: ours is smaller
	cmd.Stdin = bytes.NewReader(sources)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap: %w\n%s", err, out)
	}
	return nil
}

// aptSources are the lines of sources.list(5) by which this machine's apt gets the suite.
func aptSources() ([]byte, error) {
	out, err := exec.Command("apt-get", "indextargets", "--format", "deb $(REPO_URI) $(CODENAME) $(COMPONENT)",
		"Created-By: Packages", "Origin: Debian").Output()
	if err != nil {
		return nil, fmt.Errorf("asking apt where it gets packages from: %w", err)
	}
	if !bytes.Contains(out, []byte(" "+suite+" main\n")) {
		return nil, fmt.Errorf("this machine's apt has no Debian %s (run apt-get update):\n%s", suite, out)
	}
	return out, nil
}
