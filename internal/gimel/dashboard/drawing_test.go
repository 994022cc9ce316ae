package dashboard

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/results"
	"provision/internal/gimel/statistics"
)

func TestTimelineIsTrueToTheCalendar(t *testing.T) {
	line := newTimeline(fixture().details[0].Results[0], 0.95)
	if len(line.days) != 4 || line.days[0].date.Day() != 1 || line.days[3].date.Day() != 4 {
		t.Fatalf("days %+v", line.days)
	}
	if line.before != 200 {
		t.Errorf("before the first day: %d, want 200", line.before)
	}
	last := line.days[3].points[1]
	if math.Abs(last.rate-640.0/10010) > 1e-12 {
		t.Errorf("the last running rate %g is not the total's", last.rate)
	}
	if line.days[1].points[0] != line.days[2].points[0] && line.days[1].points[0].rate != line.days[2].points[0].rate {
		t.Error("days without a count must keep the rate")
	}
	if rows := line.rows(); rows[0].Date.Day() != 4 || rows[0].Cells[1].Participants != 410 {
		t.Errorf("the newest row first: %+v", rows[0])
	}
}

func TestTimelineSurvivesAWrongClock(t *testing.T) {
	a := statistics.Variant{Label: "a", Trials: 20, Successes: 4}
	half := statistics.Variant{Label: "a", Trials: 10, Successes: 2}
	line := newTimeline(results.Goal{Variants: []statistics.Variant{a}, Days: []results.Day{
		{Date: time.Unix(0, 0), Variants: []statistics.Variant{half}},
		{Date: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), Variants: []statistics.Variant{half}}}}, 0.95)
	if len(line.days) != longest {
		t.Fatalf("%d days, want %d", len(line.days), longest)
	}
	if p := line.days[0].points[0]; !p.present || p.rate != 0.2 {
		t.Errorf("counts before the first day shown are lost: %+v", p)
	}
}

func TestChartStaysInItsBox(t *testing.T) {
	var goal results.Goal
	for _, label := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		goal.Variants = append(goal.Variants, statistics.Variant{Label: label, Trials: 40000, Successes: 2000})
	}
	for day := range 400 {
		d := results.Day{Date: time.Unix(0, 0).AddDate(0, 0, day)}
		for _, v := range goal.Variants {
			d.Variants = append(d.Variants, statistics.Variant{Label: v.Label, Trials: 100, Successes: 5})
		}
		goal.Days = append(goal.Days, d)
	}
	for _, format := range []format{wide, narrow} {
		c := newChart(newTimeline(goal, 0.95), "x", format)
		if len(c.Hovers) > mostPoints {
			t.Errorf("%d points, want at most %d", len(c.Hovers), mostPoints)
		}
		if n := len(c.XTicks); n > format.xTicks {
			t.Errorf("%d dates, want at most %d", n, format.xTicks)
		}
		for _, h := range c.Hovers {
			if h.BoxX < 0 || h.BoxX+h.BoxW > format.Width {
				t.Fatalf("%s: hover box from %g, %g wide", format.Class, h.BoxX, h.BoxW)
			}
		}
		for i, s := range c.Series {
			if s.EndY < c.Top || s.EndY > c.Bottom {
				t.Errorf("the end of %s is at %g", s.Label, s.EndY)
			}
			if i > 0 && c.labels && math.Abs(s.LabelY-c.Series[i-1].LabelY) < 20 {
				t.Errorf("the names of %s and the one before overlap", s.Label)
			}
		}
	}
}

func TestNiceStep(t *testing.T) {
	for x, want := range map[float64]float64{0.0011: 0.002, 0.002: 0.002, 0.3: 0.5, 0.07: 0.1, 0: 0.01} {
		if got := niceStep(x); math.Abs(got-want) > 1e-12 {
			t.Errorf("niceStep(%g) = %g, want %g", x, got, want)
		}
	}
}

