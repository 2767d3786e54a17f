package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sallyport/internal/disk"
)

// TestRefusesToStart has the daemon meet what somebody else could have changed.
func TestRefusesToStart(t *testing.T) {
	mkdir := func(t *testing.T, path string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, disk.Root)
		want  []string
	}{
		"config directory": {
			func(t *testing.T, r disk.Root) { mkdir(t, r.Config(), 0o777) },
			[]string{"/etc/sallyport", "chmod go-w"},
		},
		"vault": {
			func(t *testing.T, r disk.Root) { mkdir(t, r.Users(), 0o775) },
			[]string{"/var/lib/sallyport/users", "chmod go-w"},
		},
		"runtime directory": {
			func(t *testing.T, r disk.Root) { mkdir(t, r.Runtime(), 0o777) },
			[]string{"/run/sallyport", "chmod go-w"},
		},
		"owner": {
			func(t *testing.T, r disk.Root) {
				mkdir(t, r.State(), 0o700)
				if err := os.Chown(r.State(), 1, 1); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"/var/lib/sallyport", "belongs to uid 1", "chown root:root"},
		},
		"key": {
			func(t *testing.T, r disk.Root) {
				if err := os.WriteFile(r.KeyFile(), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"/etc/sallyport/vault.key", "chmod 0600"},
		},
		"policy file": {
			func(t *testing.T, r disk.Root) {
				writePolicy(t, r, "")
				if err := os.Chmod(filepath.Join(r.Config(), "sallyport.toml"), 0o666); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"sallyport.toml", "chmod go-w"},
		},
		"policy": {
			func(t *testing.T, r disk.Root) { writePolicy(t, r, "enabeld = true\n\n[codes]\nwindow = 99\n") },
			[]string{"sallyport.toml:1: ", "enabled", "sallyport.toml:4: "},
		},
		"ledger": {
			func(t *testing.T, r disk.Root) {
				if err := os.WriteFile(r.LedgerFile(), []byte("garbage"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"/run/sallyport/ledger.db", "remove it"},
		},
		"a file for a socket": {
			func(t *testing.T, r disk.Root) {
				if err := os.WriteFile(r.PamSocket(), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			[]string{"/run/sallyport/pam", "is no socket"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t)
			test.spoil(t, root)
			p := run(t, root, nil)
			if got := p.wait(); got != 1 {
				t.Errorf("exit status %d, want 1", got)
			}
			for _, want := range test.want {
				if !strings.Contains(p.log.String(), want) {
					t.Errorf("it does not say %q but:\n%s", want, p.log)
				}
			}
		})
	}
}

// TestDamagedKeyKeepsNobodyElseOut shows that a key that cannot be read is no reason to be away.
func TestDamagedKeyKeepsNobodyElseOut(t *testing.T) {
	root := tree(t)
	if err := os.WriteFile(root.KeyFile(), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, root)
}

// TestSecondDaemon shows that there is one verifier, and that the second one says why it is none.
func TestSecondDaemon(t *testing.T) {
	t.Parallel() // it waits for the ledger for as long as a daemon does
	root := tree(t)
	first := startDaemon(t, root)
	second := run(t, root, nil)
	if got := second.wait(); got != 1 || !strings.Contains(second.log.String(), "another sallyportd") {
		t.Errorf("exit status %d, and: %s", got, second.log)
	}
	if _, err := status(root); err != nil {
		t.Errorf("the first one answers no more: %v", err)
	}
	// What a killed one leaves behind does not matter.
	first.signal(unix.SIGKILL)
	first.wait()
	startDaemon(t, root)
}
