package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Artefacts are the paths of what make build leaves.
type Artefacts struct{ Module, Daemon, Ctl string }

// installed is where the private host has its copy of build/: every user can reach it, wherever the repository is.
const installed = "/run/sallyport-build"

func artefacts(dir string) Artefacts {
	return Artefacts{
		Module: filepath.Join(dir, "pam_sallyport.so"),
		Daemon: filepath.Join(dir, "sallyportd"),
		Ctl:    filepath.Join(dir, "sallyportctl"),
	}
}

// Build is what make build has left, as the private host sees it.
func Build(t T) Artefacts {
	t.Helper()
	a := artefacts(installed)
	for _, path := range []string{a.Module, a.Daemon, a.Ctl} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("no build/%s in the repository: run make build", filepath.Base(path))
		}
	}
	return a
}

func copyBuild() error {
	root, err := Repository()
	if err != nil {
		return err
	}
	if err := os.Mkdir(installed, 0o755); err != nil {
		return err
	}
	a := artefacts(filepath.Join(root, "build"))
	for _, path := range []string{a.Module, a.Daemon, a.Ctl} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue // a test of the harness alone needs none; Build says so to the others
		}
		if out, err := exec.Command("install", "-m", "0755", path, installed).CombinedOutput(); err != nil {
			return fmt.Errorf("copying %s: %w: %s", path, err, out)
		}
	}
	return nil
}

// Repository is the directory of go.mod above the working directory.
func Repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == "/" {
			return "", fmt.Errorf("no go.mod in %s or above it", dir)
		}
	}
}
