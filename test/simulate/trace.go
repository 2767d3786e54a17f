package simulate

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
)

// trace is what happened, as text: the last of it to be read, all of it as a hash by which two runs are compared.
type trace struct {
	lines []string // the last ones
	sum   uint64
}

const keptLines = 100

func (t *trace) add(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	h := fnv.New64a()
	fmt.Fprintf(h, "%x", t.sum)
	_, _ = io.WriteString(h, line)
	t.sum = h.Sum64()
	if len(t.lines) >= 2*keptLines {
		t.lines = append(t.lines[:0], t.lines[keptLines:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *trace) last() string {
	return strings.Join(t.lines[max(0, len(t.lines)-keptLines):], "\n")
}
