package ctest

import (
	"debug/elf"
	"slices"
	"testing"
)

// mostRelocations bounds what loading the module costs each process that logs somebody in: about 0.02 ms a thousand.
// They come with what the Go half links, so the answer to a failure is to link less.
const mostRelocations = 20000

func TestObject(t *testing.T) {
	f, err := elf.Open(build(t, whole).module)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(libraries)
	if want := []string{"libc.so.6", "libpam.so.0"}; !slices.Equal(libraries, want) {
		t.Errorf("it needs %q, want %q: what logs people in loads nothing else", libraries, want)
	}
	if got := exports(t, f); !slices.Equal(got, []string{"pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_chauthtok",
		"pam_sm_close_session", "pam_sm_open_session", "pam_sm_setcred"}) {
		t.Errorf("it exports %q, want what libpam calls and nothing else", got)
	}
	flags, err := f.DynValue(elf.DT_FLAGS)
	if err != nil || len(flags) != 1 || elf.DynFlag(flags[0])&elf.DF_BIND_NOW == 0 || elf.DynFlag(flags[0])&elf.DF_TEXTREL != 0 {
		t.Errorf("flags %v, %v: want everything bound at once, and no text relocations", flags, err)
	}
	if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO }) {
		t.Error("nothing is read-only after relocation")
	}
	if s := f.Section("go_runtime_init"); s == nil || s.Size != pointerSize(f) {
		t.Errorf("go_runtime_init is %v, want one entry: Go is not asleep", s)
	}
	if n := relocations(t, f); n > mostRelocations {
		t.Errorf("%d relocations, at most %d", n, mostRelocations)
	} else {
		t.Logf("%d relocations", n)
	}
}

func pointerSize(f *elf.File) uint64 {
	if f.Class == elf.ELFCLASS32 {
		return 4
	}
	return 8
}

func exports(t *testing.T, f *elf.File) []string {
	t.Helper()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names
}

// relocations is how many the dynamic loader has to make.
func relocations(t *testing.T, f *elf.File) int {
	t.Helper()
	n := 0
	for _, s := range f.Sections {
		if s.Type == elf.SHT_RELA && s.Entsize > 0 {
			n += int(s.Size / s.Entsize)
		}
	}
	return n
}
