package ctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// How the C half is compiled for tests; -Werror as in the module itself.
var (
	warnings   = []string{"-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-Wall", "-Wextra", "-Werror"}
	sanitizers = []string{"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"}
)

// deadlines are those that the C half has in a kit.
type deadlines struct{ answer, silence, closing time.Duration }

var (
	// ample ones are over on no machine, however loaded, unless the module waits for what it should not wait for: the test
	// then fails as one that hangs. A logout that nobody answers is one that nobody refuses.
	ample = deadlines{20 * time.Minute, 10 * time.Minute, 500 * time.Millisecond}
	// short ones are for tests in which somebody is silent.
	short = deadlines{2500 * time.Millisecond, time.Second, 500 * time.Millisecond}
)

// kit is a host and the modules for it.
type kit struct {
	host   string // program
	module string // pam_sallyport.so
	other  string // the other modules of the stack
}

var scratch string // removed when the tests end

func TestMain(m *testing.M) {
	if path := os.Getenv(impostorEnv); path != "" {
		fmt.Fprintln(os.Stderr, beImpostor(path))
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "sallyport-ctest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// sanitized is the C half under ASan and UBSan, hasty the same with short deadlines, plain without the sanitizers, for
// valgrind, and whole the module as it is shipped.
var (
	sanitized = sync.OnceValues(func() (kit, error) { return compile("sanitized", sanitizers, ample) })
	hasty     = sync.OnceValues(func() (kit, error) { return compile("hasty", sanitizers, short) })
	plain     = sync.OnceValues(func() (kit, error) { return compile("plain", nil, short) })
	whole     = sync.OnceValues(func() (kit, error) {
		k, err := compile("whole", nil, ample)
		if err != nil {
			return k, err
		}
		k.module = filepath.Join(scratch, "whole", "pam_sallyport.so")
		return k, buildModule(k.module)
	})
)

// build gives the kit that f makes, once for all tests.
func build(t *testing.T, f func() (kit, error)) kit {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("these tests are root's: the module takes a verifier only that runs as root")
	}
	k, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// compile makes a kit whose module is the C half with testdata/half.c in place of the Go half.
func compile(name string, flags []string, d deadlines) (kit, error) {
	dir := filepath.Join(scratch, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return kit{}, err
	}
	k := kit{filepath.Join(dir, "host"), filepath.Join(dir, "pam_half.so"), filepath.Join(dir, "pam_other.so")}
	half, err := filepath.Glob("../*.[ch]")
	if err != nil {
		return k, err
	}
	sources := []string{"testdata/half.c"}
	for _, name := range append(half, "testdata/half.c", "testdata/host.c", "testdata/other.c") {
		if _, err := os.ReadFile(name); err != nil { // the go command runs a test again when a file it has read changes
			return k, err
		}
	}
	for _, name := range half {
		if strings.HasSuffix(name, ".c") {
			sources = append(sources, name)
		}
	}
	shared := append([]string{"-shared", "-fPIC", "-fvisibility=hidden", "-I..",
		fmt.Sprintf("-DSP_DEADLINE_MS=%d", d.answer.Milliseconds()), fmt.Sprintf("-DSP_SILENCE_MS=%d", d.silence.Milliseconds()),
		fmt.Sprintf("-DSP_CLOSE_MS=%d", d.closing.Milliseconds()), "-o", k.module}, sources...)
	for _, args := range [][]string{
		append(shared, "-lpam"),
		{"-shared", "-fPIC", "-o", k.other, "testdata/other.c", "-lpam"},
		{"-rdynamic", "-o", k.host, "testdata/host.c", "-lpam", "-lpthread"},
	} {
		args = append(append(append([]string{}, warnings...), flags...), args...)
		if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
			return k, fmt.Errorf("gcc %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return k, nil
}

// buildModule builds the module as the Makefile does.
func buildModule(to string) error {
	script, err := filepath.Abs("../dormant.ld")
	if err != nil {
		return err
	}
	if _, err := os.ReadFile(script); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath",
		"-ldflags", "-extldflags=-Wl,-T,"+script, "-o", to, "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	return nil
}
