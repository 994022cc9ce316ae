package results

import (
	"testing"
	"time"

	"provision/internal/gimel/statistics"
	"provision/internal/gimel/store"
)

// counted is a day with as many participants in each of two variants, and their conversions.
func counted(date string, participants, a, b int64) Day {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return Day{Date: at, Variants: []statistics.Variant{{Label: "a", Trials: participants, Successes: a}, {Label: "b", Trials: participants, Successes: b}}}
}

// grown is an experiment of these days, with so many participants a variant of before.
func grown(imported int64, days ...Day) Detail {
	variants := []statistics.Variant{{Label: "a", Weight: 1, Trials: imported}, {Label: "b", Weight: 1, Trials: imported}}
	for _, day := range days {
		for i, v := range day.Variants {
			variants[i].Trials += v.Trials
			variants[i].Successes += v.Successes
		}
	}
	return Detail{
		Summary:     Summary{Name: "e", Variants: variants, PlannedTrials: 10_000, Declared: true, Primary: "goal"},
		Results:     []Goal{{Name: "goal", Variants: variants, Days: days}},
		Declaration: store.Declaration{Goals: []string{"goal"}, Planned: 10_000},
	}
}

// The test of the planned size looks at one moment, whenever people do: what comes later does not
// ask it again, and neither does a second look on the same day.
func TestTheFixedTestLooksOnce(t *testing.T) {
	first, second := counted("2026-11-01", 6000, 300, 320), counted("2026-11-02", 6000, 300, 365)
	calm := counted("2026-11-03", 6000, 300, 220)
	at := func(day int) time.Time { return time.Date(2026, 11, day, 23, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name string
		of   Detail
		now  time.Time
		want statistics.Verdict
	}{
		{"before the size", grown(0, first), at(1), statistics.NotYet},
		{"on the day of the size", grown(0, first, second), at(2), statistics.NotYet},
		{"the day after", grown(0, first, second), at(3), statistics.Difference},
		{"a day that evens it out", grown(0, first, second, calm), at(4), statistics.Difference},
		{"days in another order", grown(0, calm, second, first), at(4), statistics.Difference},
		{"counts without a day", grown(20_000, first, second), at(4), statistics.NotYet},
	} {
		if got := Analyse(c.of, 0.05, c.now)[0].Verdict; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
