package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/test/host"
)

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// archiveOf is an archive of these accounts.
func archiveOf(t *testing.T, key *age.X25519Identity, accounts ...admin.Portable) []byte {
	t.Helper()
	var b bytes.Buffer
	a, err := newArchive(&b, archiveHead{}, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range accounts {
		if err := a.line(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An archive that lacks its end changes nothing, though its beginning can be read.
func TestCutArchiveChangesNothing(t *testing.T) {
	root := t.TempDir()
	startDaemon(t, root)
	device := admin.PortableToken{Label: "phone", Uri: "otpauth://totp/games?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Used: []int64{}}
	accounts := []admin.Portable{{User: "games", Created: "2026-01-01T00:00:00Z", Devices: []admin.PortableToken{device}, Recovery: []admin.RecoveryHash{}}}
	for i := range 500 {
		other := accounts[0]
		other.User = fmt.Sprintf("no-such-user-%d", i)
		accounts = append(accounts, other)
	}
	key := newIdentity(t)
	whole := archiveOf(t, key, accounts...)
	host.WriteFile(t, filepath.Join(root, "key"), key.String()+"\n", 0o600)
	ctl := func(args ...string) (string, int) {
		cmd := exec.Command(filepath.Join(programs, "sallyportctl"), append([]string{"--root", root}, args...)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	file := filepath.Join(root, "all.age")
	for _, test := range []struct {
		what string
		data []byte
		want string
		left string // the status of games afterwards
	}{
		{"cut off", whole[:len(whole)-1], "cannot be used", "not set up"},
		{"cut off between two chunks", whole[:len(whole)-len(whole)%(64<<10)], "cannot be used", "not set up"},
		{"changed in the middle", flip(whole, len(whole)-100), "cannot be used", "not set up"},
		{"whole", whole, "1 of 501 users were taken over", "set up\n"},
	} {
		host.WriteFile(t, file, string(test.data), 0o600)
		if out, status := ctl("vault", "restore", file, "--identity", filepath.Join(root, "key"), "--apply"); status != 1 || !strings.Contains(out, test.want) {
			t.Errorf("%s: exit status %d, %.300s", test.what, status, out)
		}
		if out, _ := ctl("status", "games"); !strings.Contains(out, test.left) {
			t.Errorf("%s: afterwards\n%s", test.what, out)
		}
	}
}

// A backup that is stopped leaves no file.
func TestInterruptedBackup(t *testing.T) {
	root := t.TempDir()
	daemon := startDaemon(t, root)
	dir := t.TempDir()
	left := func() int {
		names, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	host.Freeze(t, daemon.PID())
	defer daemon.Signal(unix.SIGCONT)
	cmd := exec.Command(filepath.Join(programs, "sallyportctl"), "--root", root, "vault", "backup", filepath.Join(dir, "all.age"),
		"--recipient", newIdentity(t).Recipient().String())
	var out bytes.Buffer
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host.Eventually(t, "the backup has begun", func() bool { return left() == 1 })
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status is looked at
	if status := cmd.ProcessState.ExitCode(); status != 1 || out.String() != "sallyportctl: Stopped, and nothing was written.\n" || left() != 0 {
		t.Errorf("exit status %d, %d files left, %s", status, left(), &out)
	}
}

func flip(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

func TestReadArchiveIsStrict(t *testing.T) {
	key := newIdentity(t)
	sealed := func(plain string) *bytes.Buffer {
		var b bytes.Buffer
		w, err := age.Encrypt(&b, key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(plain)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	const head = `{"format":"sallyport-backup","version":1,"host":"","created":""}` + "\n"
	for plain, want := range map[string]string{
		"":                               "its head is damaged",
		"x\n":                            "its head is damaged",
		`{"format":"other","version":1}`: `it has the format "other" and version 1`,
		`{"format":"sallyport-backup","version":2}`:     "and version 2",
		head + `{"user":"alice","more":1}` + "\n":       "user number 1: it is damaged",
		head + `{"user":"alice"} {}` + "\n":             "something follows the JSON",
		head + `{"user":"alice"}` + "\nGEZDG":           "user number 2: it is damaged",
		head + strings.Repeat("x", maxArchiveLine) + "": "user number 1: it is damaged",
	} {
		accounts, err := readArchive(sealed(plain), key)
		if err == nil {
			for _, e := range accounts {
				err = e
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "GEZDG") {
			t.Errorf("%.60q: %v, want %q", plain, err, want)
		}
	}
	if _, err := readArchive(sealed(head), newIdentity(t)); err != errArchiveKey {
		t.Errorf("with another key: %v", err)
	}
}
