package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// reader reads one file into a draft.
type reader struct {
	file     string
	draft    *draft
	problems Problems

	tableKeys    []key[Policy]
	ruleKeys     []ruleKey
	delegateKeys []key[Delegate]

	doc       map[string]any
	seen      map[string]bool // keys that have been dealt with, by path
	mended    map[int]bool    // lines that were not TOML and stand for no value
	rules     []Rule
	delegates []Delegate

	// Of the [[rule]] or [[delegate]] that is being read:
	unknown bool   // it has an unknown key, which may be a known one misspelt
	finish  func() // checks it as a whole
}

func newReader(file string, d *draft) *reader {
	return &reader{
		file:         file,
		draft:        d,
		tableKeys:    tableKeys(),
		ruleKeys:     ruleKeys(),
		delegateKeys: delegateKeys(),
		seen:         make(map[string]bool),
		mended:       make(map[int]bool),
		finish:       func() {},
	}
}

func (r *reader) problem(line int, text, hint string) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Text: text, Hint: hint})
}

// read takes over all that the file says.
func (r *reader) read(data []byte) {
	if len(data) > maxFile {
		r.problem(1, fmt.Sprintf("This file is larger than %d KiB.", maxFile>>10), "")
		r.draft.broken = true
		return
	}
	if i := invalidUTF8(data); i >= 0 {
		r.problem(1+bytes.Count(data[:i], []byte("\n")), "This is not UTF-8 text.", "Save it as UTF-8.")
		r.draft.broken = true
		return
	}
	text := string(data)
	err := r.decode(text)
	for err != nil {
		r.draft.broken = true
		line, mended, ok := r.mend(text, err)
		if !ok {
			// Some of what stands before that place may make sense by itself.
			_ = r.decode(firstLines(text, line-1))
			return
		}
		text = mended
		err = r.decode(text)
	}
	r.finish()
}

// decode decodes a document and deals with each of its keys.
func (r *reader) decode(text string) error {
	lines, deep := keyLines(text)
	if deep > 0 {
		return toml.ParseError{Message: "this key is too long, or nested too deeply", Position: toml.Position{Line: deep}}
	}
	r.doc = nil
	meta, err := toml.Decode(text, &r.doc)
	if err != nil {
		return err
	}
	keys := meta.Keys()
	if len(keys) != len(lines) {
		return errors.New("the keys cannot be told apart")
	}
	for i, path := range keys {
		r.key(path, lines[i])
	}
	return nil
}

// key deals with one key, or table header, of the document.
func (r *reader) key(path toml.Key, line int) {
	switch path[0] {
	case "rule":
		r.ruleKey(path, line)
	case "delegate":
		r.delegateKey(path, line)
	default:
		r.tableKey(path, line)
	}
}

// tableKey deals with a key of a table, or at the head of the file.
func (r *reader) tableKey(path toml.Key, line int) {
	table, name, values := "", path[0], r.doc
	if isTable(r.tableKeys, path[0]) {
		inner, ok := r.doc[path[0]].(map[string]any)
		if !ok {
			if r.first(path[0]) {
				r.problem(line, fmt.Sprintf("%s is a table.", path[0]), fmt.Sprintf("Write [%s], and its keys below.", path[0]))
			}
			return
		}
		if len(path) == 1 {
			return
		}
		table, name, values = path[0], path[1], inner
	}
	full := qualified(table, name)
	if !r.first(toml.Key{table, name}.String()) {
		return
	}
	i := slices.IndexFunc(r.tableKeys, func(k key[Policy]) bool { return k.name == full && !strings.Contains(name, ".") })
	if i < 0 {
		r.unknownKey(table, name, values[name], line)
		return
	}
	p := r.draft.policy
	p.origins[full] = origin{r.file, line}
	if !take(r, r.tableKeys[i], p, values[name], line) {
		r.draft.faulty[full] = true
	}
}