func TestFormats(t *testing.T) {
	points, amount := unitOf(statistics.Unique), unitOf(statistics.Value)
	for got, want := range map[string]string{
		formatCount(0): "0", formatCount(999): "999", formatCount(1000): "1,000", formatCount(1234567): "1,234,567", formatCount(-1234): "−1,234",
		formatPercent(0.05214): "5.21%", formatPercent(0.5): "50.0%", formatPercent(1): "100%", formatPercent(0.00482): "0.482%",
		points.signed(0.0042, 2): "+0.42", points.signed(-0.0042, 2): "−0.42", points.signed(0.000001, 2): "0.00",
		amount.format(3.14159): "3.14", amount.to(-2.5, 2): "−2.50", amount.signed(1234.5, 1): "+1234.5",
		formatP(0.0004): "<0.001", formatP(0.0421): "0.042", formatP(1): ">0.99",
		formatProbability(0.9999): ">99.9%", formatProbability(0.0001): "<0.1%", formatProbability(0.5): "50.0%",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Text must stand out from its ground by 4.5 to 1 (WCAG 2.1, 1.4.3), in the
// light and in the dark scheme.
func TestContrast(t *testing.T) {
	sheet, err := assetFiles.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(string(sheet), -1)
	if len(roots) != 2 {
		t.Fatalf("%d schemes, want 2", len(roots))
	}
	for scheme, root := range roots {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(root[1], -1) {
			colours[m[1]] = m[2]
		}
		pairs := [][2]string{{"good", "good-ground"}, {"warn", "warn-ground"}, {"alarm", "alarm-ground"}, {"on-accent", "accent"}, {"ink", "alarm-ground"}, {"ink", "warn-ground"}}
		for _, ground := range []string{"ground", "raised", "faint"} {
			for _, text := range []string{"ink", "soft", "accent", "good", "alarm"} {
				pairs = append(pairs, [2]string{text, ground})
			}
		}
		for i := range 7 {
			pairs = append(pairs, [2]string{"c" + strconv.Itoa(i), "raised"})
		}
		for _, p := range pairs {
			if ratio := contrast(t, colours[p[0]], colours[p[1]]); ratio < 4.5 {
				t.Errorf("scheme %d: %s on %s: %.2f", scheme, p[0], p[1], ratio)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is WCAG's relative luminance of an sRGB colour.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	value, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	linear := func(shift int) float64 {
		c := float64(value>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

// A forest has a scale: zero in the middle, one label or two to either side, and the largest bound
// within it.
func TestForestAxis(t *testing.T) {
	for largest, want := range map[float64]string{0.0176: "−1 0 +1", 0.002: "−0.2 −0.1 0 +0.1 +0.2", 0.5: "−50 0 +50", 0.0000123: "−0.001 0 +0.001"} {
		report := statistics.Report{Variants: []statistics.VariantReport{{}, {Comparison: &statistics.Comparison{Interval: statistics.Interval{Low: -largest, High: largest / 2}}}}}
		axis := newForestAxis(report)
		var labels []string
		for _, tick := range axis.Ticks {
			labels = append(labels, tick.Label)
			if tick.At < 0 || tick.At > axis.Width {
				t.Errorf("%g: %s is at %g", largest, tick.Label, tick.At)
			}
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("%g: %s, want %s", largest, got, want)
		}
		if f := newForest("s1", *report.Variants[1].Comparison, axis); f.Low != forestMargin {
			t.Errorf("%g: it begins at %g", largest, f.Low)
		}
	}
	if newForestAxis(statistics.Report{}) != nil {
		t.Error("an axis of nothing")
	}
}

// Each day can be reached without a pointer: it is a radio button with its numbers as its name.
func TestADayOfTheChartIsAButton(t *testing.T) {
	body := get(t, pagesOf(fixture()), experimentURL("button color")).Body.String()
	for _, want := range []string{`name="goal-0-wide-day"`, `name="goal-0-narrow-day"`, `aria-label="1 Nov 2026: grey 5.21%, blue 6.41%"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}
