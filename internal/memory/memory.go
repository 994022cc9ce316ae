// Package memory is what a host remembers of what tasks wanted: its text, and what of it goes
// because no task wants it any more. It is pure.
package memory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// format is the format of the texts that this program writes and reads.
const format = 1

// ErrNewer says that a newer program has noted what a task wants, in a format of its own.
var ErrNewer = errors.New("is noted by a newer provision")

// Head is the first line of a text, by which it is known whether the rest has to be read.
type Head struct {
	Format     int      `json:"format"`
	Task       string   `json:"task"`
	From       string   `json:"from"`             // whose it is: an inventory and the host's name there, or AdHoc
	By         []string `json:"by,omitempty"`     // the tasks whose need brought it; none where it came for itself, or that is not known
	Wants      string   `json:"wants"`            // a digest of the traces, without what stood there before
	Things     int      `json:"things,omitempty"` // how many lines follow; 0 is that this was not noted
	Unfinished bool     `json:"unfinished,omitempty"`
	Again      bool     `json:"again,omitempty"` // of an unfinished one: tells it from the one before it
}

// AdHoc is where a memory comes from whose hosts were named with -H.
const AdHoc = "ad hoc"

// Memory is all that is noted of one task.
type Memory struct {
	Head
	Traces  []recipe.Trace
	doubted bool // it is another than the host's: see Certain
}

// Text returns the memory as a host keeps it: a line of JSON for its head and for each trace.
func (m Memory) Text() string {
	m.Format, m.Wants, m.Things = format, digest(m.wanted()), len(m.Traces)
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	// Texts, numbers and lists of them always marshal.
	_ = lines.Encode(m.Head)
	for _, trace := range m.Traces {
		_ = lines.Encode(trace)
	}
	return text.String()
}

// wanted are the traces without those that stay for another of the task itself: while they do, there
// is nothing to look after.
func (m Memory) wanted() []recipe.Trace {
	return slices.DeleteFunc(slices.Clone(m.Traces), func(t recipe.Trace) bool { return t.Held != "" && t.Held == m.Task })
}

// digest is what two lists of traces have in common when they are of the same things.
func digest(traces []recipe.Trace) string {
	var text strings.Builder
	lines := json.NewEncoder(&text)
	for _, trace := range traces {
		trace.Before = nil
		_ = lines.Encode(trace)
	}
	return recipe.Digest([]byte(text.String()))[:16]
}

// Parse reads a task's text.
func Parse(task, text string) (Memory, error) {
	head, rest, _ := strings.Cut(text, "\n")
	m := Memory{}
	var err error
	if m.Head, err = parseHead(task, head); err != nil {
		return m, err
	}
	for line := range strings.Lines(rest) {
		var trace recipe.Trace
		if err := json.Unmarshal([]byte(line), &trace); err != nil {
			return m, &UnreadableError{task, err}
		}
		m.Traces = append(m.Traces, trace)
	}
	if len(m.Traces) < m.Things {
		return m, &UnreadableError{task, fmt.Errorf("%d of its %d lines are left", len(m.Traces), m.Things)}
	}
	return m, nil
}

func parseHead(task, line string) (Head, error) {
	var head Head
	if !strings.HasPrefix(line, "{") {
		return head, &UnreadableError{task, errors.New("its first line is missing")}
	}
	if err := json.Unmarshal([]byte(line), &head); err != nil {
		return head, &UnreadableError{task, err}
	}
	if head.Format > format {
		return head, fmt.Errorf("what %s wanted %w", task, ErrNewer)
	}
	return head, nil
}

// UnreadableError says that a text is none of a task's, or not the whole of it.
type UnreadableError struct {
	Task string
	Err  error
}

// Error implements error.
func (e *UnreadableError) Error() string {
	return fmt.Sprintf("%s: cannot be read: %v", recipe.MemoryPath(e.Task), e.Err)
}

// Unwrap returns what is wrong with it.
func (e *UnreadableError) Unwrap() error { return e.Err }

// Hint is what to do on the host: it is kept, for somebody to read.
func (e *UnreadableError) Hint() string {
	path := recipe.MemoryPath(e.Task)
	return "on the host: mv " + path + " " + recipe.State + "/" + e.Task + ".unreadable; what it noted stays then"
}

// find returns the trace of a thing.
func find(traces []recipe.Trace, identity string) (recipe.Trace, bool) {
	for _, trace := range traces {
		if trace.Identity() == identity {
			return trace, true
		}
	}
	return recipe.Trace{}, false
}

// UnknownError says that of tasks that a host has it is not known what they want, so that it is not
// known either whether what another wants no longer may go.
type UnknownError struct{ Tasks []string }

// Error implements error.
func (e *UnknownError) Error() string {
	return "what " + strings.Join(e.Tasks, ", ") + " wants too is not known"
}

// Hint is how it becomes known, or how the host does without.
func (e *UnknownError) Hint() string {
	return "nothing is noted here of " + strings.Join(e.Tasks, ", ") + ", which may want the same: let hosts.yaml give it to the host, and name that with -l; or add --take-over, and what both want goes too"
}
