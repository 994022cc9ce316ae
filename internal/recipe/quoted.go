package recipe

import "strconv"

// mostQuoted is how much of a text an error shows, in characters: its line is to be read.
const mostQuoted = 100

// Quoted shows a text that somebody wrote in the one line of an error: in quotes, and its beginning
// where it is long.
func Quoted(text string) string {
	runes := 0
	for at := range text {
		if runes++; runes > mostQuoted {
			return strconv.Quote(text[:at] + "…")
		}
	}
	return strconv.Quote(text)
}
