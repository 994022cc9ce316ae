package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// minus is the typographic sign, as wide as the plus.
const minus = "−"

// formatCount groups thousands: 1,234,567.
func formatCount(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = minus, digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), ",")
}

func formatDate(t time.Time) string { return t.Format("2 Jan 2006") }

// formatMoment is in UTC, as the days are.
func formatMoment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") }

// formatPercent writes a fraction with about three significant digits.
func formatPercent(fraction float64) string {
	return strconv.FormatFloat(fraction*100, 'f', decimals(fraction*100), 64) + "%"
}

// decimals that show about three significant digits of x.
func decimals(x float64) int {
	x = math.Abs(x)
	switch {
	case x >= 99.95 || x == 0:
		return 0
	case x >= 9.995:
		return 1
	case x >= 0.9995:
		return 2
	default:
		return 3
	}
}

func signed(x float64, places int) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', places, 64)
	switch {
	case strings.Trim(text, "0.") == "":
		return text
	case x < 0:
		return minus + text
	default:
		return "+" + text
	}
}

// formatP writes a p-value; below 0.001, and
// above 0.99, only that: it is never quite 0 or 1.
func formatP(p float64) string {
	switch {
	case p < 0.001:
		return "<0.001"
	case p > 0.99:
		return ">0.99"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// formatProbability writes a probability that is never quite 0 or 1.
func formatProbability(p float64) string {
	switch {
	case p > 0.999:
		return ">99.9%"
	case p < 0.001:
		return "<0.1%"
	}
	return fmt.Sprintf("%.1f%%", p*100)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
