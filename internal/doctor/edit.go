package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Change makes the edits of one file in its text. It changes nothing where a line is not the one that an edit is for.
func Change(text string, edits []Edit) (string, error) {
	lines := strings.Split(text, "\n")
	ordered := slices.Clone(edits)
	slices.SortStableFunc(ordered, func(a, b Edit) int {
		if a.Line != b.Line {
			return cmp.Compare(a.Line, b.Line)
		}
		return cmp.Compare(min(len(a.Old), 1), min(len(b.Old), 1)) // what comes in front of a line, then the line
	})
	for _, e := range slices.Backward(ordered) {
		i := e.Line - 1
		if i < 0 || i > len(lines) {
			return "", fmt.Errorf("%s has no line %d", e.File, e.Line)
		}
		end := i
		if e.Old != "" {
			if i == len(lines) || !strings.HasPrefix(strings.TrimSpace(lines[i]), strings.TrimSpace(e.Old)) {
				return "", fmt.Errorf("%s: line %d is no longer %q", e.File, e.Line, e.Old)
			}
			end++
		}
		var in []string
		if e.New != "" {
			in = []string{e.New}
		}
		lines = slices.Concat(lines[:i], in, lines[end:])
	}
	return strings.Join(lines, "\n"), nil
}
