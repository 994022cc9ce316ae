// Package chart draws series of numbers with characters: lines in braille, or in ASCII, with axes at
// round numbers and times. It is pure: what is drawn depends on its arguments alone.
package chart

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Series is a row of values, one each step.
type Series struct {
	Name   string
	Start  int64      // of the first value, in seconds since the epoch
	Step   int64      // seconds
	Values []*float64 // nil is unknown
}

// Look is what the place that is drawn on can show.
type Look struct {
	Width  int  // columns
	Height int  // rows of a chart, without its axis
	Color  bool // the terminal's own colours tell series apart
	ASCII  bool // no other characters
	Zone   *time.Location
}

// Lines draws series from one time until another, and a table of them below. Where no colours tell
// them apart, each has a chart of its own, all on one scale.
func Lines(series []Series, from, until int64, look Look) []string {
	look.Width, look.Height = max(look.Width, 40), max(look.Height, 3)
	scale, known := scaleOf(series, look.Height)
	if !known {
		return []string{"no data"}
	}
	table := look.table(series, until, scale)
	var lines []string
	if look.Color || len(series) == 1 {
		lines = look.chart(series, from, until, scale)
		return append(lines, table...)
	}
	look.Height = max(4, look.Height/2)
	scale, _ = scaleOf(series, look.Height)
	for i, one := range series {
		lines = append(lines, look.cut(one.Name))
		lines = append(lines, look.chart(series[i:i+1], from, until, scale)...)
	}
	return append(lines, table...)
}

// cut shortens a text to the width.
func (l Look) cut(text string) string {
	more := "…"
	if l.ASCII {
		more = "..."
	}
	return ansi.Truncate(text, l.Width, more)
}

// chart draws series on one canvas, with its axes.
func (l Look) chart(series []Series, from, until int64, scale scale) []string {
	labels, gutter := scale.labels(l.Height), 0
	for _, label := range labels {
		gutter = max(gutter, ansi.StringWidth(label))
	}
	canvas := newCanvas(l.Width-gutter-2, l.Height, l.ASCII)
	span := span{from, max(until, from+1)}
	for i, one := range series {
		canvas.draw(one, i, span, scale)
	}
	signs := l.signs()
	var lines []string
	for row := range l.Height {
		mark := signs.side
		if labels[row] != "" {
			mark = signs.tick
		}
		line := fmt.Sprintf("%*s %s", gutter, labels[row], mark) + canvas.row(row, l.Color)
		lines = append(lines, strings.TrimRight(line, " "))
	}
	marks := span.marks(canvas.columns, l.Zone)
	return append(lines, axis(marks, gutter+1, canvas.columns, signs)...)
}

// signs are those of the axes.
type signs struct{ side, tick, corner, bottom, below string }

func (l Look) signs() signs {
	if l.ASCII {
		return signs{"|", "+", "+", "-", "+"}
	}
	return signs{"│", "┤", "└", "─", "┬"}
}

// axis draws the time axis, its marks and what is written below them.
func axis(marks []mark, indent, columns int, signs signs) []string {
	line, below := strings.Repeat(signs.bottom, columns), strings.Repeat(" ", indent+1+columns)
	runes, words := []rune(line), []rune(below)
	for _, m := range marks {
		runes[m.column] = []rune(signs.below)[0]
		at := min(max(indent+1+m.column-len(m.text)/2, 0), len(words)-len(m.text))
		copy(words[at:], []rune(m.text))
	}
	return []string{strings.Repeat(" ", indent) + signs.corner + string(runes), strings.TrimRight(string(words), " ")}
}

// table says of each series its newest value, and how old that is where it is old, its least, its mean
// and its greatest.
func (l Look) table(series []Series, until int64, scale scale) []string {
	rows := [][]string{{"", "last", "min", "mean", "max"}}
	sizes := make([]int, len(rows[0]))
	for _, one := range series {
		row := append([]string{one.Name}, one.figures(until)...)
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i, text := range row {
			sizes[i] = max(sizes[i], ansi.StringWidth(text))
		}
	}
	rest := 2
	for _, size := range sizes[1:] {
		rest += size + 2
	}
	sizes[0] = min(sizes[0], max(8, l.Width-rest))
	var lines []string
	for i, row := range rows {
		line := l.swatch(i-1) + " "
		for column, text := range row {
			if column == 0 {
				name := Look{Width: sizes[0], ASCII: l.ASCII}.cut(text)
				line += name + strings.Repeat(" ", sizes[0]-ansi.StringWidth(name))
				continue
			}
			line += strings.Repeat(" ", 2+sizes[column]-ansi.StringWidth(text)) + text
		}
		lines = append(lines, l.cut(strings.TrimRight(line, " ")))
	}
	return lines
}

// swatch is the sign of a series in the table; of none it is a blank.
func (l Look) swatch(i int) string {
	switch {
	case i < 0:
		return " "
	case l.ASCII:
		return "*"
	case l.Color:
		return paint("━", i)
	}
	return "━"
}

// figures are a series' numbers in the table.
func (s Series) figures(until int64) []string {
	low, high, sum, n, last := math.Inf(1), math.Inf(-1), 0.0, 0, -1
	for i, value := range s.Values {
		if !drawable(value) {
			continue
		}
		low, high, sum, n, last = min(low, *value), max(high, *value), sum+*value, n+1, i
	}
	if n == 0 {
		return []string{"no data", "", "", ""}
	}
	newest := Number(*s.Values[last])
	if old := until - (s.Start + int64(last)*s.Step); old > max(3*s.Step, 120) {
		newest += " (" + age(old) + " ago)"
	}
	return []string{newest, Number(low), Number(sum / float64(n)), Number(high)}
}

// age is a time in its largest unit.
func age(seconds int64) string {
	for _, unit := range []struct {
		name   string
		length int64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}} {
		if seconds >= 2*unit.length {
			return fmt.Sprintf("%d %s", seconds/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("%d s", seconds)
}
