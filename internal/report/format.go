package report

import (
	"fmt"
	"strings"
)

// secondsText says a time as people read it: 0.3 s, 41.2 s, 1 m 05 s, 2 h 07 m.
func secondsText(seconds float64) string {
	whole := int(seconds + 0.5)
	switch {
	case seconds < 59.95:
		return fmt.Sprintf("%.1f s", seconds)
	case whole < 3600:
		return fmt.Sprintf("%d m %02d s", whole/60, whole%60)
	}
	return fmt.Sprintf("%d h %02d m", whole/3600, whole%3600/60)
}

// noticeable is secondsText of a time that a person notices, "" of a shorter one.
func noticeable(seconds float64) string {
	if seconds <= 0.1 {
		return ""
	}
	return secondsText(seconds)
}

// bytesText says a size in decimal units, as file managers and networks count.
func bytesText(n int64) string {
	size := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if size < 999.5 || unit == "GB" {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			return fmt.Sprintf("%.1f %s", size, unit)
		}
		size /= 1000
	}
	return ""
}

// shortName splits a resource's ID into its kind and its name.
func shortName(id string) (kind, name string) {
	kind, name, _ = strings.Cut(oneLine(id), ":")
	return kind, name
}
