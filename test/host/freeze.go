package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Freeze stops a process (SIGSTOP) and waits until none of its threads runs any more: the signal takes effect in each of
// them by itself.
func Freeze(t T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatalf("stopping process %d: %v", pid, err)
	}
	Eventually(t, fmt.Sprintf("process %d is stopped", pid), func() bool {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is well formed
		for _, path := range threads {
			text, err := os.ReadFile(path)
			if err != nil {
				continue // it has ended
			}
			// The state is behind the name, which is in brackets and may hold anything (proc(5)).
			if !strings.HasPrefix(string(text[strings.LastIndexByte(string(text), ')')+1:]), " T") {
				return false
			}
		}
		return len(threads) > 0
	})
}
