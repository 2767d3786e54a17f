// Package doctor finds what would lock people out of a host, or let them past Sallyport, before it does (DESIGN §2.8).
// It only reads: each finding comes with the command or the lines that mend it.
package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Effect is the kind of harm that a finding does.
type Effect string

// The effects, the worst first.
const (
	LocksOut Effect = "locks-out"
	LetsPast Effect = "lets-past"
	Warns    Effect = "warns"
)

// Finding is one thing that is wrong, in whole sentences.
type Finding struct {
	ID       string   `json:"id"` // the same in every version: "sshd-usepam"
	Effect   Effect   `json:"effect"`
	What     string   `json:"what"`
	Outcome  string   `json:"outcome"` // what would happen
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Services []string `json:"services,omitempty"` // PAM services that it concerns
	Users    []string `json:"users,omitempty"`    // of those looked at; none: everybody
	Mend     Mend     `json:"mend"`
}

// Mend puts a finding right. It has a text, a command, or edits.
type Mend struct {
	Text    string `json:"text,omitempty"`
	Command string `json:"command,omitempty"` // for root's shell
	Edits   []Edit `json:"edits,omitempty"`   // line numbers are those of before all of them
}

// Edit changes one line of a file.
type Edit struct {
	File string `json:"file"`
	Line int    `json:"line"`          // from 1; one more than the file has: at its end
	Old  string `json:"old,omitempty"` // the line that goes; "": none, New comes in front of the line
	New  string `json:"new,omitempty"` // "": the line goes
}

func run(format string, args ...any) Mend { return Mend{Command: fmt.Sprintf(format, args...)} }

func text(format string, args ...any) Mend { return Mend{Text: fmt.Sprintf(format, args...)} }

// place is "FILE:LINE".
func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// list joins words for a sentence: a, b and c. Of many it says how many more there are.
func list(words []string) string {
	const most = 5
	if n := len(words); n > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), n-most)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// merge makes one of findings that say the same of several lines, services or users, and puts the worst first.
func merge(all []Finding) []Finding {
	var merged []Finding
	for _, f := range all {
		same := func(g Finding) bool { return g.ID == f.ID && g.What == f.What }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			g := &merged[i]
			g.Services, g.Users = union(g.Services, f.Services), union(g.Users, f.Users)
			g.Mend.Edits = union(g.Mend.Edits, f.Mend.Edits)
			continue
		}
		merged = append(merged, f)
	}
	rank := []Effect{LocksOut, LetsPast, Warns}
	slices.SortStableFunc(merged, func(a, b Finding) int {
		return cmp.Compare(slices.Index(rank, a.Effect), slices.Index(rank, b.Effect))
	})
	return merged
}

func union[T comparable](a, b []T) []T {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
