package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/varlink/go/varlink"

	admin "sallyport/internal/api/iosallyportadmin"
	"sallyport/internal/client"
	"sallyport/internal/disk"
	"sallyport/internal/enroll"
	"sallyport/internal/vault"
)

// TestManyUsers lists a hundred thousand users, and holds the memory that the daemon ever needed against that of a
// daemon with a thousand.
func TestManyUsers(t *testing.T) {
	root := tree(t)
	const few, many = 1000, 100_000
	fill(t, root, 0, few)
	before := peakOfList(t, root, few)
	fill(t, root, few, many)
	after := peakOfList(t, root, many)
	t.Logf("the daemon needed %d KiB for a list of %d users, %d KiB for one of %d", before, few, after, many)
	// Measured: 2 to 3 MiB more, on a busy machine somewhat above that, and 250 with all rows in memory.
	const most = 10 << 10
	if after > before+most {
		t.Errorf("the list of %d users took %d KiB more than that of %d, want at most %d", many, after-before, few, most)
	}
}

// hasty is a disk that does not wait for its files to be safe.
type hasty struct{ *disk.OS }

func (hasty) WriteFile(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }

// fill enrols users.
func fill(t *testing.T, root disk.Root, from, to int) {
	t.Helper()
	files := hasty{new(disk.OS)}
	v := vault.Open(files, root, vault.LoadKeys(files, root, ""))
	for i := from; i < to; i++ {
		rec, _, err := enroll.Begin(nil, fmt.Sprintf("customer%06d", i), uint32(100_000+i), enroll.Options{Issuer: "test"}, time.Now(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		rec.Tokens, rec.Pending = []vault.Token{rec.Pending.Token}, nil
		rec.Tokens[0].Confirmed = rec.Created
		if err := v.Put(rec); err != nil {
			t.Fatal(err)
		}
	}
}

// peakOfList starts a daemon, has it list all users, and returns the most memory that it ever had, in KiB.
func peakOfList(t *testing.T, root disk.Root, want int) int {
	t.Helper()
	d := startDaemon(t, root)
	ctx := context.Background()
	c, err := client.Dial(ctx, root)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	receive, err := admin.Users().Send(ctx, c, varlink.More, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, last := 0, ""
	for more := true; more; {
		users, flags, err := receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			if u.User <= last || len(u.Devices) != 1 {
				t.Fatalf("%+v after %q", u, last)
			}
			got, last = got+1, u.User
		}
		more = flags&varlink.Continues != 0
	}
	if got != want {
		t.Errorf("%d users were listed, want %d", got, want)
	}
	peak := peakMemory(t, d.cmd.Process.Pid)
	d.signal(os.Interrupt)
	if status := d.wait(); status != 0 {
		t.Fatalf("the daemon ended with %d", status)
	}
	return peak
}

// peakMemory is a process's VmHWM (proc(5)), in KiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no VmHWM in %s", status)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
