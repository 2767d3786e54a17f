package pamstack_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/pamstack"
	"sallyport/test/host"
)

func TestMain(m *testing.M) { host.Main(m) }

// debug is a line of pam_debug(8), which returns what it is told to.
func debug(control string, code pamstack.Code) string {
	return fmt.Sprintf("auth %s pam_debug.so auth=%s", control, code)
}

// told is what a line of pam_debug returns, and where it stands in for others, what those do.
func told(l pamstack.Line) []pamstack.Code {
	for _, arg := range l.Args {
		if code, ok := strings.CutPrefix(arg, "auth="); ok {
			return []pamstack.Code{pamstack.Code(code)}
		}
	}
	return []pamstack.Code{pamstack.Success}
}

// TestLikeLibpam lets libpam itself go through stacks made at random, with includes, substacks and jumps.
func TestLikeLibpam(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	controls := []string{
		"[success=1 default=ignore]", "[default=1]", "[default=2]",
		"required", "requisite", "sufficient", "optional", "[success=1 default=ignore]", "[success=2 default=die]",
		"[success=ok ignore=ignore default=bad]", "[default=reset]", "[success=done new_authtok_reqd=done default=ignore]",
		"[success=ok auth_err=1 default=ignore]", "[auth_err=ignore]", "[success=9 default=ignore]", "[success=reset default=bad]",
	}
	results := []pamstack.Code{"success", "success", "auth_err", "ignore", "user_unknown", "new_authtok_reqd"}
	lines := func() []string {
		var all []string
		for range 1 + random.IntN(4) {
			all = append(all, debug(controls[random.IntN(len(controls))], results[random.IntN(len(results))]))
		}
		return all
	}
	passed := 0
	for n := range 1500 {
		host.PAM(t, "walk-a", lines()...)
		host.PAM(t, "walk-b", append(lines(), "auth include walk-a")...)
		includes := []string{"@include walk-b", "auth include walk-a", "auth substack walk-b", ""}
		service := append(append(lines(), includes[random.IntN(len(includes))]), lines()...)
		host.PAM(t, "walk", service...)
		ends := pamstack.Walk{
			Stack: pamstack.In("").Stack("walk", pamstack.Auth), May: told,
			Watch: func(pamstack.Line) bool { return false },
		}.Ends()
		if len(ends) != 1 {
			t.Fatalf("%d ends, of lines that each return one code: %v", len(ends), ends)
		}
		out, err := host.Command("pamtester", "walk", "root", "authenticate").CombinedOutput()
		if got, want := ends[0].Status == pamstack.Success, err == nil; got != want {
			a, _ := os.ReadFile("/etc/pam.d/walk-a")
			b, _ := os.ReadFile("/etc/pam.d/walk-b")
			t.Errorf("stack %d: walk says %v, libpam %v (%s):\n%s\n-- a\n%s-- b\n%s", n, ends[0], want, out, strings.Join(service, "\n"), a, b)
		}
		if err == nil {
			passed++
		}
	}
	if passed < 200 || passed > 1300 {
		t.Errorf("%d of 1500 stacks passed: they show nothing", passed)
	}
}

// tree is a directory of services.
func tree(t *testing.T, files map[string]string) pamstack.Directories {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/pam.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		host.WriteFile(t, filepath.Join(dir, name), text, 0o644)
	}
	return pamstack.In(root)
}

func TestStackNamesItsPlaces(t *testing.T) {
	s := tree(t, map[string]string{
		"sshd":   "# first\n@include common\nauth \\\n  required a.so x y # z\n-account optional b.so\nauth substack deep\n",
		"common": "auth [success=1 default=ignore] unix.so\nauth requisite deny.so\n",
		"deep":   "\nauth required c.so [a b]\n",
	}).Stack("sshd", pamstack.Auth)
	var got []string
	for _, l := range s.Lines {
		got = append(got, fmt.Sprintf("%s:%d top %d %s %q", filepath.Base(l.File), l.Number, l.Top, l.Module, l.Args))
	}
	want := `common:1 top 2 unix.so []
common:2 top 2 deny.so []
sshd:3 top 3 a.so ["x" "y"]
sshd:6 top 6 deep []
deep:2 top 6 c.so ["[a b]"]`
	if len(s.Faults) > 0 || strings.Join(got, "\n") != want {
		t.Errorf("faults %v, lines:\n%s\nwant:\n%s", s.Faults, strings.Join(got, "\n"), want)
	}
}

func TestStackFaults(t *testing.T) {
	d := tree(t, map[string]string{
		"a":    "auth include nowhere\nauth whatever x.so\nauth required\nlogin required x.so\nauth [succes=ok] x.so\nauth [success=maybe] x.so\n",
		"loop": "@include loop\n",
	})
	var lines []int
	for _, f := range d.Stack("a", pamstack.Auth).Faults {
		lines = append(lines, f.Number)
	}
	if fmt.Sprint(lines) != "[1 2 3 4 5 6]" {
		t.Errorf("faults in lines %v", lines)
	}
	if faults := d.Stack("loop", pamstack.Auth).Faults; len(faults) != 1 {
		t.Errorf("a file that includes itself: %v", faults)
	}
}

// A service without a line of the kind has those of "other".
func TestStackOther(t *testing.T) {
	d := tree(t, map[string]string{"a": "session required x.so\n", "other": "auth required deny.so\n"})
	for _, service := range []string{"a", "unknown"} {
		if s := d.Stack(service, pamstack.Auth); len(s.Lines) != 1 || s.Lines[0].Module != "deny.so" {
			t.Errorf("%s: %v", service, s.Lines)
		}
	}
}

// TestWalkMisses shows that the line which leads past another is found.
func TestWalkMisses(t *testing.T) {
	for text, want := range map[string]int{
		"auth required a.so\nauth required ours.so\n":                                                         -1,
		"auth required a.so\nauth sufficient b.so\nauth required ours.so\n":                                   1,
		"auth [success=2 default=die] a.so\nauth required ours.so\nauth requisite b.so\nauth required c.so\n": 0,
		"auth substack in\nauth required ours.so\n":                                                           -1,
		"auth include in\nauth required ours.so\n":                                                            0,
	} {
		d := tree(t, map[string]string{"s": text, "in": "auth sufficient unix.so\n"})
		w := pamstack.Walk{
			Stack: d.Stack("s", pamstack.Auth), May: pamstack.Possible,
			Watch: func(l pamstack.Line) bool { return l.Is("ours.so") },
		}
		got := -1
		for _, e := range w.Ends() {
			if e.Passed() && !e.Called {
				got = e.Missed
			}
		}
		if got != want {
			t.Errorf("%q: missed by line %d, want %d", text, got, want)
		}
	}
}
