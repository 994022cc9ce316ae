package recipe

import "cmp"

// Trace is what a host remembers of a resource that a task wanted: enough to take it away when no
// task does any more, without the task. It is data, and bears no content.
type Trace struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`             // a path, a unit, a package, an account
	Gone   bool   `json:"gone,omitempty"`   // of a path: it was wanted away
	Secret bool   `json:"secret,omitempty"` // what stood at the path is never shown

	Made    bool   `json:"made,omitempty"`    // of a command: all that it does is in files, which leave by themselves
	Data    bool   `json:"data,omitempty"`    // of a directory: a purge takes it with all that has come into it
	Group   string `json:"group,omitempty"`   // of a membership
	Line    string `json:"line,omitempty"`    // of a line that is no secret; a public key
	Key     string `json:"key,omitempty"`     // the start of lines that this one replaced; a block's name; a public key's fingerprint; the path of a certificate's key
	Match   string `json:"match,omitempty"`   // of a line: matches those that it replaced
	Comment string `json:"comment,omitempty"` // of a block: what begins a comment in its file
	Home    string `json:"home,omitempty"`    // of the account that a public key lets in

	// Of a service: how it takes in that files of its configuration go.
	Listens []string `json:"listens,omitempty"`
	Check   string   `json:"check,omitempty"`
	Trees   []string `json:"trees,omitempty"`
	Dry     bool     `json:"dry,omitempty"`
	Scratch []string `json:"scratch,omitempty"`
	Guarded bool     `json:"guarded,omitempty"`
	Oneshot bool     `json:"oneshot,omitempty"`

	Notifies []Notification `json:"notifies,omitempty"`
	Held     string         `json:"held,omitempty"`   // no task wants it, and it stays for what this one wants at its path, or in it
	Before   *Before        `json:"before,omitempty"` // nil where that is not known
}

// Before is what stood in the place of a resource before any task wanted it there.
type Before struct {
	Nothing bool       `json:"nothing,omitempty"` // it is ours
	Line    string     `json:"line,omitempty"`    // the first line that ours replaced
	More    []Replaced `json:"more,omitempty"`    // the others
	NoFile  bool       `json:"no_file,omitempty"` // of a line: not even its file was there
	Parts   []Trace    `json:"parts,omitempty"`   // of a file: what tasks had wanted in it
	Unit    *Unit      `json:"unit,omitempty"`    // of a service
}

// Replaced is a line that went for ours.
type Replaced struct {
	Line  string `json:"line"`
	Below int    `json:"below,omitempty"` // so many lines that stayed are between it and the one that went before it
}

// Lines are those that a line replaced, in their order.
func (b *Before) Lines() []Replaced {
	if b == nil || b.Line == "" {
		return nil
	}
	return append([]Replaced{{Line: b.Line}}, b.More...)
}

// Remembered is implemented by a kind of resource that a host remembers.
type Remembered interface {
	// Trace is what is noted of it, without what stood there before.
	Trace() Trace
	// Stood returns what stood in its place, by the host's answers before the first change.
	Stood(Facts) Before
}

// Alone reports whether a trace is of all that is at its path.
func (t Trace) Alone() bool {
	switch t.Kind {
	case "file", "link", "directory", "tree", "secret":
		return true
	}
	return false
}

// Part reports whether a trace is of a part of a file that somebody else owns.
func (t Trace) Part() bool {
	switch t.Kind {
	case "line", "block", "authorized_key":
		return true
	}
	return false
}

// Called is what tells a part from others of its file.
func (t Trace) Called() string { return cmp.Or(t.Key, t.Match, t.Line) }

// Identity names the thing that a trace is of: at a path there is one, of whatever kind.
func (t Trace) Identity() string {
	switch {
	case t.Alone():
		return "path:" + t.Name
	case t.Part():
		return t.Kind + ":" + t.Name + ":" + t.Called()
	case t.Kind == "membership":
		return "membership:" + t.Name + " in " + t.Group
	}
	return t.Kind + ":" + t.Name
}

// Foreword is implemented by a resource that is noted on the host before anything else changes
// there: by steps that go before those of the first change.
type Foreword interface{ Foreword(Facts) []Step }
