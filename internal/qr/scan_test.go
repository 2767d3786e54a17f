package qr

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// tool runs a program of a Debian package that `make deps` installs.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: `make deps` installs it", err)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s %q: %v: %s", name, args, err, exit.Stderr)
	} else if err != nil {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	return string(out)
}

// scan reads the QR code in a picture.
func scan(t *testing.T, file string) string {
	t.Helper()
	out := tool(t, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file)
	return strings.TrimSuffix(out, "\n")
}

func scanImage(t *testing.T, img image.Image) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "code.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
	return scan(t, file)
}

// theme is what a terminal shows where the program does not set colours.
type theme struct{ ink, paper color.Gray }

var (
	darkTerminal  = theme{ink: color.Gray{Y: 204}, paper: color.Gray{Y: 12}}
	lightTerminal = theme{ink: color.Gray{Y: 40}, paper: color.Gray{Y: 250}}
)

// The cells of a screen, and the empty ones around what is shown.
const (
	cellWidth, cellHeight = 7, 14
	aroundCells           = 6
)

// show draws what a terminal would: block characters and the colours that Terminal uses, and nothing else.
func show(t *testing.T, th theme, text string) image.Image {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	width, height := aroundCells*2+MaxColumns, aroundCells*2+len(lines)
	img := image.NewGray(image.Rect(0, 0, width*cellWidth, height*cellHeight))
	fill(img, img.Bounds(), th.paper)
	now := th
	for row, line := range lines {
		for column := 0; line != ""; {
			if sgr, rest, ok := cutColours(line); ok {
				now, line = colours(t, th, sgr), rest
				continue
			}
			r, size := utf8.DecodeRuneInString(line)
			drawCell(t, img, column+aroundCells, row+aroundCells, r, now)
			line, column = line[size:], column+1
		}
	}
	return img
}

func cutColours(line string) (sgr, rest string, ok bool) {
	if after, found := strings.CutPrefix(line, "\x1b["); found {
		return strings.Cut(after, "m")
	}
	return "", line, false
}

// colours are those of a classic terminal, where "white" is a light grey.
func colours(t *testing.T, th theme, sgr string) theme {
	t.Helper()
	for _, code := range strings.Split(sgr, ";") {
		switch code {
		case "0":
		case "30":
			th.ink = color.Gray{Y: 0}
		case "47":
			th.paper = color.Gray{Y: 170}
		default:
			t.Fatalf("SGR %q is not one that the test's terminal knows", code)
		}
	}
	return th
}

func drawCell(t *testing.T, img *image.Gray, column, row int, r rune, th theme) {
	t.Helper()
	x, y := column*cellWidth, row*cellHeight
	upper := image.Rect(x, y, x+cellWidth, y+cellHeight/2)
	lower := image.Rect(x, y+cellHeight/2, x+cellWidth, y+cellHeight)
	above, below := th.paper, th.paper
	switch r {
	case ' ':
	case '█':
		above, below = th.ink, th.ink
	case '▀':
		above = th.ink
	case '▄':
		below = th.ink
	default:
		t.Fatalf("character %q is not a block", r)
	}
	fill(img, upper, above)
	fill(img, lower, below)
}

func fill(img *image.Gray, area image.Rectangle, c color.Gray) {
	draw.Draw(img, area, image.NewUniform(c), image.Point{}, draw.Src)
}

// texts go from a usual key to the longest that is drawn, through every size of code on the way.
func texts() map[string]string {
	const key = "otpauth://totp/web1.example.com:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=web1.example.com"
	all := map[string]string{
		"usual":   key,
		"numeric": "31415926535897932384626433832795",
		"capital": "OTPAUTH TEST 0123456789",
		"escaped": "otpauth://totp/S%C3%B6hne:zo%C3%AB?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=S%C3%B6hne",
	}
	// Bytes that a code of versions 3 to 19 holds at level L (ISO/IEC 18004 table 7).
	for _, n := range []int{53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, longest} {
		all[fmt.Sprintf("%d bytes", n)] = (key + strings.Repeat("&issuer=web1.example.com", 40))[:n]
	}
	return all
}

// longest is what fits MaxColumns: version 19 has 93 modules a side.
const longest = 792
