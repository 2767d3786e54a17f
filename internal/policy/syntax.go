package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// maxMended bounds how many lines of a file mend goes on from: what has more of
// them is no policy, and each costs another run of the decoder.
const maxMended = 20

// mend reports where the decoder gave up, and gives the line. The decoder
// stops at the first error; where that is within one plain key = value, mend
// also gives the text without it, to go on with. The line keeps its key, so that
// nobody complains of its absence.
func (r *reader) mend(text string, err error) (line int, mended string, ok bool) {
	line, message := 1, err.Error()
	var syntax toml.ParseError
	known := errors.As(err, &syntax)
	if known {
		line, message = min(max(syntax.Position.Line, 1), 1+strings.Count(text, "\n")), cleaned(syntax.Message)
	}
	before := firstLines(text, line-1)
	bad := firstLines(text[len(before):], 1)
	key := plainKey(bad)
	ok = known && key != "" && !r.mended[line] && len(r.mended) < maxMended
	var hints []string
	switch {
	case strings.HasSuffix(message, "already been defined"):
		hints = append(hints, "A key stands once in a file.")
		key = ""
	case strings.HasPrefix(message, "expected value"):
		hints = append(hints, "Strings stand in quotes; true and false are in lower case.")
	}
	if !ok {
		hints = append(hints, "What follows in this file has not been checked.")
	}
	r.problem(line, fmt.Sprintf("This is not TOML: %s.", message), strings.Join(hints, " "))
	r.mended[line] = true
	if key != "" {
		key += " = 0"
	}
	return line, before + key + "\n" + text[len(before)+len(bad):], ok
}

// plainKey gives the key of a line that has a bare or dotted key and one value
// which ends in that line, if it ends at all.
func plainKey(line string) string {
	key, value, found := strings.Cut(line, "=")
	if !found || strings.Contains(value, `"""`) || strings.Contains(value, "'''") ||
		strings.Count(value, "[") != strings.Count(value, "]") || strings.Count(value, "{") != strings.Count(value, "}") {
		return ""
	}
	key = strings.TrimSpace(key)
	bare := func(part string) bool {
		return part != "" && strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	}
	if slices.ContainsFunc(strings.Split(key, "."), func(part string) bool { return !bare(part) }) {
		return ""
	}
	return key
}

// cleaned makes a part of a sentence of the decoder's message, which may quote
// anything.
func cleaned(message string) string {
	return strings.TrimSuffix(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return utf8.RuneError
		}
		return c
	}, message), ".")
}

// firstLines is the beginning of a text, so many lines long, or less where the
// text ends.
func firstLines(text string, n int) string {
	end := 0
	for range n {
		i := strings.IndexByte(text[end:], '\n')
		if i < 0 {
			return text
		}
		end += i + 1
	}
	return text[:end]
}

// invalidUTF8 gives the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
