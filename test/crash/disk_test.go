package crash

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sallyport/internal/disk"
	"sallyport/test/crash/writelog"
	"sallyport/test/host"
)

// block is the file system's, in bytes, and what a disk writes whole or not at all.
const block = 4096

// replay brings the disk from the flush before to a flush.
func (r *recording) replay(t *testing.T, n int) {
	t.Helper()
	first := 0
	if n > 0 {
		first = r.flushes[n-1] + 1
	}
	apply(t, r.disk, r.entries[first:r.flushes[n]], nil)
}

// apply writes entries to a disk: all of them or, with random, any of their blocks.
func apply(t *testing.T, path string, entries []writelog.Entry, random *rand.Rand) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.Close()
	for _, e := range entries {
		for at := 0; at < len(e.Data); at += block {
			if random != nil && random.IntN(2) == 0 {
				continue
			}
			if _, err := f.WriteAt(e.Data[at:min(at+block, len(e.Data))], e.Offset+int64(at)); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
}

// extract is the tree that a machine has which starts with the disk of a flush and, with random, parts of what was
// written up to the next.
func (r *recording) extract(t *testing.T, n int, random *rand.Rand) disk.Root {
	t.Helper()
	dir := t.TempDir()
	image := filepath.Join(dir, "disk")
	host.Output(t, "cp", "--sparse=always", r.disk, image)
	if random != nil {
		next := len(r.entries)
		if n+1 < len(r.flushes) {
			next = r.flushes[n+1]
		}
		apply(t, image, r.entries[r.flushes[n]+1:next], random)
	}
	start(t, image)
	state := disk.Root(dir).State()
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	host.Output(t, "debugfs", "-R", "rdump / "+state, image)
	return disk.Root(dir)
}

// start does to a file system what the start of a machine does, which is to replay the journal, and sees that there is
// nothing else to do.
func start(t *testing.T, image string) {
	t.Helper()
	out, err := host.Command("e2fsck", "-p", image).CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !(errors.As(err, &ended) && ended.ExitCode() == 1) { // 1: the journal was replayed
		t.Errorf("e2fsck -p: %v\n%s", err, out)
	}
	host.Output(t, "e2fsck", "-f", "-n", image)
}
