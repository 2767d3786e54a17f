package doctor

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"sallyport/internal/disk"
	"sallyport/internal/pamstack"
)

// moduleDirs are where libpam looks for a module without a path, on the distributions that there are.
func (f *facts) moduleDirs() []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/*/security", "/lib/*/security", "/usr/lib64/security", "/lib64/security", "/usr/lib/security", "/lib/security"} {
		found, _ := filepath.Glob(f.path(pattern)) // the pattern is well formed
		dirs = append(dirs, found...)
	}
	return dirs
}

// modulePath is what a line of pam.d has to call the module; "" where it is not installed.
func (f *facts) modulePath() string { return ModulePath(f.Patient) }

// ModulePath is what a line of pam.d has to call the module: its name where libpam finds it, or its path; "" where it is
// not installed.
func ModulePath(p Patient) string {
	f := facts{Patient: p}
	for _, dir := range f.moduleDirs() {
		if _, err := os.Stat(filepath.Join(dir, moduleName)); err == nil {
			return moduleName
		}
	}
	dirs := []string{"/usr/local/lib/security"}
	if self, err := os.Executable(); err == nil && p.live() { // PREFIX/bin/sallyportctl
		dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(self)), "lib/security"))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(p.path(filepath.Join(dir, moduleName))); err == nil {
			return filepath.Join(dir, moduleName)
		}
	}
	return ""
}

// file is where the module of a line is.
func (f *facts) file(l pamstack.Line) string {
	if filepath.IsAbs(l.Module) {
		return f.path(l.Module)
	}
	for _, dir := range f.moduleDirs() {
		path := filepath.Join(dir, l.Module)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// checkModule looks at whether libpam can load the module that a line names, and whether others could change it.
func (f *facts) checkModule(l pamstack.Line) []Finding {
	path := f.file(l)
	found := Finding{ID: "module-missing", Effect: LocksOut, File: l.File, Line: l.Number, Outcome: "Nobody can log in through that stack."}
	if l.Quiet {
		found.Effect, found.Outcome = LetsPast, `The line begins with "-": libpam passes over it, and nobody is asked for a code.`
	}
	if path == "" || errors.Is(stat(path), fs.ErrNotExist) {
		found.What = fmt.Sprintf("The module %s is not there.", l.Module)
		found.Mend = text("Install Sallyport, or take the line out.")
		if is := f.modulePath(); is != "" {
			found.Mend = Mend{Edits: []Edit{{File: l.File, Line: l.Number, Old: l.Text, New: replaceModule(l, is)}}}
		}
		return []Finding{found}
	}
	if problem := loadable(path); problem != "" {
		found.ID, found.What = "module-unusable", fmt.Sprintf("%s cannot be loaded: %s.", path, problem)
		found.Mend = text("Install Sallyport again, as it is built for this machine.")
		return []Finding{found}
	}
	if w, bad := writable(path); bad {
		return []Finding{w}
	}
	return nil
}

func stat(path string) error {
	_, err := os.Stat(path)
	return err
}

func replaceModule(l pamstack.Line, path string) string {
	i := slices.Index([]byte(l.Text), ']') + 1 // behind a control in brackets
	rest := l.Text[i:]
	for at := 0; at+len(l.Module) <= len(rest); at++ {
		if rest[at:at+len(l.Module)] == l.Module {
			return l.Text[:i] + rest[:at] + path + rest[at+len(l.Module):]
		}
	}
	return l.Text
}

// loadable says why libpam cannot load a module into this machine's programs; "": it can, for what its headers say.
func loadable(path string) string {
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Sprintf("it is no object file (%v)", err)
	}
	defer file.Close()
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "arm": elf.EM_ARM, "riscv64": elf.EM_RISCV}
	if want, known := machines[runtime.GOARCH]; known && file.Machine != want {
		return fmt.Sprintf("it is built for %s, and this machine is %s", file.Machine, want)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil || !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == "pam_sm_authenticate" && s.Section != elf.SHN_UNDEF }) {
		return "it is no PAM module"
	}
	return ""
}

// writable finds a file that others than root could change: what is in it runs as root, or decides who gets in.
func writable(path string) (Finding, bool) {
	st, err := os.Stat(path)
	if err != nil {
		return Finding{}, false
	}
	found := Finding{ID: "pam-writable", Effect: LetsPast, File: path, Outcome: "Who can change it can let anybody in, and become root."}
	owner, ok := st.Sys().(*syscall.Stat_t)
	switch {
	case ok && owner.Uid != 0:
		found.What, found.Mend = fmt.Sprintf("%s belongs to uid %d.", path, owner.Uid), run("chown root:root %s", disk.Quote(path))
	case st.Mode().Perm()&0o022 != 0:
		found.What, found.Mend = fmt.Sprintf("%s has mode %04o: others may write it.", path, st.Mode().Perm()), run("chmod go-w %s", disk.Quote(path))
	default:
		return Finding{}, false
	}
	return found, true
}
