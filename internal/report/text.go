package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// Limits of what a table shows of one foreign string.
const (
	maxRunes = 1000 // of a string; the rest is cut away and an ellipsis stands for it
	maxMarks = 2    // combining marks on one letter; more are written as escapes
)

// widths measures text as a terminal does, whatever the locale of this process
// says, so that a table is the same everywhere.
func widths() *runewidth.Condition { return &runewidth.Condition{} }

// plain makes a foreign string safe to print: one line, nothing that a terminal
// or a reader could take for an order. What does not show itself is written as a
// Go escape: control characters (with them every ANSI sequence), bytes that are
// no UTF-8, characters that turn the direction of text, join or hide it
// (Unicode category Cf), foreign spaces, private use, letters without a shape.
func plain(s string) string {
	if len(s) <= maxRunes && harmless(s) {
		return s
	}
	var b strings.Builder
	marks, n := 0, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n++; n > maxRunes {
			b.WriteString("…")
			break
		}
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unicode.IsPrint(r) || blank(r) || marks > maxMarks:
			b.WriteString(escape(r))
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// harmless reports whether s is printable ASCII only.
func harmless(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// blank lists the letters and signs that print as nothing although they are
// printable by category: the Hangul fillers, the Braille blank, and the
// variation selectors.
func blank(r rune) bool {
	switch {
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800, r == 0x034f:
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef:
		return true
	}
	return false
}

func escape(r rune) string {
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// cut shortens text to a number of columns by taking its middle out: the
// beginning says where a file is and the end what it is. The end keeps more.
func cut(s string, columns int) string {
	w := widths()
	if w.StringWidth(s) <= columns {
		return s
	}
	if columns <= 1 {
		return strings.Repeat("…", max(columns, 0))
	}
	runes := []rune(s)
	left := (columns - 1) / 3
	head, n := 0, 0
	for head < len(runes) && n+w.RuneWidth(runes[head]) <= left {
		n += w.RuneWidth(runes[head])
		head++
	}
	tail := len(runes)
	for tail > head && n+1+w.RuneWidth(runes[tail-1]) <= columns {
		tail--
		n += w.RuneWidth(runes[tail])
	}
	for tail < len(runes) && unicode.Is(unicode.M, runes[tail]) {
		tail++ // a mark does not stand alone
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// fill pads text with spaces to a number of columns.
func fill(s string, columns int) string {
	return s + strings.Repeat(" ", max(columns-widths().StringWidth(s), 0))
}

// wrap breaks text at spaces into lines of at most so many columns; a longer
// word is broken where the line ends.
func wrap(s string, columns int) []string {
	w := widths()
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		for {
			n := w.StringWidth(word)
			switch {
			case line != "" && used+1+n <= columns:
				line, used = line+" "+word, used+1+n
			case line != "":
				lines = append(lines, line)
				line, used = "", 0
				continue
			case n > columns:
				head := w.Truncate(word, columns, "")
				if head == "" {
					head = word // narrower than a single letter
				}
				lines = append(lines, head)
				if word = word[len(head):]; word != "" {
					continue
				}
			default:
				line, used = word, n
			}
			break
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// bytesText is a number of bytes for people.
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, suffix := float64(n)/unit, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < unit {
			break
		}
		value, suffix = value/unit, next
	}
	return fmt.Sprintf("%.1f %s", value, suffix)
}

// number is a count with its noun in the right form.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	switch {
	case strings.HasSuffix(noun, "ability"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
