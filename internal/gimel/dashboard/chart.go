package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"provision/internal/gimel/statistics"
)

// chart is the drawing of a timeline: positions in pixels of a viewBox, ready
// for the template. It is drawn twice, for a desk and for a phone, because
// text in a scaled drawing would become too small to read.
type chart struct {
	format
	ID, Measure              string
	Left, Right, Top, Bottom float64
	YTicks, XTicks           []tick
	Series                   []series
	Hovers                   []hover
}

// format is a size of drawing.
type format struct {
	Class         string
	Width, Height float64
	labels        bool // names at the ends of the lines; otherwise a legend
	yTicks        int
	xTicks        int
}

var (
	wide   = format{Class: "wide", Width: 920, Height: 340, labels: true, yTicks: 5, xTicks: 7}
	narrow = format{Class: "narrow", Width: 343, Height: 260, yTicks: 4, xTicks: 3}
)

type tick struct {
	At    float64
	Label string
}

// series is one variant's line with its interval as a band.
type series struct {
	Class, Label, Rate string
	Line, Band         string // path data
	EndX, EndY         float64
	LabelX, LabelY     float64
	Present            bool
}

// hover is what shows of a day that the pointer is over, or that was chosen by
// a touch or with the arrow keys: days are radio buttons, and the rest is CSS.
type hover struct {
	X, HitX, HitWidth      float64
	Title                  string
	BoxX, BoxY, BoxW, BoxH float64
	TextX, TitleY, SwatchX float64
	Rows                   []hoverRow
}

// Words are a day's numbers for who does not see the drawing.
func (h hover) Words() string {
	words := []string{}
	for _, row := range h.Rows {
		words = append(words, row.Text+" "+row.Value)
	}
	return h.Title + ": " + strings.Join(words, ", ")
}

type hoverRow struct {
	Class, Text, Value string
	Present            bool
	Y, DotY, ValueX    float64
}

// PlotWidth and the methods below are for the template.
func (c *chart) PlotWidth() float64 { return c.Right - c.Left }

// PlotHeight is the height of the drawing without its axis.
func (c *chart) PlotHeight() float64 { return c.Bottom - c.Top }

// TickX is where the labels of the rates end.
func (c *chart) TickX() float64 { return c.Left - 8 }

// AxisY is the base line of the dates.
func (c *chart) AxisY() float64 { return c.Bottom + 22 }

// Many says that the bands overlap so much that they have to be fainter.
func (c *chart) Many() bool { return len(c.Series) > 3 }

// Labelled says that names stand at the line ends.
func (c *chart) Labelled() bool { return c.labels }

// mostPoints on a line; longer timelines are thinned.
const mostPoints = 120

func newChart(t timeline, id string, f format) *chart {
	c := &chart{format: f, ID: id, Measure: measureOf(t.kind), Left: 46, Right: f.Width - 22, Top: 12, Bottom: f.Height - 30}
	if f.labels {
		c.Right = f.Width - 40 - 8*float64(longestLabel(t.labels))
	}
	days := thin(t.days)
	low, high, step := yDomain(days, f.yTicks, t.kind != statistics.Value)
	in := unitOf(t.kind)
	y := func(rate float64) float64 {
		return rounded(c.Bottom - (rate-low)/(high-low)*(c.Bottom-c.Top))
	}
	x := func(i int) float64 {
		if len(days) == 1 {
			return rounded((c.Left + c.Right) / 2)
		}
		return rounded(c.Left + float64(i)/float64(len(days)-1)*(c.Right-c.Left))
	}
	for v := low; v <= high+step/2; v += step {
		c.YTicks = append(c.YTicks, tick{y(v), in.label(v, step)})
		c.Left = max(c.Left, 16+7*float64(utf8.RuneCountInString(in.label(v, step))))
	}
	c.XTicks = xTicks(days, x, f.xTicks)
	for i, label := range t.labels {
		beside := x
		if len(days) == 1 { // a lone day has no lines: its intervals stand side by side
			beside = func(day int) float64 { return x(day) + 20*(float64(i)-float64(len(t.labels)-1)/2) }
		}
		c.Series = append(c.Series, newSeries(i, label, days, beside, y, in))
	}
	c.spreadLabels()
	c.hovers(t.labels, days, x, y, in)
	return c
}

// thin keeps every k-th day, counted from the last.
func thin(days []timelineDay) []timelineDay {
	k := (len(days) + mostPoints - 1) / mostPoints
	if k <= 1 {
		return days
	}
	var kept []timelineDay
	for i := len(days) - 1; i >= 0; i -= k {
		kept = append(kept, days[i])
	}
	slices.Reverse(kept)
	return kept
}

