package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"sallyport/internal/wire"
)

// How sallyportctl speaks to people. All of it goes through this file, and what it says at length is in text.go.
//
//   - What was asked for goes to standard output. Questions, progress and what went wrong go to standard error, so that
//     the output can be piped and the question is still seen.
//   - An error is one line, "sallyportctl: " and a sentence that says what would be right.
//   - Everything is a sentence with a full stop, but for a line that ends in something to type, or in a colon.
//   - Questions are asked only where standard input is a terminal; else the answer is the next line of it, and nothing
//     is asked. Nothing is ever assumed: no answer is an error.
//   - Colour only repeats what the words say, on a terminal, unless NO_COLOR is set (no-color.org).
//   - With --json the output is one JSON value, whatever it is on, and the exit status is the same.
//   - Codes are read as they are typed, with the echo as it is: they are used up by being typed. Passwords are not shown.

// terminal is where a person reads and types, or what stands in for it.
type terminal struct {
	stdin, stdout, stderr *os.File
	lines                 *bufio.Reader // of stdin
}

func newTerminal(stdin, stdout, stderr *os.File) terminal {
	const longest = wire.MaxAnswer + 2 // and CR LF
	return terminal{stdin, stdout, stderr, bufio.NewReaderSize(stdin, longest)}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// interactive reports whether somebody can be asked.
func (t terminal) interactive() bool { return isTerminal(t.stdin) }

// say prints what was asked for.
func (t terminal) say(format string, args ...any) {
	fmt.Fprintf(t.stdout, format+"\n", args...)
}

// tell prints what happens, to the person only.
func (t terminal) tell(format string, args ...any) {
	fmt.Fprintf(t.stderr, format+"\n", args...)
}

// fail prints what went wrong. Cobra's own errors begin small and have no full stop.
func (t terminal) fail(err error) {
	text := err.Error()
	if !strings.HasSuffix(text, ".") && !strings.ContainsAny(text, ":\n") {
		text += "."
	}
	fmt.Fprintln(t.stderr, "sallyportctl: "+text)
}

// printable shows what would move the cursor, or hide, as Go writes it in a string: \x1b, \u202e.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// writeJSON prints v as one JSON value.
func (t terminal) writeJSON(v any) error {
	e := json.NewEncoder(t.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeJSONLine prints v as JSON on a line of its own, for what has no end.
func (t terminal) writeJSONLine(v any) error {
	e := json.NewEncoder(t.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// jsonArray prints an array that is too long to hold: an element to a line.
type jsonArray struct {
	w     io.Writer
	begun bool
}

func (j *jsonArray) add(v any) error {
	before := ",\n"
	if !j.begun {
		before, j.begun = "[\n", true
	}
	text, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(j.w, "%s  %s", before, text)
	}
	return err
}

func (j *jsonArray) end() error {
	text := "\n]\n"
	if !j.begun {
		text = "[]\n"
	}
	_, err := io.WriteString(j.w, text)
	return err
}

// sentence is an error that is told to a person as it stands.
type sentence string

func (s sentence) Error() string { return string(s) }

// ask asks for one line, and returns it without what ends it.
func (t terminal) ask(question string) (string, error) {
	if t.interactive() {
		fmt.Fprint(t.stderr, question)
	}
	line, err := t.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", sentence(fmt.Sprintf("The answer is longer than %d bytes.", wire.MaxAnswer))
	case errors.Is(err, io.EOF) && len(line) == 0:
		if t.interactive() {
			fmt.Fprintln(t.stderr)
		}
		return "", sentence("No answer was given on standard input.")
	case err != nil && !errors.Is(err, io.EOF):
		return "", sentence(fmt.Sprintf("Standard input cannot be read: %v.", err))
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// askHidden asks for a password, and does not show what is typed.
func (t terminal) askHidden(question string) (string, error) {
	fd := int(t.stdin.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return t.ask(question) // nobody types
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &hidden); err != nil {
		return "", sentence(fmt.Sprintf("The terminal goes on showing what is typed: %v.", err))
	}
	answer, err := t.ask(question)
	fmt.Fprintln(t.stderr)
	if shown := unix.IoctlSetTermios(fd, unix.TCSETS, before); err == nil && shown != nil {
		err = sentence(fmt.Sprintf("The terminal stays as it is: %v.", shown))
	}
	return answer, err
}

// agree asks whether to go on with something that is hard to undo. Where nobody can be asked, --yes must have said it.
func (t terminal) agree(question string) error {
	if !t.interactive() {
		return usageError{"There is no terminal to ask on: say --yes if you mean it."}
	}
	answer, err := t.ask(question + " [y/N] ")
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return sentence("Nothing was changed.")
}

// colour is an SGR parameter (ECMA-48 §8.3.117).
type colour string

const (
	green  colour = "32"
	yellow colour = "33"
	bold   colour = "1"
)

// in colours text for standard output.
func (t terminal) in(c colour, text string) string {
	if !isTerminal(t.stdout) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}
