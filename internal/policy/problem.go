package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong in a policy file, in whole sentences.
type Problem struct {
	File string
	Line int // from 1; 0: the file as a whole (it could not be read)
	Text string
	Hint string // what would be right; may be empty
}

// String gives the problem on one line, as compilers do.
func (p Problem) String() string {
	var b strings.Builder
	if printable(p.File) {
		b.WriteString(p.File)
	} else {
		b.WriteString(quote(p.File))
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": " + p.Text)
	if p.Hint != "" {
		b.WriteString(" " + p.Hint)
	}
	return b.String()
}

// Problems is the error of a policy that cannot be used: everything that is
// wrong with it, file by file and line by line.
type Problems []Problem

// Error gives one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// sortByLine puts the problems of one file in the order of its lines.
func (ps Problems) sortByLine() {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

// didYouMean is the hint for a word that should have been one of others; empty
// where none of them is near.
func didYouMean(word string, others []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, other := range others {
		if d := distance(plain(word), plain(other)); d < least {
			best, least = other, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("Did you mean %q?", best)
}

// plain makes words alike that people write in several ways.
func plain(word string) string {
	return strings.ToLower(strings.ReplaceAll(word, "_", "-"))
}

// distance counts the letters to insert, delete, replace or swap with the next
// one to make b of a (optimal string alignment). Long words are cut: nobody
// means a known key by them.
func distance(a, b string) int {
	const long = 64
	a, b = a[:min(len(a), long)], b[:min(len(b), long)]
	var d [long + 1][long + 1]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// quotedList joins words for a sentence: "a", "b" and "c".
func quotedList(words []string, and string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return list(quoted, and)
}

// list joins words for a sentence: a, b and c.
func list(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

// quote makes a word from a file or a request safe to show, and short.
func quote(word string) string {
	const long = 80
	if len(word) > long {
		return fmt.Sprintf("%q...", strings.ToValidUTF8(word[:long], ""))
	}
	return fmt.Sprintf("%q", word)
}
