package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// draw writes one SVG for each section that has bars.
func draw(dir string, sections []section) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range sections {
		if len(s.bars) == 0 {
			continue
		}
		if err := s.draw(filepath.Join(dir, s.file())); err != nil {
			return fmt.Errorf("plot of %q: %w", s.title, err)
		}
	}
	return nil
}

func (s *section) file() string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(s.title)) + ".svg"
}

// draw plots the bars, the first one on top.
func (s *section) draw(path string) error {
	p := plot.New()
	p.Title.Text = s.title
	p.X.Label.Text = s.unit
	names, values := make([]string, len(s.bars)), make(plotter.Values, len(s.bars))
	for i, b := range s.bars {
		at := len(s.bars) - 1 - i
		names[at], values[at] = b.name, b.value
	}
	chart, err := plotter.NewBarChart(values, vg.Points(14))
	if err != nil {
		return err
	}
	chart.Horizontal = true
	p.Add(chart)
	p.NominalY(names...)
	p.X.Min = 0
	return p.Save(18*vg.Centimeter, vg.Length(len(s.bars))*vg.Centimeter+3*vg.Centimeter, path)
}
