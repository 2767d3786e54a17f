package main

import (
	"context"
	"os"
	"os/user"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHomeChild looks at what a child has that reads a user's file.
func TestHomeChild(t *testing.T) {
	u, err := user.Lookup("games")
	if err != nil {
		t.Fatal(err)
	}
	cred, err := credential(u)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_TEST", "root's")
	if _, err := unix.Dup(int(os.Stderr.Fd())); err != nil { // which nobody closes in a child
		t.Fatal(err)
	}
	run := func(program string, args ...string) string {
		cmd, err := homeChild(context.Background(), cred, program, args...)
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	const look = `id -ru; id -rg; id -G; wc -c </proc/self/environ; set -- $(cat /proc/$$/stat); echo $(($6 == $$)) $7; pwd; readlink /proc/$$/fd/0`
	want := strings.Join([]string{u.Uid, u.Gid, u.Gid, "0", "1 0", "/", "/dev/null"}, "\n")
	if got := run("/bin/sh", "-c", look); got != want {
		t.Errorf("uid, gid, groups, environment, own session and terminal, directory, input:\n%s\nwant\n%s", got, want)
	}
	if got := run("/bin/ls", "/proc/self/fd"); got != "0\n1\n2\n3" { // of which the last is its own
		t.Errorf("open files: %q", got)
	}
}

// What the child says when it does not give the file.
func TestGiveHome(t *testing.T) {
	dir := t.TempDir()
	file := dir + "/file"
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(dir+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		file: exitDone, dir + "/none": homeMissing, file + "/below": homeMissing, dir: homeIrregular, dir + "/null": homeIrregular,
	} {
		var out strings.Builder
		if got := giveHome(path, &out); got != want || (got == exitDone) != (out.String() == "text") {
			t.Errorf("%s: status %d and %q, want %d", path, got, out.String(), want)
		}
	}
}
