// Package qr draws QR codes (ISO/IEC 18004): as text for a terminal or a PAM dialogue, as a picture and as SVG.
package qr

import (
	"fmt"
	"image/color"
	"strings"
	"unicode"

	"github.com/boombuler/barcode/qr"
)

// MaxColumns is how wide a code may be, in modules with the quiet zone of the text forms: more do not fit a
// terminal, and no phone reads them off one.
const MaxColumns = 100

// The light border, in modules. ISO/IEC 18004 asks for four. Text has two, as `qrencode -m 2`, so that the code of
// a usual key stays under 24 rows.
const (
	textQuiet  = 2
	imageQuiet = 4
)

// matrix is the modules of one code with its border.
type matrix struct {
	side int // modules in a row, and rows
	dark func(x, y int) bool
}

// encode uses the lowest level of error correction: a screen has no dirt, and fewer modules scan better. It takes
// nothing from the encoder's error, which quotes the text and so the secret. Text beyond ASCII is refused: scanners
// guess its encoding, and zbar takes UTF-8 for Big5. A URI has none.
func encode(text string, quiet int) (matrix, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
		return matrix{}, fmt.Errorf("QR code of %d bytes: must be of ASCII only", len(text))
	}
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		return matrix{}, fmt.Errorf("QR code of %d bytes: more than a QR code holds", len(text))
	}
	modules := code.Bounds().Dx()
	if columns := modules + 2*textQuiet; columns > MaxColumns {
		return matrix{}, fmt.Errorf("QR code of %d bytes: is %d columns wide, and must have at most %d", len(text), columns, MaxColumns)
	}
	dark := func(x, y int) bool {
		x, y = x-quiet, y-quiet
		return x >= 0 && y >= 0 && x < modules && y < modules && code.At(x, y) == color.Black
	}
	return matrix{side: modules + 2*quiet, dark: dark}, nil
}
