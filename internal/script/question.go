package script

import (
	"encoding/binary"
	"strings"
	"sync"

	"provision/internal/recipe"
)

// Question is what a host is asked in one round trip, and how its answer is read. It never changes:
// thousands of hosts may be asked the same.
type Question struct {
	Script   string
	sections map[string]section // by their headings
	absent   recipe.Facts       // of a host that mentions nothing
}

// section is a part of an answer.
type section struct {
	row
	asked []recipe.Probe // what it answers: sorted, and without repetition
}

// Probe returns one script that asks all of probes, and the platform of the host.
func Probe(probes []recipe.Probe) string { return NewQuestion(probes).Script }

// NewQuestion returns the question that asks all of probes, and for the platform of the host. Its script
// starts one process for all paths, one for all digests, packages, units, users and
// groups each, whatever their number. It changes nothing.
func NewQuestion(probes []recipe.Probe) *Question {
	q := &Question{sections: map[string]section{}, absent: absent(probes)}
	var functions, calls strings.Builder
	announce := func(name string) {
		// A section's name is written with printf's own escapes, so the script stays text.
		calls.WriteString(`printf '\001` + name + `\001\000'` + "\n")
	}
	sourced := map[string]bool{}
	for row, asked := range answeredBy(probes) {
		for _, file := range row.source {
			if !sourced[file] {
				functions.WriteString(source(file))
			}
			sourced[file] = true
		}
		announce(row.name)
		calls.WriteString(row.call(asked))
		q.sections[heading(row.name)] = section{row, asked}
	}
	announce(end)
	q.Script = "export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\ncd /\n" + functions.String() + calls.String()
	return q
}

// absent are the facts of a host that mentions nothing.
func absent(probes []recipe.Probe) recipe.Facts {
	kinds := map[recipe.Kind]any{}
	for _, row := range rows() {
		if row.absent != nil {
			kinds[row.kind] = row.absent
		}
	}
	facts := recipe.Facts{}
	for _, probe := range probes {
		facts[probe.Key] = recipe.Fact{Value: kinds[probe.Key.Kind]}
	}
	return facts
}

// Questions keep those that were made: to make one takes longer than to read its answer. Nil keeps none.
type Questions struct {
	mu  sync.Mutex
	all map[string]*Question
}

// mostQuestions bounds them.
const mostQuestions = 64

// Of returns the question that asks all of probes.
func (q *Questions) Of(probes []recipe.Probe) *Question {
	if q == nil {
		return NewQuestion(probes)
	}
	what := identity(probes)
	q.mu.Lock()
	defer q.mu.Unlock()
	made, there := q.all[string(what)]
	if !there {
		if q.all == nil || len(q.all) == mostQuestions {
			q.all = map[string]*Question{}
		}
		made = NewQuestion(probes)
		q.all[string(what)] = made
	}
	return made
}

// identity tells questions apart: two have the same one when they ask the same. What a probe's answer depends on
// is no part of it.
func identity(probes []recipe.Probe) []byte {
	what := make([]byte, 0, 64*len(probes))
	add := func(words ...string) {
		for _, word := range words {
			what = append(binary.AppendUvarint(what, uint64(len(word))), word...)
		}
	}
	for _, probe := range probes {
		add(string(probe.Key.Kind), probe.Key.Name, probe.Script, probe.Same, probe.Unit)
		digest := byte(0)
		if probe.Digest {
			digest = 1
		}
		what = binary.AppendUvarint(append(what, digest), uint64(len(probe.Unfill)))
		add(pairs(probe.Unfill)...)
	}
	return what
}
