package qr

import (
	"fmt"
	"io"
	"strings"
)

// Black on white whatever the terminal's own colours, and back (ECMA-48 §8.3.117).
const (
	blackOnWhite = "\x1b[0;30;47m"
	ownColours   = "\x1b[0m"
)

// Lines draws the code in half blocks, two modules to a character, without escape sequences: PAM dialogues do not
// pass them on. The light modules are the blocks, so it is the right way round on a dark terminal. A line has at
// most 300 bytes (PAM_MAX_MSG_SIZE is 512).
func Lines(text string) ([]string, error) {
	m, err := encode(text, textQuiet)
	if err != nil {
		return nil, err
	}
	return m.halfBlocks(func(x, y int) bool { return !m.dark(x, y) }), nil
}

// Terminal writes the code in half blocks and in colours of its own, so that it scans on dark and light terminals.
func Terminal(w io.Writer, text string) error {
	m, err := encode(text, textQuiet)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, line := range m.halfBlocks(m.dark) {
		b.WriteString(blackOnWhite + line + ownColours + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing a QR code: %w", err)
	}
	return nil
}

// halfBlocks draws the modules that are ink. The number of rows is odd, so the lower half of the last line is more
// border.
func (m matrix) halfBlocks(ink func(x, y int) bool) []string {
	var lines []string
	for y := 0; y < m.side; y += 2 {
		var line strings.Builder
		for x := range m.side {
			upper, lower := ink(x, y), ink(x, y+1)
			switch {
			case upper && lower:
				line.WriteRune('█')
			case upper:
				line.WriteRune('▀')
			case lower:
				line.WriteRune('▄')
			default:
				line.WriteByte(' ')
			}
		}
		lines = append(lines, line.String())
	}
	return lines
}
