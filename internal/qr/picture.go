package qr

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
)

// MaxPixels is the largest side of a picture.
const MaxPixels = 4096

// Picture draws the code as a square of size pixels a side, for image/png to write. Every module is the same whole
// number of pixels; what is left over widens the border. (The package does not import image/png, whose decoder no
// linker can leave out: it would be a tenth of the relocations of the PAM module, which draws text only.)
func Picture(text string, size int) (image.Image, error) {
	m, err := encode(text, imageQuiet)
	if err != nil {
		return nil, err
	}
	if size < m.side || size > MaxPixels {
		return nil, fmt.Errorf("picture of %d pixels a side: must have %d to %d", size, m.side, MaxPixels)
	}
	scale := size / m.side
	margin := (size - scale*m.side) / 2
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range scale * m.side {
		for x := range scale * m.side {
			if m.dark(x/scale, y/scale) {
				img.SetColorIndex(margin+x, margin+y, 1)
			}
		}
	}
	return img, nil
}

// SVG writes the code as a picture without a size of its own: one user unit to a module.
func SVG(w io.Writer, text string) error {
	m, err := encode(text, imageQuiet)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" shape-rendering="crispEdges">`+"\n", m.side)
	fmt.Fprintf(&b, `<rect width="%d" height="%[1]d" fill="#fff"/>`+"\n"+`<path d="`, m.side)
	for y := range m.side {
		for x := 0; x < m.side; x++ {
			from := x
			for m.dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%[3]dz", from, y, x-from)
			}
		}
	}
	b.WriteString(`"/>` + "\n</svg>\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing a QR code: %w", err)
	}
	return nil
}
