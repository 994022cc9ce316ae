package eventlog

import (
	"strconv"
	"time"

	"provision/internal/gimel/store"
)

// Line is an event as NDJSON has it, with the columns of docs/eventlog.md. The
// fingerprint is text: readers of JSON that have only floating-point numbers
// would change it, and BigQuery wants integers beyond 2^53 so (Loading JSON data,
// "Limitations").
type Line struct {
	Namespace   string     `json:"namespace"`
	Experiment  string     `json:"experiment"`
	Life        string     `json:"life"`
	Began       time.Time  `json:"began"`
	Event       string     `json:"event"`
	Variant     string     `json:"variant"`
	Fingerprint string     `json:"fingerprint"`
	At          *time.Time `json:"at"`
	Value       *float64   `json:"value"`
}

// LineOf is the line of a row.
func LineOf(life store.Life, row Row) Line {
	l := Line{Namespace: life.Namespace, Experiment: life.Experiment, Life: life.ID, Began: life.Began.UTC(),
		Event: row.Event, Variant: row.Variant, Fingerprint: strconv.FormatInt(row.Fingerprint, 10), Value: row.Value}
	if at := row.At.UTC(); !row.At.IsZero() {
		l.At = &at
	}
	return l
}
