package policy

import "strings"

// Bounds of what can be in a policy's keys. The decoder's memory grows with the
// square of the length of keys and of the depth of tables, and its stack with
// the depth of values.
const (
	maxKey   = 512 // bytes
	maxDepth = 16  // arrays and inline tables in each other
)

// keyLines gives the lines, from 1, of all keys of a TOML document, in the
// order in which toml.MetaData.Keys lists them: each table header, each key,
// and the keys of inline tables. The decoder keeps positions to itself, so this
// finds them again; it need not understand values, only where they end. The
// lines mean something only for a document that the decoder accepts.
//
// It comes to an end with any text, so it is also what keeps from the decoder
// what is beyond the bounds: it stops there, and gives that line as deep.
func keyLines(doc string) (lines []int, deep int) {
	s := scanner{doc: strings.TrimPrefix(doc, "\ufeff"), line: 1}
	for s.skipBlank(); !s.atEnd(); s.skipBlank() {
		s.mark()
		if s.peek() == '[' {
			s.skipHeader()
		} else {
			s.skipKey()
			s.skipValue()
		}
	}
	return s.lines, s.deep
}

// scanner walks over a TOML document. At the end every skip stands still.
type scanner struct {
	doc   string
	pos   int
	line  int
	lines []int
	depth int // of arrays and inline tables
	deep  int // where a bound was passed; 0: nowhere
}

// stop goes to the end, because a bound has been passed here.
func (s *scanner) stop() {
	s.deep = s.line
	s.pos = len(s.doc)
}

func (s *scanner) atEnd() bool { return s.pos >= len(s.doc) }

// peek gives the next byte, 0 at the end. All of TOML's syntax is ASCII, and no
// byte of a longer UTF-8 sequence is.
func (s *scanner) peek() byte {
	if s.atEnd() {
		return 0
	}
	return s.doc[s.pos]
}

func (s *scanner) skip(n int) {
	end := min(s.pos+n, len(s.doc))
	s.line += strings.Count(s.doc[s.pos:end], "\n")
	s.pos = end
}

// mark notes that a key stands here.
func (s *scanner) mark() { s.lines = append(s.lines, s.line) }

// skipTo goes to the next byte that is one of stop, or to the end.
func (s *scanner) skipTo(stop string) {
	n := strings.IndexAny(s.doc[s.pos:], stop)
	if n < 0 {
		n = len(s.doc) - s.pos
	}
	s.skip(n)
}

// skipBlank goes over spaces, line ends and comments.
func (s *scanner) skipBlank() {
	for {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.skip(1)
		case '#':
			s.skipTo("\n")
		default:
			return
		}
	}
}

// skipHeader goes over [table] or [[table]].
func (s *scanner) skipHeader() {
	closing := 1
	if strings.HasPrefix(s.doc[s.pos:], "[[") {
		closing = 2
	}
	s.skip(closing)
	s.skipName("]")
	s.skip(closing)
}

// skipKey goes over a key and its equals sign.
func (s *scanner) skipKey() {
	s.skipName("=")
	s.skip(1)
}

// skipName goes over a bare, quoted or dotted name, to the byte that ends it.
func (s *scanner) skipName(end string) {
	begin := s.pos
	for {
		s.skipTo(end + "\"'\n") // no name goes beyond its line
		if s.pos-begin > maxKey {
			s.stop()
			return
		}
		switch s.peek() {
		case '"', '\'':
			s.skipString(string(s.peek()))
		default:
			return
		}
	}
}

// skipValue goes over the value behind an equals sign or in an array.
func (s *scanner) skipValue() {
	s.skipBlank()
	switch c := s.peek(); c {
	case '"', '\'':
		quote := string(c)
		if strings.HasPrefix(s.doc[s.pos:], strings.Repeat(quote, 3)) {
			quote = strings.Repeat(quote, 3)
		}
		s.skipString(quote)
	case '[':
		s.skipItems(']', s.skipValue)
	case '{':
		s.skipItems('}', func() {
			s.mark()
			s.skipKey()
			s.skipValue()
		})
	default: // a number, a boolean or a time
		s.skip(1)
		s.skipTo(",]}#\n")
	}
}

// skipItems goes over a bracketed, comma-separated list.
func (s *scanner) skipItems(closing byte, skipItem func()) {
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxDepth {
		s.stop()
	}
	s.skip(1)
	for !s.atEnd() {
		s.skipBlank()
		switch s.peek() {
		case closing:
			s.skip(1)
			return
		case ',':
			s.skip(1)
		default:
			skipItem()
		}
	}
}

// skipString goes over a string that is opened and closed by quote. A
// multi-line string may end in up to two quotes of its own; others end in their
// line.
func (s *scanner) skipString(quote string) {
	s.skip(len(quote))
	for !s.atEnd() {
		switch {
		case len(quote) == 1 && s.peek() == '\n':
			return
		case quote[0] == '"' && s.peek() == '\\':
			s.skip(2)
		case strings.HasPrefix(s.doc[s.pos:], quote):
			s.skip(len(quote))
			for len(quote) == 3 && s.peek() == quote[0] {
				s.skip(1)
			}
			return
		default:
			s.skip(1)
		}
	}
}
