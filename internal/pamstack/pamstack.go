// Package pamstack reads PAM's configuration as libpam does, and says which ways lead through a stack: whether a line
// can be missed, and whether its refusal counts (pam.conf(5), pam.d(5)).
package pamstack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is the first field of a line.
type Kind string

// The kinds of lines that decide who comes in, and how often.
const (
	Auth    Kind = "auth"
	Account Kind = "account"
	Session Kind = "session"
)

// Line is one line of a stack, put in the place where its file is included.
type Line struct {
	File    string
	Number  int // from 1; of the first of several that a backslash joins
	Text    string
	Control Control
	Module  string // as it is written
	Args    []string
	Quiet   bool // "-auth": a module that is missing is passed over

	// Top is the number of the line of the service's own file that this one is, or that includes it.
	Top int

	level int  // 0; deeper inside substacks
	entry bool // a substack begins behind it; nothing is called
}

// Fault is what is wrong with the configuration itself. Libpam refuses whoever meets it.
type Fault struct {
	File   string
	Number int // 0: the file as a whole
	Text   string
}

// Stack is what libpam goes through for one service and kind.
type Stack struct {
	Service string
	Kind    Kind
	Lines   []Line
	Files   []string // every file that was read for it
	Faults  []Fault
}

// Directories are where services are looked for; the first that has one counts.
type Directories struct {
	root string
	dirs []string
}

// In is a host's directories. root is put before them.
func In(root string) Directories {
	return Directories{root, []string{filepath.Join(root, "/etc/pam.d"), filepath.Join(root, "/usr/lib/pam.d")}}
}

// maxLevel bounds includes in includes, as libpam does.
const maxLevel = 16

// maxFiles is more than any stack is made of. Without it a few files that include each other twice would be read for ever.
const maxFiles = 256

// maxFile is more than any file of this kind has, in bytes.
const maxFile = 1 << 20

// Services lists the names of all files, in name order. Some are there only to be included.
func (d Directories) Services() ([]string, error) {
	var names []string
	for _, dir := range d.dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// File is where a service's file is; "" where there is none.
func (d Directories) File(service string) string {
	for _, dir := range d.dirs {
		path := filepath.Join(dir, service)
		if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// Stack reads the stack of a service. One without a line of that kind has those of the service "other".
func (d Directories) Stack(service string, kind Kind) Stack {
	s := Stack{Service: service, Kind: kind}
	r := reader{dirs: d, stack: &s}
	if path := d.File(service); path != "" {
		r.read(path, 0, 0)
	}
	if len(s.Lines) == 0 && len(s.Faults) == 0 {
		if path := d.File("other"); path != "" {
			r.read(path, 0, 0)
		}
	}
	return s
}

// reader puts files into a stack.
type reader struct {
	dirs  Directories
	stack *Stack
	top   int // the line of the outermost file that is being read
	files int // how many were read
}

func (r *reader) fault(file string, number int, format string, args ...any) {
	r.stack.Faults = append(r.stack.Faults, Fault{file, number, fmt.Sprintf(format, args...)})
}

// read adds the lines of a file. level counts substacks; depth counts all includes.
func (r *reader) read(path string, level, depth int) {
	switch r.files++; {
	case r.files > maxFiles+1:
		return // it has been said
	case depth > maxLevel:
		r.fault(path, 0, "it is included more than %d deep", maxLevel)
		r.files = maxFiles + 1 // libpam goes no further
		return
	case r.files > maxFiles:
		r.fault(path, 0, "more than %d files are included", maxFiles)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		r.fault(path, 0, "it cannot be read: %v", err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		r.fault(path, 0, "it cannot be read: %v", err)
		return
	}
	if !slices.Contains(r.stack.Files, path) {
		r.stack.Files = append(r.stack.Files, path)
	}
	for _, l := range logicalLines(string(data)) {
		if depth == 0 {
			r.top = l.number
		}
		r.line(path, l, level, depth)
	}
}

// include reads a file that another one names.
func (r *reader) include(name, from string, number, level, depth int) {
	path := filepath.Join(r.dirs.root, name)
	if !filepath.IsAbs(name) {
		path = r.dirs.File(name)
	}
	if path == "" {
		r.fault(from, number, "there is no file %q to include", name)
		return
	}
	r.read(path, level, depth+1)
}

// line adds one line, if it is of the stack's kind.
func (r *reader) line(path string, l logicalLine, level, depth int) {
	words := fields(l.text)
	if len(words) == 0 {
		return
	}
	if strings.EqualFold(words[0], "@include") {
		if len(words) < 2 {
			r.fault(path, l.number, "@include names no file")
			return
		}
		r.include(words[1], path, l.number, level, depth)
		return
	}
	kind, quiet := strings.CutPrefix(strings.ToLower(words[0]), "-")
	if Kind(kind) != r.stack.Kind {
		if !slices.Contains([]string{"auth", "account", "session", "password"}, kind) {
			r.fault(path, l.number, "%q is no kind of line: must be auth, account, session or password", words[0])
		}
		return
	}
	if len(words) < 3 {
		r.fault(path, l.number, "the line has no module")
		return
	}
	line := Line{File: path, Number: l.number, Text: l.text, Module: words[2], Args: words[3:], Quiet: quiet, Top: r.top, level: level}
	switch strings.ToLower(words[1]) {
	case "include":
		r.include(words[2], path, l.number, level, depth)
		return
	case "substack":
		line.entry = true
		r.stack.Lines = append(r.stack.Lines, line)
		r.include(words[2], path, l.number, level+1, depth)
		return
	}
	var err error
	if line.Control, err = parseControl(words[1]); err != nil {
		r.fault(path, l.number, "%v", err)
	}
	r.stack.Lines = append(r.stack.Lines, line)
}

// logicalLine is a line without its comment, and what a backslash joins to it.
type logicalLine struct {
	number int
	text   string
}

func logicalLines(text string) []logicalLine {
	var all []logicalLine
	joined := false
	number := 0
	for raw := range strings.Lines(text) {
		number++
		raw, _, _ = strings.Cut(strings.TrimRight(raw, "\r\n"), "#")
		rest, more := strings.CutSuffix(strings.TrimRight(raw, " \t"), `\`)
		rest = strings.TrimSpace(rest)
		if joined {
			last := &all[len(all)-1]
			last.text = strings.TrimSpace(last.text + " " + rest)
		} else {
			all = append(all, logicalLine{number, rest})
		}
		joined = more
	}
	return all
}

// fields splits a line at blanks. What is in brackets is one field, and keeps them where it is a control.
func fields(text string) []string {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if end := strings.IndexByte(text, ']'); text[0] == '[' && end > 0 {
			words, text = append(words, text[:end+1]), text[end+1:]
			continue
		}
		end := strings.IndexAny(text, " \t")
		if end < 0 {
			end = len(text)
		}
		words, text = append(words, text[:end]), text[end:]
	}
	return words
}

// Calls reports whether the line calls a module.
func (l Line) Calls() bool { return !l.entry }

// Is reports whether the line calls the module of that file name, wherever it is.
func (l Line) Is(module string) bool { return !l.entry && filepath.Base(l.Module) == module }

// InSubstack reports whether the line is in a substack: what ends the stack there ends the substack only.
func (l Line) InSubstack() bool { return l.level > 0 }
