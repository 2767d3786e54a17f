package pamstack

import (
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// FuzzStack gives a service's file and one that it may include. Whatever they are, reading them and walking through them
// comes to an end, each fault names its line, and a stack that libpam refuses lets nobody pass.
func FuzzStack(f *testing.F) {
	f.Add("# first\n@include b\nauth \\\n  required a.so x y # z\n-account optional b.so\nauth substack b\n", "auth [success=1 default=ignore] unix.so\nauth requisite deny.so [a b]\n")
	f.Add("auth include b\nauth include b\n", "auth include a\nauth substack a\n")
	f.Add("auth [default=9] x.so\n", "")
	f.Add("auth [success=ok", "auth sufficient\nlogin required x.so\n")
	root := f.TempDir()
	dir := filepath.Join(root, "etc/pam.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if len(first)+len(second) > 400 {
			return // stacks are short; ways through them are many
		}
		for name, text := range map[string]string{"a": first, "b": second} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range []Kind{Auth, Account} {
			s := In(root).Stack("a", kind)
			for _, fault := range s.Faults {
				if fault.Number < 0 || fault.Text == "" || utf8.ValidString(first+second) && !utf8.ValidString(fault.Text) {
					t.Errorf("a fault %+v", fault)
				}
			}
			if len(s.Lines) > 40 {
				continue
			}
			ends := Walk{Stack: s, May: Possible, Watch: func(l Line) bool { return l.Is("x.so") }}.Ends()
			if len(ends) == 0 {
				t.Error("no way leads through it")
			}
			for _, e := range ends {
				if e.Missed >= len(s.Lines) || e.Passed() && len(s.Lines) == 0 {
					t.Errorf("%d lines end with %+v", len(s.Lines), e)
				}
			}
		}
	})
}
