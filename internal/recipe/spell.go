package recipe

// Nearest returns the name that is closest to the word a person typed, "" when none is
// near: at most two letters changed, added or left out, or a third of a long word, and
// never more than half of a short one.
func Nearest(word string, names []string) string {
	best, distance := "", max(min(2, len(word)/2), len(word)/3)+1
	for _, name := range names {
		if d := editDistance(word, name); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// editDistance is Levenshtein's, by the usual two rows.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost = 1 + min(previous, row[j], row[j-1])
			}
			previous, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