// yDomain covers every rate from the second quarter on with its interval. The
// intervals of the first days are so wide that they would flatten the rest;
// they are clipped. What is never below zero has no axis below it.
func yDomain(days []timelineDay, ticks int, positive bool) (low, high, step float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for i, day := range days {
		for _, p := range day.points {
			if !p.present || i < len(days)/4 {
				continue
			}
			low, high = min(low, p.rate), max(high, p.rate)
			if p.interval != nil {
				low, high = min(low, p.interval.Low), max(high, p.interval.High)
			}
		}
	}
	if low > high {
		low, high = 0, 0.01
	}
	step = niceStep((high - low) / float64(ticks))
	low, high = math.Floor(low/step+1e-9)*step, math.Ceil(high/step-1e-9)*step
	if high <= low {
		high = low + step
	}
	if positive {
		low = max(0, low)
	}
	return low, high, step
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(x float64) float64 {
	if x <= 0 {
		return 0.01
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, factor := range []float64{1, 2, 5} {
		if x <= factor*power*(1+1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// xTicks labels at most n days, counted back from the last.
func xTicks(days []timelineDay, x func(int) float64, n int) (ticks []tick) {
	step := max(1, (len(days)+n-1)/n)
	for i := len(days) - 1; i >= 0; i -= step {
		ticks = append(ticks, tick{x(i), shortDate(days[i].date)})
	}
	return ticks
}

func shortDate(t time.Time) string { return t.Format("2 Jan") }

func newSeries(i int, label string, days []timelineDay, x func(int) float64, y func(float64) float64, in unit) series {
	s := series{Class: classOf(i), Label: shorten(label)}
	var line, upper strings.Builder
	var lower []string
	for k, day := range days {
		p := day.points[i]
		if !p.present {
			continue
		}
		command := "L"
		if !s.Present {
			command = "M"
		}
		fmt.Fprintf(&line, "%s%g %g", command, x(k), y(p.rate))
		s.Present, s.EndX, s.EndY, s.Rate = true, x(k), y(p.rate), in.format(p.rate)
		if p.interval == nil {
			continue
		}
		half := 0.0
		if len(days) == 1 {
			half = 5 // a lone day has no width of its own
		}
		for _, shift := range []float64{-half, half} {
			fmt.Fprintf(&upper, "%s%g %g", pathCommand(upper.Len()), x(k)+shift, y(p.interval.High))
			lower = append(lower, fmt.Sprintf("L%g %g", x(k)+shift, y(p.interval.Low)))
		}
	}
	s.Line = line.String()
	if len(lower) > 0 {
		slices.Reverse(lower)
		s.Band = upper.String() + strings.Join(lower, "") + "Z"
	}
	return s
}

func pathCommand(written int) string {
	if written == 0 {
		return "M"
	}
	return "L"
}

// spreadLabels moves the names at the line ends apart, keeping their order.
func (c *chart) spreadLabels() {
	const height = 34
	var order []*series
	for i := range c.Series {
		c.Series[i].LabelX, c.Series[i].LabelY = c.Right+14, c.Series[i].EndY
		if c.Series[i].Present {
			order = append(order, &c.Series[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *series) int { return int(math.Copysign(1, a.EndY-b.EndY)) })
	for i, s := range order {
		if i > 0 {
			s.LabelY = max(s.LabelY, order[i-1].LabelY+height)
		}
	}
	limit := c.Bottom - 4
	for _, s := range slices.Backward(order) {
		s.LabelY = min(s.LabelY, limit)
		limit = s.LabelY - height
	}
}

func (c *chart) hovers(labels []string, days []timelineDay, x func(int) float64, y func(float64) float64, in unit) {
	const rowHeight, padding = 18.0, 10.0
	width := 2*padding + 14 + 7.5*float64(longestLabel(labels)) + 62
	hit := (c.Right - c.Left) / float64(max(1, len(days)-1))
	for i, day := range days {
		h := hover{X: x(i), HitX: rounded(x(i) - hit/2), HitWidth: rounded(hit), Title: formatDate(day.date)}
		h.BoxW, h.BoxY = width, c.Top
		h.BoxH = 2*padding + rowHeight*float64(len(labels)+1) - 4
		h.BoxX = rounded(h.X + 12)
		if h.BoxX+width > c.Right {
			h.BoxX = rounded(max(2, h.X-12-width))
		}
		h.TextX, h.TitleY, h.SwatchX = h.BoxX+padding+14, h.BoxY+padding+10, h.BoxX+padding+4
		for k, p := range day.points {
			row := hoverRow{Class: classOf(k), Text: shorten(labels[k]), Value: "–",
				Y: h.TitleY + rowHeight*float64(k+1), ValueX: h.BoxX + width - padding}
			if p.present {
				row.Present, row.Value, row.DotY = true, in.format(p.rate), y(p.rate)
			}
			h.Rows = append(h.Rows, row)
		}
		c.Hovers = append(c.Hovers, h)
	}
}

// labelLength is the most characters of a label that a drawing has room for.
const labelLength = 16

// shorten cuts a label to labelLength; the table has it in full.
func shorten(label string) string {
	runes := []rune(label)
	if len(runes) <= labelLength {
		return label
	}
	return string(runes[:labelLength-1]) + "…"
}

// longestLabel counts characters, at least those of a rate ("12.34%").
func longestLabel(labels []string) int {
	longest := 6
	for _, label := range labels {
		longest = max(longest, utf8.RuneCountInString(shorten(label)))
	}
	return longest
}
