package policy

import (
	"fmt"
	"slices"
	"strings"
)

// unknownKey reports a key that the schema does not have in this table ("":
// the head of the file), and where it may have been meant to stand.
func (r *reader) unknownKey(table, name string, value any, line int) {
	_, isMap := value.(map[string]any)
	_, isList := value.([]map[string]any)
	what := "key"
	if table == "" && (isMap || isList) {
		what = "table"
	}
	text := fmt.Sprintf("Unknown %s %s %s.", what, quote(name), place(table))
	known := knownIn(table)
	hint := didYouMean(name, known)
	if others := placesOf(name); len(others) > 0 {
		hint = fmt.Sprintf("It belongs %s.", list(others, "or"))
	}
	if hint == "" {
		hint = fmt.Sprintf("Known here: %s.", quotedList(known, "and"))
	}
	r.problem(line, text, hint)
}

// place says in a sentence that something stands in a table.
func place(table string) string {
	switch table {
	case "":
		return "at the head of the file (before the first table)"
	case "rule", "delegate":
		return "in [[" + table + "]]"
	default:
		return "in [" + table + "]"
	}
}

// knownIn lists what may stand in a table; at the head, tables too.
func knownIn(table string) []string {
	var names []string
	switch table {
	case "rule":
		for _, k := range ruleKeys() {
			names = append(names, k.name)
		}
		return names
	case "delegate":
		for _, k := range delegateKeys() {
			names = append(names, k.name)
		}
		return names
	}
	for _, k := range tableKeys() {
		in, name := split(k.name)
		if in == table {
			names = append(names, name)
		} else if table == "" && !slices.Contains(names, in) {
			names = append(names, in)
		}
	}
	if table == "" {
		names = append(names, "delegate", "rule")
	}
	return names
}

// placesOf lists where a key of that name may stand.
func placesOf(name string) []string {
	var places []string
	for _, table := range append([]string{""}, tables()...) {
		if slices.Contains(knownIn(table), name) {
			places = append(places, place(table))
		}
	}
	return places
}

// tables lists all tables of the schema.
func tables() []string {
	var names []string
	for _, name := range knownIn("") {
		if name == "rule" || name == "delegate" || isTable(tableKeys(), name) {
			names = append(names, name)
		}
	}
	return names
}

// isTable reports whether keys has a table of that name.
func isTable(keys []key[Policy], name string) bool {
	return slices.ContainsFunc(keys, func(k key[Policy]) bool {
		table, _ := split(k.name)
		return table != "" && table == name
	})
}

// split takes the name of a key apart: the table ("": the head of the file)
// and the key in it.
func split(full string) (table, name string) {
	table, name, found := strings.Cut(full, ".")
	if !found {
		return "", full
	}
	return table, name
}

// qualified is what split takes apart.
func qualified(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}
