package report

import (
	"cmp"
	"slices"
	"strings"
)

// The colours of a table (ECMA-48, "SGR"). They are the only escape sequences
// that it ever writes.
const (
	styleNone   = ""
	styleBold   = "1"
	styleDim    = "2"
	styleRed    = "31"
	styleYellow = "33"
	styleBlue   = "34"
	styleAlarm  = "1;31"
)

// printer collects the lines of a table.
type printer struct {
	b     strings.Builder
	width int
	color bool
}

// style wraps text, which is plain already, in a colour.
func (p *printer) style(code, text string) string {
	if !p.color || code == styleNone || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) line(parts ...string) {
	p.b.WriteString(strings.TrimRight(strings.Join(parts, ""), " "))
	p.b.WriteByte('\n')
}

// title begins a section.
func (p *printer) title(text string) {
	p.line()
	p.line(p.style(styleBold, cut(text, p.width)))
}

// note writes a paragraph, indented and wrapped.
func (p *printer) note(indent int, text string) {
	for _, l := range wrap(text, max(p.width-indent, 20)) {
		p.line(strings.Repeat(" ", indent), l)
	}
}

// cell is one field of a row; the text is plain already.
type cell struct {
	text  string
	style string
}

// column is how one column of a grid may be laid out.
type column struct {
	head  string
	least int  // it is never made narrower; 0: it is never made narrower than its widest cell
	right bool // numbers
	spare bool // it is left out where the rest does not fit
}

// grid writes rows in columns that fit the width: the widest of the columns that
// may shrink gives way first, and its longer cells lose their middle. A column
// that is empty in every row is left out.
func (p *printer) grid(indent int, columns []column, rows [][]cell) {
	size := p.sizes(indent, columns, rows)
	head := make([]cell, len(columns))
	for i, c := range columns {
		head[i] = cell{c.head, styleDim}
	}
	for _, row := range append([][]cell{head}, rows...) {
		var parts []string
		parts = append(parts, strings.Repeat(" ", indent))
		for i, c := range row {
			if size[i] == 0 {
				continue
			}
			text := cut(c.text, size[i])
			pad := max(size[i]-widths().StringWidth(text), 0)
			styled := p.style(c.style, text)
			if columns[i].right {
				styled = strings.Repeat(" ", pad) + styled
			} else {
				styled += strings.Repeat(" ", pad)
			}
			parts = append(parts, styled, "  ")
		}
		p.line(parts...)
	}
}

// sizes is the width of each column; 0 for one that has nothing to say.
func (p *printer) sizes(indent int, columns []column, rows [][]cell) []int {
	w := widths()
	size := make([]int, len(columns))
	for _, row := range rows {
		for i, c := range row {
			size[i] = max(size[i], w.StringWidth(c.text))
		}
	}
	total := indent
	for i, c := range columns {
		if size[i] > 0 {
			size[i] = max(size[i], w.StringWidth(c.head))
			total += size[i] + 2
		}
	}
	for total-2 > p.width {
		widest := -1
		for i, c := range columns {
			if c.least > 0 && size[i] > c.least && (widest < 0 || size[i] > size[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			i := slices.IndexFunc(columns, func(c column) bool { return c.spare })
			if i < 0 || size[i] == 0 {
				break // the line is as narrow as it gets
			}
			total -= size[i] + 2
			size[i] = 0
			continue
		}
		size[widest]--
		total--
	}
	return size
}

// sortedCounts is the keys of a count, the most frequent first.
func sortedCounts[K cmp.Ordered, N cmp.Ordered](counts map[K]N) []K {
	keys := make([]K, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return keys
}
