package engine

import (
	"time"

	"provision/internal/recipe"
)

// Event is something that happens while a host is worked on. The set is closed.
type Event interface{ event() }

// HostEvent is an event and the host that it happened on.
type HostEvent struct {
	Host  string // the name in the inventory, or as it was given to -H
	Event Event
}

// Connecting says that the connection to a host is being made.
type Connecting struct{ Address string }

// Asking says that the host is being asked what it has.
type Asking struct{}

// PlanMade is the picture of every change, before the first one is made.
type PlanMade struct{ Plan Plan }

// Applying says that the changes begin: the host's lock is held, and its journal has a run.
type Applying struct{ Run string }

// StepBegan says that a step is under way.
type StepBegan struct {
	Number   int
	Title    string
	Resource string
}

// StepEnded says that a step is done, or failed.
type StepEnded struct {
	Number  int
	Title   string
	Elapsed time.Duration
	Failed  bool
}

// Output is a line that a step printed.
type Output struct{ Line string }

// Progress is how far a transfer is.
type Progress struct {
	Title string
	Done  int64 // bytes
	Total int64 // bytes
}

// Note is something that a person should know: the lock is held, a dead run was swept.
type Note struct{ Text string }

// Changed says that a resource's change is done.
type Changed struct {
	Item   recipe.Item
	Change recipe.Change
}

// Restored says that a service did not survive a change and has its old files back.
type Restored struct {
	Unit   string
	Paths  []string
	Runs   bool // it runs again, as before
	Undone bool // a guarded change, which nobody confirmed: whether it runs is as before
}

// Verifying says that a task's checks begin.
type Verifying struct{ Checks int }

// Checked is the result of one check of a verify. One whose Err is ErrLeftOut was not made.
type Checked struct {
	Check   recipe.Check
	Elapsed time.Duration
	Err     error
}

// Printed is what a command of exec printed on a host: whole lines, in order.
type Printed struct {
	Line  string
	Error bool // on standard error
}

// Graphed is what a host's Graphite has of some targets, to be drawn.
type Graphed struct {
	From, Until int64 // seconds since the epoch
	Series      []Series
}

// Series is a row of values, one each step.
type Series struct {
	Name   string
	Start  int64      // of the first value, in seconds since the epoch
	Step   int64      // seconds
	Values []*float64 // nil is unknown
}

// Status is how the work on one host ended.
type Status string

// The ways in which the work on a host ends.
const (
	StatusSame         Status = "same"          // nothing to do
	StatusChanged      Status = "changed"       // changed, and converged
	StatusPending      Status = "pending"       // a plan with changes, or declined
	StatusVerified     Status = "verified"      // verify alone, and all checks passed
	StatusDone         Status = "done"          // a command of exec ran, and exited with 0
	StatusFailed       Status = "failed"        // a step or a check failed
	StatusUnreachable  Status = "unreachable"   // no connection, or none that was let in
	StatusLocked       Status = "locked"        // another run holds the host
	StatusStale        Status = "stale"         // the host changed since the plan
	StatusNotConverged Status = "not converged" // after all steps, still not as wanted
	StatusInterrupted  Status = "interrupted"   // stopped between two steps
	StatusNotBegun     Status = "not begun"     // others failed before its turn, and nothing of its plan was done
	StatusRefused      Status = "refused"       // wrong input: nothing was tried
)

// Finished is the end of the work on a host.
type Finished struct {
	Status  Status
	Changed int
	Same    int
	Elapsed time.Duration
	Err     error    // nil when the status is a good one
	Hint    string   // the command to type next, where there is one
	Drained bool     // it was taken out of service for its change, and was not brought back
	After   []string // what the tasks tell a person at the end: where they answer
}

func (Connecting) event() {}
func (Asking) event()     {}
func (PlanMade) event()   {}
func (Applying) event()   {}
func (StepBegan) event()  {}
func (StepEnded) event()  {}
func (Output) event()     {}
func (Progress) event()   {}
func (Note) event()       {}
func (Changed) event()    {}
func (Restored) event()   {}
func (Verifying) event()  {}
func (Checked) event()    {}
func (Printed) event()    {}
func (Graphed) event()    {}
func (Finished) event()   {}

// Observer is told what happens on one host, in order.
type Observer func(Event)
