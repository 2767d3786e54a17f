package policy

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"sallyport/internal/disk"
)

// Change sets a setting of a table, or takes it out of the managed file, where
// it then is what the other files say.
type Change struct {
	Name  string // "enabled", "codes.window", ...
	Value string // as TOML
	Unset bool   // take it out
}

// Edit is what changes come to. Nothing is written yet.
type Edit struct {
	Policy *Policy  // the policy with them
	Data   []byte   // the managed file's new content; nil: it stays as it is
	Wrote  []string // the settings that Data sets, or has no more, other than before
}

// SettingError says that a setting cannot be given this value.
type SettingError struct {
	Name string
	Text string // whole sentences
}

func (e *SettingError) Error() string { return e.Text }

// OverriddenError says that a change would have no effect.
type OverriddenError struct {
	Name string
	File string // what sets it after the managed file
	Line int
}

func (e *OverriddenError) Error() string {
	return fmt.Sprintf("%s is set at %s:%d, which overrides the managed file", e.Name, e.File, e.Line)
}

// managedHead begins a managed file.
const managedHead = `# Written by sallyportd, for "sallyportctl policy" and the panel. What you write
# yourself belongs into a file of your own; one that comes after this one in name
# order overrides it.
`

// Manage says what the managed file has to hold for the changes to hold, of
// which there is one a setting, and what the policy is then. A setting that has
// its value already is left alone. It fails with Problems where the policy has
// some, or would have; with a *SettingError; or with an *OverriddenError where a
// later file sets what is to be changed.
func Manage(root disk.Root, changes []Change) (Edit, error) {
	l := collect(root)
	before, err := parse(l.files, l.problems)
	if err != nil {
		return Edit{}, err
	}
	at, old := l.managed(root)
	own := newDraft()
	own.add(old)
	if err := foreign(old, own.policy); err != nil {
		return Edit{}, err
	}
	e := Edit{Policy: before}
	for _, c := range changes {
		wrote, err := own.policy.change(c, before)
		if err != nil {
			return Edit{}, err
		}
		if wrote {
			e.Wrote = append(e.Wrote, c.Name)
		}
	}
	if len(e.Wrote) == 0 {
		return e, nil
	}
	e.Data = []byte(head(old.Data) + own.policy.tables())
	l.files[at].Data = e.Data
	if e.Policy, err = parse(l.files, nil); err != nil {
		return Edit{}, err
	}
	return e, e.overridden(changes, own.policy, l.files[at].Name)
}

// managed gives the managed file and where it is among the files. One that is
// missing is put in its place, empty.
func (l *loader) managed(root disk.Root) (int, File) {
	name := root.Managed()
	at := slices.IndexFunc(l.files, func(f File) bool {
		return filepath.Dir(f.Name) == root.DropIns() && filepath.Base(f.Name) >= filepath.Base(name)
	})
	if at < 0 {
		at = len(l.files)
	}
	if at == len(l.files) || l.files[at].Name != name {
		l.files = slices.Insert(l.files, at, File{Name: name})
	}
	return at, l.files[at]
}

// change makes one change in the managed file's own settings, and reports
// whether that file has to be written for it.
func (p *Policy) change(c Change, before *Policy) (bool, error) {
	keys := tableKeys()
	i := slices.IndexFunc(keys, func(k key[Policy]) bool { return k.name == c.Name })
	if i < 0 {
		return false, unknownSetting(c.Name)
	}
	k := keys[i]
	if c.Unset {
		_, set := p.origins[k.name]
		delete(p.origins, k.name)
		return set, nil
	}
	value, ok := decodeValue(c.Value)
	if !ok {
		return false, &SettingError{c.Name, fmt.Sprintf("%s is no TOML value. Strings stand in quotes, lists in brackets.", quote(c.Value))}
	}
	if faults := k.read(p, value); len(faults) > 0 {
		return false, &SettingError{c.Name, strings.TrimSpace(faults[0].text + " " + faults[0].hint)}
	}
	if k.show(p) == k.show(before) {
		return false, nil
	}
	p.origins[k.name] = origin{}
	return true, nil
}

func unknownSetting(name string) *SettingError {
	hint := didYouMean(name, SettingNames())
	if hint == "" {
		hint = "To see all of them: sallyportctl policy show"
	}
	return &SettingError{name, fmt.Sprintf("There is no setting %s. %s", quote(name), hint)}
}

// SettingNames lists what Change can name, in the order of the schema.
func SettingNames() []string {
	keys := tableKeys()
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// overridden finds a setting that is not as it was to be.
func (e Edit) overridden(changes []Change, want *Policy, managed string) error {
	for _, c := range changes {
		if c.Unset || e.Policy.show(c.Name) == want.show(c.Name) {
			continue
		}
		if at := e.Policy.origins[c.Name]; at.file != managed {
			return &OverriddenError{c.Name, at.file, at.line}
		}
	}
	return nil
}

// Show gives a table's setting as TOML; empty: there is no such setting.
func (p *Policy) Show(name string) string { return p.show(name) }

// tables writes down, in the order of the schema, the settings that have an
// origin.
func (p *Policy) tables() string {
	var b strings.Builder
	in := ""
	for _, k := range tableKeys() {
		if _, ok := p.origins[k.name]; !ok {
			continue
		}
		table, name := split(k.name)
		if table != in {
			fmt.Fprintf(&b, "\n[%s]\n", table)
			in = table
		}
		fmt.Fprintf(&b, "%s = %s\n", name, k.show(p))
	}
	return b.String()
}

// head is the comment that the file begins with.
func head(old []byte) string {
	end := 0
	for line := range bytes.Lines(old) {
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
		end += len(line)
	}
	if end == 0 {
		return managedHead
	}
	return string(bytes.TrimRight(old[:end], "\n")) + "\n"
}

// foreign finds a line that would be lost, because somebody else has written it.
func foreign(f File, own *Policy) error {
	ours := make(map[string]bool)
	for line := range strings.Lines(own.tables()) {
		ours[strings.TrimSpace(line)] = true
	}
	n, body := 0, false
	for line := range strings.Lines(string(f.Data)) {
		n++
		body = body || !strings.HasPrefix(line, "#")
		if line = strings.TrimSpace(line); body && line != "" && !ours[line] {
			return Problems{{f.Name, n, "This line was not written by sallyportd, and would be lost.",
				"Move it to a file of your own, such as 40-local.toml."}}
		}
	}
	return nil
}

// decodeValue reads one TOML value.
func decodeValue(text string) (any, bool) {
	text = "value = " + text
	if keys, deep := keyLines(text); deep > 0 || len(keys) != 1 {
		return nil, false
	}
	var doc map[string]any
	meta, err := toml.Decode(text, &doc)
	if err != nil || len(meta.Keys()) != 1 {
		return nil, false
	}
	return doc["value"], true
}

// Literal gives what a person typed as TOML: as it is where it is a TOML value,
// otherwise as a string.
func Literal(typed string) string {
	if _, ok := decodeValue(typed); ok {
		return typed
	}
	return fmt.Sprintf("%q", typed)
}
