package script

import (
	"embed"
	"slices"
	"strings"
	"sync"

	"provision/internal/recipe"
)

// State is the directory of the host's own memory: lock, journal, kept copies, pending
// notifications. Only root may look into it.
const State = recipe.State

//go:embed sh
var files embed.FS

// source returns files of sh/, one after the other, without what only costs bytes on the wire.
func source(names ...string) string {
	var s strings.Builder
	for _, name := range names {
		text, read := stripped.Load(name)
		if !read {
			whole, err := files.ReadFile("sh/" + name + ".sh")
			if err != nil {
				panic("script: " + err.Error()) // a file of our own
			}
			text = strip(string(whole))
			stripped.Store(name, text)
		}
		s.WriteString(text.(string))
	}
	return s.String()
}

// stripped are the files that source has read, by name: they never change, and thousands of hosts may be asked.
var stripped sync.Map

// row is one section of an answer: how a kind of fact is asked for, and how what the host says
// is read. A new kind of fact is a new row.
type row struct {
	name   string                      // of the section
	kind   recipe.Kind                 // of the facts that it makes known, "" of a row that adds to another's
	absent any                         // what they are where the answer does not mention them
	asks   func(recipe.Probe) bool     // which probes it answers; nil is asked of every host
	source []string                    // the files of sh/ that its call needs
	call   func([]recipe.Probe) string // what the host is told
	width  int                         // how many fields a record has
	read   func(a *answer, record []string, asked []recipe.Probe) error
}

// rows are all that a host can be asked, in the order in which it is.
func rows() []row {
	return slices.Concat(hostRows(), ownRows(), pathRows(), packageRows(), unitRows(), listenerRows(), accountRows(), commandRows(), contentRows(), memoryRows(), leavingRows())
}

// A section is announced by its name between two \x01 bytes, which no record begins with:
// paths begin with a slash, digests with a hex digit.
func heading(name string) string { return "\x01" + name + "\x01" }

// end is the name of what follows the last section.
const end = "end"

// answeredBy yields the rows that answer some of the probes, each with these: sorted, and without
// repetition.
func answeredBy(probes []recipe.Probe) func(yield func(row, []recipe.Probe) bool) {
	merged := recipe.Merge(probes)
	slices.SortStableFunc(merged, func(a, b recipe.Probe) int { return strings.Compare(a.Key.Name, b.Key.Name) })
	return func(yield func(row, []recipe.Probe) bool) {
		for _, row := range rows() {
			var asked []recipe.Probe
			if row.asks != nil {
				for _, probe := range merged {
					if row.asks(probe) {
						asked = append(asked, probe)
					}
				}
			}
			if (row.asks == nil || len(asked) > 0) && !yield(row, asked) {
				return
			}
		}
	}
}

// ofKind selects the probes of a kind.
func ofKind(kind recipe.Kind) func(recipe.Probe) bool {
	return func(probe recipe.Probe) bool { return probe.Key.Kind == kind }
}

// calls returns a call of a function with the names of all that is asked.
func calls(function string) func([]recipe.Probe) string {
	return func(asked []recipe.Probe) string {
		names := make([]string, len(asked))
		for i, probe := range asked {
			names[i] = probe.Key.Name
		}
		return function + " " + QuoteAll(names...) + "\n"
	}
}
