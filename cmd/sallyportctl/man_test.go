package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestMan holds the manual page to every command, every option and every example. The packages' tests have groff read it.
func TestMan(t *testing.T) {
	a := &app{terminal: newTerminal(os.Stdin, os.Stdout, os.Stderr)}
	root := a.command()
	var b strings.Builder
	manPage{&b}.page(root)
	page := b.String()
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		_, section, ok := strings.Cut(page, ".SS "+roff(strings.TrimPrefix(cmd.CommandPath(), "sallyportctl ")))
		if !ok && cmd.HasParent() {
			t.Errorf("the page has no %s", cmd.CommandPath())
		}
		section, _, _ = strings.Cut(section, "\n.S")
		hasFlag := func(f *pflag.Flag) {
			if !strings.Contains(section, `\fB\-\-`+roff(f.Name)+`\fR`) && f.Name != "help" && !f.Hidden {
				t.Errorf("%s: the page has no --%s", cmd.CommandPath(), f.Name)
			}
		}
		cmd.LocalNonPersistentFlags().VisitAll(hasFlag)
		if cmd.HasParent() {
			cmd.PersistentFlags().VisitAll(hasFlag)
		}
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(section, roff(strings.TrimSpace(line))) {
				t.Errorf("%s: the page has no example %q", cmd.CommandPath(), line)
			}
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(root)
	if !strings.Contains(page, `\fB\-\-root\fR \fIDIR\fR`) {
		t.Error("the page has no --root")
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"a plain word": "a plain word", ".SH": `\&.SH`, "a\n.SH": "a\n\\&.SH", "'a'": `\(aqa\(aq`, `--x \n`: `\-\-x \en`,
	} {
		if got := roff(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
