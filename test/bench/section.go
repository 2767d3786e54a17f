package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// section is one table of the report.
type section struct {
	title  string
	header []string
	rows   [][]string
	goals  []goal
	bars   []bar  // for the plot; may be empty
	unit   string // of the bars
}

// goal is a figure that was promised, and what was measured.
type goal struct {
	what, want string
	got        string
	met        bool
}

// bar is one bar of a section's plot.
type bar struct {
	name  string
	value float64
}

func (s *section) row(cells ...string) { s.rows = append(s.rows, cells) }

// atMost and atLeast hold a figure to its goal.
func (s *section) atMost(what string, got, limit float64, unit string) {
	s.goals = append(s.goals, goal{what, fmt.Sprintf("≤ %g%s", limit, unit), fmt.Sprintf("%.2f%s", got, unit), got <= limit})
}

func (s *section) atLeast(what string, got, limit float64, unit string) {
	s.goals = append(s.goals, goal{what, fmt.Sprintf("≥ %g%s", limit, unit), fmt.Sprintf("%.2f%s", got, unit), got >= limit})
}

// print writes the table, and below it the goals.
func (s *section) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n\n", s.title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{s.header}, s.rows...) {
		fmt.Fprint(t, "  ")
		for _, cell := range row {
			fmt.Fprint(t, cell, "\t")
		}
		fmt.Fprintln(t)
	}
	for _, g := range s.goals {
		verdict := "met"
		if !g.met {
			verdict = "NOT MET"
		}
		fmt.Fprintf(t, "  goal: %s\t%s\t%s\t%s\t\n", g.what, g.want, g.got, verdict)
	}
	_ = t.Flush()
}

// sample is a set of times.
type sample []time.Duration

// quantile is the q-th quantile, 0 to 1.
func (s sample) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func (s sample) median() time.Duration { return s.quantile(0.5) }

// spread is the median and the middle half around it.
func (s sample) spread() string {
	return fmt.Sprintf("%s (%s to %s)", micro(s.median()), micro(s.quantile(0.25)), micro(s.quantile(0.75)))
}

func micro(d time.Duration) string {
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

// ratio of two medians.
func ratio(a, b sample) float64 {
	if b.median() == 0 {
		return 0
	}
	return float64(a.median()) / float64(b.median())
}

// middle is the median of numbers.
func middle(numbers []float64) float64 {
	if len(numbers) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(numbers))
	return sorted[len(sorted)/2]
}
