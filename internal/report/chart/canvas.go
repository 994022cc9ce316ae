package chart

import (
	"fmt"
	"math"
	"strings"
)

// canvas is a grid of characters, each of some dots: of braille two beside each other and four above
// each other, of ASCII one and two.
type canvas struct {
	columns, rows int
	wide, tall    int // dots of a character
	ascii         bool
	dots          []uint8 // of each character, a bit for each dot
	series        []int   // of each character, the last that has a dot in it
}

func newCanvas(columns, rows int, ascii bool) *canvas {
	c := &canvas{columns: max(columns, 1), rows: rows, wide: 2, tall: 4, ascii: ascii}
	if ascii {
		c.wide, c.tall = 1, 2
	}
	c.dots, c.series = make([]uint8, c.columns*c.rows), make([]int, c.columns*c.rows)
	return c
}

// braille are the bits of a character's dots by row and column (Unicode, Braille Patterns).
var braille = [4][2]uint8{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// dot sets a dot, counted from the left and from the top.
func (c *canvas) dot(x, y, series int) {
	if x < 0 || y < 0 || x >= c.columns*c.wide || y >= c.rows*c.tall {
		return
	}
	at := y/c.tall*c.columns + x/c.wide
	c.dots[at] |= braille[y%c.tall][x%c.wide]
	c.series[at] = series
}

// draw draws a series as a line, with a gap where values are unknown.
func (c *canvas) draw(s Series, index int, span span, scale scale) {
	before := false
	var fromX, fromY float64
	for i, value := range s.Values {
		if !drawable(value) {
			before = false
			continue
		}
		x := span.share(s.Start+int64(i)*s.Step) * float64(c.columns*c.wide-1)
		x = min(max(x, -1), float64(c.columns*c.wide)) // what lies outside is not drawn
		y := (scale.high - *value) / (scale.high - scale.low) * float64(c.rows*c.tall-1)
		if before {
			c.line(fromX, fromY, x, y, index)
		} else {
			c.dot(round(x), round(y), index)
		}
		before, fromX, fromY = true, x, y
	}
}

// line sets the dots between two.
func (c *canvas) line(fromX, fromY, x, y float64, series int) {
	steps := max(math.Abs(x-fromX), math.Abs(y-fromY), 1)
	for i := 0.0; i <= steps; i++ {
		c.dot(round(fromX+(x-fromX)*i/steps), round(fromY+(y-fromY)*i/steps), series)
	}
	c.dot(round(x), round(y), series)
}

func round(f float64) int { return int(math.Round(f)) }

// row is a row of characters.
func (c *canvas) row(row int, color bool) string {
	var line, run strings.Builder
	of := -1 // the series whose colour the run has, -1 of blanks
	flush := func() {
		if color && of >= 0 {
			line.WriteString(paint(run.String(), of))
		} else {
			line.WriteString(run.String())
		}
		run.Reset()
	}
	for column := range c.columns {
		at := row*c.columns + column
		series := c.series[at]
		if c.dots[at] == 0 {
			series = -1
		}
		if series != of {
			flush()
			of = series
		}
		run.WriteString(c.character(c.dots[at]))
	}
	flush()
	return line.String()
}

// character is the one with these dots.
func (c *canvas) character(dots uint8) string {
	switch {
	case dots == 0:
		return " "
	case !c.ascii:
		return string(rune(0x2800) + rune(dots))
	case dots == braille[0][0]:
		return "'"
	case dots == braille[1][0]:
		return "."
	}
	return ":"
}

// colors are the terminal's own, as SGR has them (ECMA-48, 8.3.117), the most readable first.
var colors = []int{36, 33, 35, 32, 34, 31}

func paint(text string, series int) string {
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colors[series%len(colors)], text)
}
