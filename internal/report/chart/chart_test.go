package chart_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"provision/internal/report/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

const begin = 1_795_960_800 // 14:00 UTC

// wave is a series of so many values.
func wave(name string, n int, step int64, f func(i int) float64) chart.Series {
	s := chart.Series{Name: name, Start: begin, Step: step, Values: make([]*float64, n)}
	for i := range s.Values {
		if value := f(i); !math.IsNaN(value) {
			s.Values[i] = &value
		}
	}
	return s
}

func sine(low, high, period float64) func(int) float64 {
	return func(i int) float64 { return low + (high-low)*(1+math.Sin(float64(i)/period*2*math.Pi))/2 }
}

var unknown = math.NaN()

// drawings are what is drawn, each on a terminal of 80 and one of 200 columns.
var drawings = map[string]struct {
	series  []chart.Series
	seconds int64
}{
	"one":    {[]chart.Series{wave("shop.orders", 360, 10, sine(12, 80, 180))}, 3600},
	"colors": {[]chart.Series{wave("web1", 360, 10, sine(0.2, 1.4, 300)), wave("web2", 360, 10, sine(0.5, 1.1, 200))}, 3600},
	"gap and age": {[]chart.Series{wave("bytes", 1440, 60, func(i int) float64 {
		if i > 400 && i < 600 || i > 1300 {
			return unknown
		}
		return sine(2e6, 9e6, 700)(i)
	})}, 86400},
	"flat":     {[]chart.Series{wave("flat", 60, 60, func(int) float64 { return 5 })}, 3600},
	"negative": {[]chart.Series{wave("a name that is longer than its column can be, for it has many parts: stats.counters.shop.orders.by.country.of.the.customer.rate", 60, 60, sine(-30, -2, 60))}, 3600},
	"year":     {[]chart.Series{wave("year", 365, 86400, sine(99.2, 99.9, 100))}, 365 * 86400},
	"lonely": {[]chart.Series{wave("lonely", 60, 60, func(i int) float64 {
		if i%10 == 3 {
			return float64(i)
		}
		return unknown
	})}, 3600},
}

func TestDrawings(t *testing.T) {
	for name, drawing := range drawings {
		for _, look := range []struct {
			name string
			chart.Look
		}{
			{"80", chart.Look{Width: 80, Height: 12}}, {"200", chart.Look{Width: 200, Height: 16}},
			{"80-ascii", chart.Look{Width: 80, Height: 12, ASCII: true}}, {"80-color", chart.Look{Width: 80, Height: 12, Color: true}},
		} {
			t.Run(name+" "+look.name, func(t *testing.T) {
				look.Zone = time.UTC
				lines := chart.Lines(drawing.series, begin, begin+drawing.seconds, look.Look)
				for _, line := range lines {
					if width := ansi.StringWidth(line); width > look.Width {
						t.Errorf("%d columns: %s", width, line)
					}
					if plain := strings.Map(func(r rune) rune { return map[bool]rune{true: r, false: -1}[r > 0x7e] }, line); look.ASCII && plain != "" {
						t.Errorf("not ASCII: %s", line)
					}
				}
				golden(t, strings.ReplaceAll(name, " ", "-")+"-"+look.name, strings.Join(lines, "\n")+"\n")
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s (go test ./internal/report/chart -update writes it anew): want\n%s\ngot\n%s", path, want, got)
	}
}

func TestNothingToDraw(t *testing.T) {
	for _, series := range [][]chart.Series{nil, {{Name: "a"}}, {wave("a", 3, 1, func(int) float64 { return unknown })}} {
		if lines := chart.Lines(series, begin, begin, chart.Look{Width: 80, Height: 12, Zone: time.UTC}); len(lines) != 1 || lines[0] != "no data" {
			t.Errorf("%q", lines)
		}
	}
}

func TestNumber(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 1: "1", 0.5: "0.5", 1234567: "1.23M", 999: "999", 1000: "1k", -3.14159: "-3.14", 0.000123: "0.000123", 12.5: "12.5", 1e15: "1P"} {
		if got := chart.Number(value); got != want {
			t.Errorf("%v: %s, want %s", value, got, want)
		}
	}
}

// No numbers and no place make it fall over, or write beyond its width.
func FuzzLines(f *testing.F) {
	f.Add(1.0, 2.0, int64(10), 80, 12)
	f.Add(math.Inf(1), math.NaN(), int64(0), 1, 0)
	f.Add(-1e308, 1e308, int64(1)<<40, 10, 3)
	f.Fuzz(func(t *testing.T, a, b float64, step int64, width, height int) {
		look := chart.Look{Width: width % 500, Height: height % 100, Zone: time.UTC}
		series := chart.Series{Name: "x", Start: begin, Step: step % (1 << 32), Values: []*float64{&a, nil, &b, &a}}
		for _, line := range chart.Lines([]chart.Series{series}, begin, begin+3600, look) {
			if ansi.StringWidth(line) > max(look.Width, 40) {
				t.Errorf("%d columns in %d: %s", ansi.StringWidth(line), look.Width, line)
			}
		}
	})
}
