package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sallyport/internal/api"
)

// man prints the manual page, which is made of the commands' help. The packages' build runs it.
func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Print the manual page sallyportctl(8)",
		Example: `  sallyportctl man >sallyportctl.8`,
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var b strings.Builder
			manPage{&b}.page(cmd.Root())
			_, err := io.WriteString(a.stdout, b.String())
			return err
		},
	}
}

// manPage writes in the macros of man(7).
type manPage struct{ w *strings.Builder }

func (m manPage) line(format string, args ...any) { fmt.Fprintf(m.w, format+"\n", args...) }

func (m manPage) page(root *cobra.Command) {
	m.line(`.\" Made by "sallyportctl man" from the commands' help.`)
	m.line(`.TH %s 8 "" "Sallyport %s" "Sallyport"`, strings.ToUpper(root.Name()), api.Version)
	m.line(".nh\n.ad l") // names of commands are not divided
	m.line(".SH NAME\n%s \\- %s", root.Name(), roff(lowerFirst(root.Short)))
	m.line(".SH SYNOPSIS\n.B %s\n.RI [ options ] \" COMMAND \" ...", root.Name())
	m.line(".SH DESCRIPTION")
	m.text(root.Long)
	m.flags("Options of all commands:", root.PersistentFlags())
	for _, g := range root.Groups() {
		m.line(".SH %s", roff(strings.ToUpper(strings.TrimSuffix(g.Title, ":"))))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == g.ID {
				m.command(cmd)
			}
		}
	}
	m.line(".SH SEE ALSO\n.BR sallyport.toml (5),\n.BR pam_sallyport (8),\n.BR sallyportd (8)")
}

// command is a command and, behind it, those below it.
func (m manPage) command(cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" {
		return
	}
	use := strings.TrimPrefix(cmd.UseLine(), cmd.Root().Name()+" ")
	m.line(".SS %s", roff(strings.Replace(use, "[flags]", "[options]", 1)))
	m.line("%s.", roff(cmd.Short))
	if cmd.Long != "" {
		m.line(".PP")
		m.text(cmd.Long)
	}
	m.flags("Options:", cmd.LocalNonPersistentFlags())
	m.flags("Options, also of the commands below:", cmd.PersistentFlags())
	if cmd.Example != "" {
		m.line(".PP\nFor example:")
		m.verbatim(cmd.Example)
	}
	for _, sub := range cmd.Commands() {
		m.command(sub)
	}
}

// text is paragraphs; one whose lines are indented stays as it is.
func (m manPage) text(s string) {
	for i, paragraph := range strings.Split(s, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, " "):
			m.verbatim(paragraph)
			continue
		case i > 0:
			m.line(".PP")
		}
		m.line("%s", roff(paragraph))
	}
}

// verbatim is lines as they are, without the indentation that they share.
func (m manPage) verbatim(s string) {
	m.line(".PP\n.RS 4\n.nf")
	for line := range strings.Lines(s) {
		m.line("%s", roff(strings.TrimRight(strings.TrimPrefix(line, "  "), "\n")))
	}
	m.line(".fi\n.RE")
}

func (m manPage) flags(title string, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if title != "" {
			m.line(".PP\n%s", title)
			title = ""
		}
		value, usage := pflag.UnquoteUsage(f)
		name := `\fB\-\-` + roff(f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB\-` + f.Shorthand + `\fR, ` + name
		}
		if value != "" {
			name += ` \fI` + roff(strings.ToUpper(value)) + `\fR`
		}
		if f.Value.Type() == "string" && f.DefValue != "" {
			usage += fmt.Sprintf(" (%s by itself)", f.DefValue)
		}
		m.line(".TP\n%s\n%s", name, roff(usage))
	})
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "\n.", "\n\\&.")

// roff is text in which nothing is a command or a character of another shape.
func roff(s string) string {
	s = roffEscapes.Replace(s)
	if strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
