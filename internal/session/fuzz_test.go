package session

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// FuzzParseStat: a process gives itself its name, which stands in the middle of the line. Whatever it holds, it is not
// taken for the numbers behind it.
func FuzzParseStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(own), "x")
	f.Add("", ") Z 1 1 1 34816 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99 (")
	f.Fuzz(func(t *testing.T, line, name string) {
		if s, err := parseStat(line); err != nil && s != (stat{}) && errors.Is(err, ErrGone) {
			t.Errorf("%q: %+v, and gone", line, s)
		}
		const rest = "S 1 42 42 34816 42 4194304 1 1 1 1 1 1 1 1 20 0 1 0 12345 1 1"
		s, err := parseStat(fmt.Sprintf("42 (%s) %s\n", name, rest))
		if err != nil || s.start != 12345 || s.terminal != 34816 {
			t.Errorf("a process called %q: %+v, %v", name, s, err)
		}
	})
}
