package script

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"provision/internal/recipe"
)

// saidWithin is how long a question about the host itself may take: whoever asked waits for the plan.
const saidWithin = 10 * time.Second

// late is what stands where a script's exit status would, when it was ended.
const late = "late"

// ownRows ask a host about itself: what recipe.Question names, and what tasks ask in their own words.
func ownRows() []row {
	return []row{{
		name: "facts", kind: recipe.KindFact, absent: recipe.Said{Problem: "was not asked"}, asks: ofKind(recipe.KindFact),
		source: []string{"ask/command"}, width: 3, call: callFacts, read: readFact,
	}}
}

// callFacts asks each in a shell of its own: one that does not end keeps no other from its answer.
func callFacts(asked []recipe.Probe) string {
	var s strings.Builder
	fmt.Fprintf(&s, "asking=%s\n", Quote(fmt.Sprintf("most=%d long=.\n", recipe.MostSaid+1)+source("ask/guard", "ask/fact")))
	for _, probe := range asked {
		text := probe.Script
		if text == "" {
			text = "fact_" + probe.Key.Name
		}
		fmt.Fprintf(&s, "ask_guards %d \"$asking\"%s\n", seconds(saidWithin), Quote("ask_guard "+QuoteAll(probe.Key.Name, text)))
	}
	return s.String()
}

func readFact(a *answer, record []string, _ []recipe.Probe) error {
	said := recipe.Said{Text: strings.Clone(record[2])} // which is kept longer than the answer
	switch {
	case record[1] == late:
		said.Problem = fmt.Sprintf("does not end in %s", saidWithin)
	case record[1] != "0":
		said.Problem = "ends with " + record[1]
	case len(said.Text) > recipe.MostSaid:
		said.Problem = fmt.Sprintf("says more than %d bytes", recipe.MostSaid)
	case !utf8.ValidString(said.Text): // as JSON, in which it is kept, it would be another text
		said.Problem = "is no text in UTF-8"
	}
	a.set(recipe.FactKey(record[0]), said)
	return nil
}
