package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	admin "sallyport/internal/api/iosallyportadmin"
)

// usersOutput prints a list of users, one after the other.
type usersOutput interface {
	add(admin.User) error
	end() error
}

// usersTable is for people. Its columns are as wide as what is in them, so it is printed at its end.
type usersTable struct {
	terminal
	w    *tabwriter.Writer
	rows int
}

func newUsersTable(t terminal) *usersTable {
	return &usersTable{terminal: t, w: tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)}
}

func (t *usersTable) add(u admin.User) error {
	if t.rows++; t.rows == 1 {
		fmt.Fprintln(t.w, "USER\tDEVICES\tSINCE\tLAST LOGIN\tFROM\tCODES\tLOCKED UNTIL\tDRIFT\tPROBLEM")
	}
	c := userCells(u, when)
	for i, text := range c {
		if c[i] = printable(text); text == "" {
			c[i] = "-"
		}
	}
	_, err := fmt.Fprintln(t.w, strings.TrimRight(strings.Join(c, "\t"), " \t"))
	return err
}

func (t *usersTable) end() error {
	if t.rows == 0 {
		t.say("There are none.")
	}
	return t.w.Flush()
}

// usersJSON is an array, streamed.
type usersJSON struct{ jsonArray }

func (j *usersJSON) add(u admin.User) error { return j.jsonArray.add(u) }

// usersCSV is RFC 4180, with times as in JSON.
type usersCSV struct{ w *csv.Writer }

func newUsersCSV(w io.Writer) *usersCSV {
	c := &usersCSV{csv.NewWriter(w)}
	_ = c.w.Write([]string{"user", "devices", "since", "last", "from", "recovery_codes", "locked_until", "drift", "problem"}) // Flush says it
	return c
}

func (c *usersCSV) add(u admin.User) error {
	cells := userCells(u, func(instant string) string { return instant })
	for i, text := range cells {
		cells[i] = harmless(text)
	}
	return c.w.Write(cells)
}

func (c *usersCSV) end() error {
	c.w.Flush()
	return c.w.Error()
}

// harmless keeps a spreadsheet from taking a text for a formula: users choose the names of their devices.
func harmless(text string) string {
	if _, err := strconv.Atoi(text); err != nil && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// userCells is a user as the cells of a table; what there is not is empty. show shows a time.
func userCells(u admin.User, show func(instant string) string) []string {
	maybe := func(instant *string) string {
		if instant == nil {
			return ""
		}
		return show(*instant)
	}
	labels := make([]string, len(u.Devices))
	drift := ""
	for i, d := range u.Devices {
		labels[i] = d.Label
		if d.Drift != nil && (*d.Drift == worstDrift(u) || *d.Drift == -worstDrift(u)) {
			drift = strconv.FormatInt(*d.Drift, 10)
		}
	}
	from, codes, problem := "", "", ""
	if u.Last != nil {
		from = u.Last.Source
	}
	if len(u.Devices) > 0 {
		codes = strconv.FormatInt(u.Recovery_codes, 10)
	}
	if u.Problem != nil {
		problem = *u.Problem
	}
	return []string{u.User, strings.Join(labels, ", "), maybe(u.Since), maybe(lastAt(u)), from, codes, maybe(u.Locked_until), drift, problem}
}
