package address

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// leastFolded is how many names a range stands for at least: two are as short by themselves.
const leastFolded = 3

// mostFolded is the most that one stands for: what reads ranges takes no longer ones.
const mostFolded = 10000

// Fold returns names in the order in which people count, with ranges in the place of those that follow each
// other: web01, web02 and web03 are web[01:03]. It is what an inventory's names are read by, the other way
// round.
func Fold(names []string) []string {
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, Compare)
	sorted = slices.Compact(sorted)
	left := map[string]bool{}
	for _, name := range sorted {
		left[name] = true
	}
	var folded []string
	for _, name := range sorted {
		if left[name] {
			folded = append(folded, longest(name, left))
		}
	}
	return folded
}

// longest returns the longest range that begins with a name and stands for names that are left, and takes
// these away.
func longest(name string, left map[string]bool) string {
	text, its := name, []string{name}
	for _, at := range numbers(name) {
		before, first, behind := name[:at.from], name[at.from:at.to], name[at.to:]
		last, all := first, []string{name}
		for len(all) < mostFolded {
			next, follows := successor(first, last)
			if !follows || !left[before+next+behind] {
				break
			}
			last, all = next, append(all, before+next+behind)
		}
		if len(all) >= leastFolded && len(all) > len(its) {
			text, its = before+"["+first+":"+last+"]"+behind, all
		}
	}
	for _, one := range its {
		delete(left, one)
	}
	return text
}

// successor is the number behind last in a range that begins with first: as long as that where it has zeros
// before it.
func successor(first, last string) (next string, ok bool) {
	n, err := strconv.Atoi(last)
	if err != nil {
		return "", false
	}
	next = fmt.Sprintf("%0*d", len(first), n+1)
	return next, len(next) == len(first) || first[0] != '0'
}

// place is where something stands in a text.
type place struct{ from, to int }

// numbers are the places of a name's numbers.
func numbers(name string) []place {
	var all []place
	if strings.ContainsAny(name, "[]") { // an address of IPv6, or a range already
		return nil
	}
	for i := 0; i < len(name); i++ {
		from := i
		for i < len(name) && name[i] >= '0' && name[i] <= '9' {
			i++
		}
		if i > from {
			all = append(all, place{from, i})
		}
	}
	return all
}

// Compare orders names as people count: web9 before web10.
func Compare(a, b string) int {
	for a != "" && b != "" {
		one, two := chunk(a), chunk(b)
		a, b = a[len(one):], b[len(two):]
		if order := compareChunks(one, two); order != 0 {
			return order
		}
	}
	return strings.Compare(a, b)
}

// chunk is what a text begins with: digits, or a byte that is none.
func chunk(text string) string {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return text[:max(end, 1)]
}

func compareChunks(one, two string) int {
	left, err := strconv.Atoi(one)
	right, errTwo := strconv.Atoi(two)
	if err == nil && errTwo == nil && left != right {
		return left - right
	}
	return strings.Compare(one, two)
}
