package recipe

import "time"

// A change that may cut the connection (sshd, a packet filter, the network) is guarded: the
// host is armed before its first step, and undoes the change by itself unless the controller
// confirms it, which it does only when a new connection was made.
const (
	// ConfirmWithin is how long the controller tries to make that connection.
	ConfirmWithin = 30 * time.Second
	// UndoAfter is how long a host waits for the confirmation of a change that is live. It is
	// longer by what a confirmation needs to arrive.
	UndoAfter = ConfirmWithin + 10*time.Second
)

// CheckFailed is the exit status of a ControlUnit whose Check failed: the unit was left
// alone. It is EX_DATAERR of sysexits(3).
const CheckFailed = 65

// Guarded is implemented by a service whose changes may cut the connection.
type Guarded interface {
	// Guards returns the unit that is armed for, "" when nothing is.
	Guards() string
}

// Arm makes a host ready to undo a guarded change: a timer undoes it when it is live for
// UndoAfter, or when the run that made it is gone (and when it is live, has been for ten
// seconds, for only its connection may be gone), and a boot unit does after a reboot. What a
// run that died has armed the next run undoes before anything else.
type Arm struct {
	Unit  string
	Found Unit // as probed: what undoing goes back to
}

// Effects implements Step.
func (s Arm) Effects() []Effect { return nil }

// Title implements Step.
func (s Arm) Title() string { return "arm the undoing of changes to " + s.Unit }

// Confirm takes away what undoes a guarded change that stays: it was confirmed over a new
// connection. It fails when the host has begun to undo.
type Confirm struct{ Unit string }

// Effects implements Step.
func (s Confirm) Effects() []Effect { return nil }

// Title implements Step.
func (s Confirm) Title() string { return "confirm the change to " + s.Unit }

// Undo undoes a guarded change at once, for it failed: files, unit and notification are as
// before.
type Undo struct{ Unit string }

// Effects implements Step: an engine stops after it.
func (s Undo) Effects() []Effect { return nil }

// Title implements Step.
func (s Undo) Title() string { return "undo the change to " + s.Unit }
