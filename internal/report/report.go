// Package report tells what a run does: to people on a terminal, to programs as one JSON
// object a line. It is the only place that knows colours, widths and escape codes.
//
// An event of the engine becomes a record, plain data with stable names (record.go). Every
// text of a record passes one gate, which masks secrets, before anything is made of it.
package report

import "time"

// Mark replaces a secret wherever one would have been printed.
const Mark = "[secret]"

// Options says how to talk to people. Detect fills in what a terminal can show; the zero
// value is plain text of any width.
type Options struct {
	Verbosity int      // −1 failures only; 0; 1 titles of steps; 2 their output; 3 also the probes
	Plan      bool     // the plan is what was asked for: diffs are whole, also an empty plan is told
	Asked     bool     // somebody is asked about the plan: diffs are whole
	Hosts     []string // of this run, in its order; with more than one, lines are labelled
	Color     bool
	ASCII     bool // signs from ASCII alone
	Width     int  // columns; 0 is unknown: nothing is wrapped
	Height    int  // lines; 0 is unknown
	Live      bool // a terminal: what is under way is redrawn in place
	Secrets   []string
	Now       func() time.Time // nil is time.Now

	size func() (width, height int) // asked before each redraw; nil when it cannot change
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}
