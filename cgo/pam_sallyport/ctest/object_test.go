package ctest

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"
)

// mostRelocations bounds what loading the module costs each process that logs somebody in. Most are functions of the C
// library's that one of the halves calls. Go's own thousands are asleep with it.
const mostRelocations = 150

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
		t.Errorf("the loader makes %d relocations, at most %d", n, mostRelocations)
	} else {
		t.Logf("the loader makes %d relocations", n)
	}
	sleepingRelocations(t, f)
}

// sleepingRelocations looks at those that relocate.c makes: of the one type that it knows, and in what is written to.
func sleepingRelocations(t *testing.T, f *elf.File) {
	t.Helper()
	s := f.Section("go_relocations")
	if s == nil || s.Type != elf.SHT_PROGBITS {
		t.Fatalf("go_relocations is %v, want a section that is not the loader's", s)
	}
	all := make([]elf.Rela64, s.Size/uint64(binary.Size(elf.Rela64{})))
	if err := binary.Read(s.Open(), f.ByteOrder, all); err != nil {
		t.Fatal(err)
	}
	relative := map[elf.Machine]uint32{elf.EM_X86_64: uint32(elf.R_X86_64_RELATIVE), elf.EM_AARCH64: uint32(elf.R_AARCH64_RELATIVE)}[f.Machine]
	for _, r := range all {
		writable := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
			return p.Type == elf.PT_LOAD && p.Flags&elf.PF_W != 0 && r.Off >= p.Vaddr && r.Off+pointerSize(f) <= p.Vaddr+p.Filesz
		})
		if elf.R_TYPE64(r.Info) != relative || !writable {
			t.Errorf("relocation %+v: it is of another type, or where nothing can be written", r)
		}
	}
	if len(all) == 0 {
		t.Error("no relocations are asleep")
	}
	t.Logf("%d relocations are asleep", len(all))
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

// relocations is how many the dynamic loader has to make: by what it goes by, which is not the sections.
func relocations(t *testing.T, f *elf.File) int {
	t.Helper()
	n := 0
	for _, tag := range []elf.DynTag{elf.DT_RELASZ, elf.DT_PLTRELSZ} {
		sizes, err := f.DynValue(tag)
		if err != nil || len(sizes) != 1 {
			t.Fatalf("%v: %v, %v", tag, sizes, err)
		}
		n += int(sizes[0]) / binary.Size(elf.Rela64{})
	}
	const relrSize = elf.DynTag(35) // DT_RELRSZ
	for _, tag := range []elf.DynTag{elf.DT_RELSZ, relrSize} {
		if sizes, _ := f.DynValue(tag); len(sizes) > 0 {
			t.Errorf("%v: %v: relocations of another form, which nobody has counted", tag, sizes)
		}
	}
	return n
}
