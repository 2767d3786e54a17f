package qr

import (
	"bytes"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// forms are the ways to draw a code, each to a picture of it.
var forms = map[string]func(*testing.T, string) image.Image{
	"lines on a dark terminal": func(t *testing.T, text string) image.Image {
		lines, err := Lines(text)
		if err != nil {
			t.Fatal(err)
		}
		return show(t, darkTerminal, strings.Join(lines, "\n"))
	},
	"colours on a dark terminal":  func(t *testing.T, text string) image.Image { return show(t, darkTerminal, terminal(t, text)) },
	"colours on a light terminal": func(t *testing.T, text string) image.Image { return show(t, lightTerminal, terminal(t, text)) },
	"picture": func(t *testing.T, text string) image.Image {
		img, err := Picture(text, 404) // four pixels to the largest code's module
		if err != nil {
			t.Fatal(err)
		}
		return img
	},
}

func terminal(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := Terminal(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestEveryFormScans(t *testing.T) {
	for form, draw := range forms {
		for name, text := range texts() {
			t.Run(form+"/"+name, func(t *testing.T) {
				t.Parallel()
				if got := scanImage(t, draw(t, text)); got != text {
					t.Errorf("scanned as %q, want %q", got, text)
				}
			})
		}
	}
}

func TestSVGScans(t *testing.T) {
	for name, text := range texts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var svg bytes.Buffer
			if err := SVG(&svg, text); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			from, to := filepath.Join(dir, "code.svg"), filepath.Join(dir, "code.png")
			if err := os.WriteFile(from, svg.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			tool(t, "rsvg-convert", "--width=500", "--output="+to, from)
			if got := scan(t, to); got != text {
				t.Errorf("scanned as %q, want %q", got, text)
			}
		})
	}
}

// The usual key with the text around it fits a terminal of 80 by 24, and a line fits a PAM message.
func TestTextFits(t *testing.T) {
	for name, text := range texts() {
		lines, err := Lines(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, line := range lines {
			if len(line) >= 512 {
				t.Errorf("%s: line %d has %d bytes", name, i, len(line))
			}
			columns := utf8.RuneCountInString(line)
			if columns > MaxColumns || (columns+1)/2 != len(lines) {
				t.Errorf("%s: line %d has %d columns, and there are %d lines", name, i, columns, len(lines))
			}
			if strings.ContainsFunc(line, func(r rune) bool { return !strings.ContainsRune(" ▀▄█", r) }) {
				t.Errorf("%s: line %d is %q, want blocks only", name, i, line)
			}
		}
		if name == "usual" && (len(lines) > 21 || utf8.RuneCountInString(lines[0]) > 41) {
			t.Errorf("the usual key takes %d lines of %d columns", len(lines), utf8.RuneCountInString(lines[0]))
		}
	}
}

func TestTerminalLeavesItsColours(t *testing.T) {
	for _, line := range strings.SplitAfter(strings.TrimSuffix(terminal(t, "x"), "\n"), "\n") {
		if !strings.HasPrefix(line, "\x1b[0;30;47m") || !strings.HasSuffix(strings.TrimSuffix(line, "\n"), "\x1b[0m") {
			t.Errorf("line %q does not set and reset the colours", line)
		}
	}
}

// Too long for MaxColumns, too long for any code, and not ASCII. The text has a secret in it, and the error has not.
func TestRefusedTextIsNotInTheError(t *testing.T) {
	for name, text := range map[string]string{
		"one byte too many":   strings.Repeat("secret", 200)[:longest+1],
		"more than any code":  strings.Repeat("secret", 500),
		"far more":            strings.Repeat("secret", 20_000),
		"beyond ASCII":        "Söhne secret",
		"not even characters": "secret\xff",
	} {
		_, linesErr := Lines(text)
		_, pictureErr := Picture(text, 1000)
		for form, err := range map[string]error{
			"lines":    linesErr,
			"terminal": Terminal(io.Discard, text),
			"picture":  pictureErr,
			"svg":      SVG(io.Discard, text),
		} {
			if err == nil {
				t.Errorf("%s as %s: no error", name, form)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s as %s: the text is in the error %.200q", name, form, err)
			}
		}
	}
}

func TestPictureSize(t *testing.T) {
	const modules = 21 + 2*imageQuiet // of the smallest code
	for size, fits := range map[int]bool{-1: false, 0: false, modules - 1: false, modules: true, 100: true, MaxPixels: true, MaxPixels + 1: false} {
		img, err := Picture("x", size)
		if (err == nil) != fits {
			t.Errorf("%d pixels: error %v, want one: %v", size, err, !fits)
		}
		if err == nil && img.Bounds() != image.Rect(0, 0, size, size) {
			t.Errorf("%d pixels: the picture is %v", size, img.Bounds())
		}
	}
}

type failingWriter struct{}

var errFull = errors.New("disk full")

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrorsAreReported(t *testing.T) {
	if err := Terminal(failingWriter{}, "x"); !errors.Is(err, errFull) {
		t.Errorf("terminal: %v, want %v", err, errFull)
	}
	if err := SVG(failingWriter{}, "x"); !errors.Is(err, errFull) {
		t.Errorf("svg: %v, want %v", err, errFull)
	}
}
