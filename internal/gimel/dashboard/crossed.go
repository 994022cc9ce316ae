package dashboard

import "provision/internal/gimel/store"

// The share of visitors in more than one variant from which on the comparison
// suffers: who has seen both dilutes the difference.
const (
	crossedAlarm = 0.01
	crossedLeast = 5 // of fewer the share says little
)

// crossed tells of visitors who were seen in more than one variant: as a notice
// where they are many, and else in a few words, or none.
func crossed(c store.Crossing) (*notice, string) {
	if c.Several == 0 {
		return nil, ""
	}
	share := float64(c.Several) / float64(c.Looked)
	words := formatCount(c.Several) + " of " + formatCount(c.Looked) + " visitors looked at took part in more than one variant (" + formatPercent(share) + ")."
	if share < crossedAlarm || c.Several < crossedLeast {
		return nil, words
	}
	return &notice{Tone: "warn", Title: "Visitors in two variants", Text: words +
		" Each of them counts in both, which makes the variants look more alike than they are. The page should give a visitor the same variant every time, on each of his devices."}, ""
}
