package ctest

import (
	"bufio"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// mostOwn bounds the pages of the module that a process which logs somebody in gets a copy of, in kB: the C half's own.
const mostOwn = 32

// mapping is a part of the module in a process's memory (proc(5), smaps).
type mapping struct {
	start, end uint64
	offset     uint64
	modes      string
	own        int // kB of copied pages
}

// TestMemory looks at two processes in the middle of a login without the daemon: the one that logs in, whose memory Go
// has left alone, and its child, in which Go runs. In both, what is read-only after relocation is.
func TestMemory(t *testing.T) {
	h := newHome(t)
	h.install(t)
	host, goOn := h.atPrompt(t, "user="+enrolled, "answer="+h.code(t))
	own := 0
	for _, m := range h.mappings(t, host) {
		own += m.own
	}
	if t.Logf("%d kB are the process's own", own); own > mostOwn {
		t.Errorf("%d kB of the module are the process's own, at most %d", own, mostOwn)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", host))
	var half int
	if err == nil {
		_, err = fmt.Sscan(string(children), &half)
	}
	if err != nil {
		t.Fatalf("no Go half: %v", err)
	}
	h.wantReadOnly(t, host)
	h.wantReadOnly(t, half)
	if out := goOn(); !strings.Contains(out, "\nauth 0\n") {
		t.Errorf("it printed\n%s", out)
	}
}

// atPrompt runs a host until it shows a prompt; goOn has it go on, and gives what it printed from there.
func (h *home) atPrompt(t *testing.T, options ...string) (pid int, goOn func() string) {
	t.Helper()
	cmd := exec.Command(h.host, append(append([]string{"confdir=" + h.confdir, "conv=pause"}, options...), "--", "auth")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	said := bufio.NewScanner(out)
	for said.Scan() && !strings.HasPrefix(said.Text(), "hidden ") {
	}
	return cmd.Process.Pid, func() string {
		if _, err := in.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
		all := "\n"
		for said.Scan() {
			all += said.Text() + "\n"
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return all
	}
}

// mappings are the parts of the module's file that a process has mapped.
func (h *home) mappings(t *testing.T, pid int) []mapping {
	t.Helper()
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []mapping
	inside := false
	for line := range strings.Lines(string(smaps)) {
		var m mapping
		var own int
		if n, _ := fmt.Sscanf(line, "%x-%x %s %x ", &m.start, &m.end, &m.modes, &m.offset); n == 4 {
			inside = strings.HasSuffix(line, " "+h.module+"\n")
			if inside {
				all = append(all, m)
			}
		} else if n, _ := fmt.Sscanf(line, "Anonymous: %d kB", &own); n == 1 && inside {
			all[len(all)-1].own = own
		}
	}
	if len(all) == 0 {
		t.Fatalf("process %d has not mapped %s", pid, h.module)
	}
	return all
}

// wantReadOnly fails where what PT_GNU_RELRO names can be written to.
func (h *home) wantReadOnly(t *testing.T, pid int) {
	t.Helper()
	f, err := elf.Open(h.module)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, page := h.mappings(t, pid), uint64(os.Getpagesize())
	seen := uint64(0)
	for _, p := range f.Progs {
		if p.Type != elf.PT_GNU_RELRO {
			continue
		}
		start, end := (all[0].start+p.Vaddr)&^(page-1), (all[0].start+p.Vaddr+p.Memsz)&^(page-1)
		for _, m := range all {
			if m.start >= end || m.end <= start {
				continue
			}
			seen += min(m.end, end) - max(m.start, start)
			if m.modes != "r--p" {
				t.Errorf("process %d: %+v, want it read-only", pid, m)
			}
		}
		if seen != end-start {
			t.Errorf("process %d: %d bytes are mapped of %d that are read-only after relocation", pid, seen, end-start)
		}
	}
	if seen == 0 {
		t.Error("nothing is read-only after relocation")
	}
}
