package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// lastNumber is the last number in a name, by which names are one of a range: web07.example.org.
var lastNumber = regexp.MustCompile(`^(.*?)([0-9]+)([^0-9]*)$`)

// shortList is a list of names as -l takes it, in which numbers that follow each other are a range:
// web[01:40],db1.
func shortList(names []string) string {
	var parts []string
	for len(names) > 0 {
		part, taken := rangeOf(names)
		parts = append(parts, part)
		names = names[taken:]
	}
	return strings.Join(parts, ",")
}

// rangeOf is the first name, or the range that begins with it, and how many names that stands for. Fewer
// than three are no range.
func rangeOf(names []string) (text string, taken int) {
	first := lastNumber.FindStringSubmatch(names[0])
	if first == nil {
		return names[0], 1
	}
	number, err := strconv.Atoi(first[2])
	last := first[2]
	for taken = 1; err == nil && taken < len(names); taken++ {
		next := fmt.Sprintf("%0*d", len(first[2]), number+taken)
		if names[taken] != first[1]+next+first[3] || len(next) != len(first[2]) && first[2][0] == '0' {
			break
		}
		last = next
	}
	if taken < 3 {
		return names[0], 1
	}
	return first[1] + "[" + first[2] + ":" + last + "]" + first[3], taken
}
