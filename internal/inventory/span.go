package inventory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// span is a range of numbers in a name, web[01:20]. Between brackets an IPv6 address has more
// than that, and a pattern's class no colon.
var span = regexp.MustCompile(`\[([0-9]+):([0-9]+)\]`)

// mostOfSpan is the most names that one range stands for.
const mostOfSpan = 10000

// expand returns the names that one with a range stands for, in order: web[01:03] is web01,
// web02 and web03. A name without one is itself. The problem, if there is one, comes with what
// to write instead.
func expand(text string) (names []string, problem, hint string) {
	found := span.FindAllStringSubmatchIndex(text, -1)
	switch {
	case len(found) == 0:
		return []string{text}, "", ""
	case len(found) > 1:
		return nil, "has two ranges", "one range a name: write a name for each of the other"
	}
	at := found[0]
	first, last := text[at[2]:at[3]], text[at[4]:at[5]]
	from, err := strconv.Atoi(first)
	to, errTo := strconv.Atoi(last)
	switch {
	case err != nil || errTo != nil || to-from >= mostOfSpan:
		return nil, fmt.Sprintf("is a range of more than %d names", mostOfSpan), "this is hardly the range that was meant"
	case to < from:
		return nil, "is a range that ends before it begins", fmt.Sprintf("write [%s:%s]", last, first)
	case len(first) != len(last) && (first[0] == '0' || last[0] == '0'):
		return nil, "is a range whose numbers have leading zeros and are not as long as each other", fmt.Sprintf("write [%0*d:%0*d]", len(last), from, len(last), to)
	}
	digits := 1
	if len(first) == len(last) {
		digits = len(first)
	}
	for n := from; n <= to; n++ {
		names = append(names, text[:at[0]]+fmt.Sprintf("%0*d", digits, n)+text[at[1]:])
	}
	return names, "", ""
}

// Expand splits each element at its commas, and returns what its ranges stand for.
func Expand(list []string) ([]string, error) {
	var parts []string
	for _, element := range list {
		for part := range strings.SplitSeq(element, ",") {
			part = strings.Trim(part, " ")
			names, problem, hint := expand(part)
			if problem != "" {
				return nil, &Error{What: fmt.Sprintf("%q", part), Problem: problem, Advice: hint}
			}
			parts = append(parts, names...)
		}
	}
	return parts, nil
}
