package host

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ReadQR scans the QR code on a screen, drawn in half blocks, and returns its text: it paints what a dark terminal
// shows and has zbarimg(1) look at it.
func ReadQR(t T, screen string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "screen.png")
	f, err := os.Create(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.Close()
	if err := png.Encode(f, paint(screen)); err != nil {
		t.Fatalf("%v", err)
	}
	text, err := ScanQR(path)
	if err != nil {
		t.Fatalf("no QR code (%v) on the screen:\n%s", err, screen)
	}
	return text
}

// ScanQR returns the text of the QR code in a picture.
func ScanQR(picture string) (string, error) {
	out, err := Command("zbarimg", "--quiet", "--raw", picture).Output()
	return strings.TrimSpace(string(out)), err
}

// paint draws the lines of a screen that hold half blocks. A character is two modules, one above the other.
func paint(screen string) image.Image {
	const module, border = 6, 24
	var lines [][][2]bool
	width := 0
	for line := range strings.Lines(screen) {
		if strings.ContainsAny(line, "█▀▄") {
			cells := lightness(strings.TrimRight(line, "\r\n"))
			lines = append(lines, cells)
			width = max(width, len(cells))
		}
	}
	picture := image.NewGray(image.Rect(0, 0, width*module+2*border, 2*len(lines)*module+2*border))
	for i := range picture.Pix {
		picture.Pix[i] = 0x40 // the terminal around the code is neither black nor white
	}
	for row, cells := range lines {
		for column, cell := range cells {
			for half, light := range cell {
				shade := color.Gray{Y: 0}
				if light {
					shade.Y = 0xff
				}
				for at := range module * module {
					picture.SetGray(border+column*module+at%module, border+(2*row+half)*module+at/module, shade)
				}
			}
		}
	}
	return picture
}

// lightness says of each character of a line whether its upper and its lower half are light. It knows the escape
// sequences for black, white and the terminal's own colours.
func lightness(line string) [][2]bool {
	ink, paper := true, false
	var cells [][2]bool
	for line != "" {
		if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
			codes, after, _ := strings.Cut(rest, "m")
			for code := range strings.SplitSeq(codes, ";") {
				ink, paper = colours(code, ink, paper)
			}
			line = after
			continue
		}
		character := []rune(line)[0]
		line = line[len(string(character)):]
		switch character {
		case '█':
			cells = append(cells, [2]bool{ink, ink})
		case '▀':
			cells = append(cells, [2]bool{ink, paper})
		case '▄':
			cells = append(cells, [2]bool{paper, ink})
		default:
			cells = append(cells, [2]bool{paper, paper})
		}
	}
	return cells
}

// colours applies one parameter of an SGR sequence (ECMA-48 §8.3.117).
func colours(code string, ink, paper bool) (newInk, newPaper bool) {
	switch n, _ := strconv.Atoi(code); n { // an empty one is 0
	case 0:
		return true, false
	case 30:
		return false, paper
	case 37, 97:
		return true, paper
	case 40:
		return ink, false
	case 47, 107:
		return ink, true
	default:
		return ink, paper
	}
}