// ruleKey deals with [[rule]] and its keys.
func (r *reader) ruleKey(path toml.Key, line int) {
	values, ok := r.item(path, len(r.rules), line)
	if !ok {
		return
	}
	if len(path) == 1 {
		r.rules = append(r.rules, Rule{File: r.file, Line: line, lines: make(map[string]int)})
		r.finish = r.finishRule
		return
	}
	rule, name := &r.rules[len(r.rules)-1], path[1]
	if _, seen := rule.lines[name]; seen {
		return
	}
	rule.lines[name] = line
	i := slices.IndexFunc(r.ruleKeys, func(k ruleKey) bool { return k.name == name })
	if i < 0 {
		r.unknown = true
		r.unknownKey("rule", name, values[name], line)
		return
	}
	if take(r, r.ruleKeys[i].key, rule, values[name], line) {
		rule.sets |= r.ruleKeys[i].sets
	}
}

// delegateKey deals with [[delegate]] and its keys.
func (r *reader) delegateKey(path toml.Key, line int) {
	values, ok := r.item(path, len(r.delegates), line)
	if !ok {
		return
	}
	if len(path) == 1 {
		r.delegates = append(r.delegates, Delegate{File: r.file, Line: line, lines: make(map[string]int)})
		r.finish = r.finishDelegate
		return
	}
	delegate, name := &r.delegates[len(r.delegates)-1], path[1]
	if _, seen := delegate.lines[name]; seen {
		return
	}
	delegate.lines[name] = line
	i := slices.IndexFunc(r.delegateKeys, func(k key[Delegate]) bool { return k.name == name })
	if i < 0 {
		r.unknown = true
		r.unknownKey("delegate", name, values[name], line)
		return
	}
	take(r, r.delegateKeys[i], delegate, values[name], line)
}

// item gives the values of the [[table]] that a path is in, of which so many
// have begun. A path of one part begins the next.
func (r *reader) item(path toml.Key, begun, line int) (map[string]any, bool) {
	name := path[0]
	items, ok := r.doc[name].([]map[string]any)
	if !ok {
		if r.first(name) {
			r.problem(line, fmt.Sprintf("%s is a list of tables.", name), fmt.Sprintf("Begin each with a line [[%s]].", name))
		}
		return nil, false
	}
	if len(path) == 1 {
		r.finish()
		r.unknown = false
		return nil, true
	}
	return items[begun-1], true
}

// first reports whether a path is met for the first time.
func (r *reader) first(path string) bool {
	if r.seen[path] {
		return false
	}
	r.seen[path] = true
	return true
}

// finishRule checks the last rule as a whole.
func (r *reader) finishRule() {
	rule := &r.rules[len(r.rules)-1]
	has := func(k ruleKey) bool { return rule.lines[k.name] > 0 && (k.sets != 0 || k.name == "until") }
	if !r.unknown && !slices.ContainsFunc(r.ruleKeys, has) {
		r.problem(rule.Line, "This rule sets nothing.", `Add what it is for, such as require = "always".`)
	}
	until, require := rule.lines["until"], rule.lines["require"]
	switch {
	case until == 0 || rule.Require == RequireEnroll:
	case require == 0 && !r.unknown:
		r.problem(until, "until says when setting up becomes mandatory, but this rule does not ask for it.", `Add require = "enroll".`)
	case rule.Require != "":
		r.problem(until, fmt.Sprintf("until goes with require = %q only.", RequireEnroll),
			fmt.Sprintf("This rule has require = %q.", rule.Require))
	}
}

// finishDelegate checks the last delegate as a whole.
func (r *reader) finishDelegate() {
	delegate := &r.delegates[len(r.delegates)-1]
	for _, needed := range [][]string{{"who"}, {"over", "owners"}, {"may"}} {
		has := func(key string) bool { return delegate.lines[key] > 0 }
		if !r.unknown && !slices.ContainsFunc(needed, has) {
			r.problem(delegate.Line, fmt.Sprintf("This delegate lacks %s.", quotedList(needed, "or")), "It needs who, over or owners, and may.")
		}
	}
}

// take takes one value over into t, or reports what is wrong with it, unless
// that has been done.
func take[T any](r *reader, k key[T], t *T, value any, line int) bool {
	if r.mended[line] {
		return false
	}
	faults := k.read(t, value)
	for _, f := range faults {
		r.problem(line, f.text, f.hint)
	}
	return len(faults) == 0
}
