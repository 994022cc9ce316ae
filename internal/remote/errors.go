package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

var (
	// ErrConfig applies to what is wrong on this side before a connection is
	// tried: an ssh option, an ssh_config file, a private key file.
	ErrConfig = errors.New("configuration")

	// ErrUnreachable applies when no SSH handshake was completed: the name does
	// not resolve, nothing listens, a timeout, a broken proxy.
	ErrUnreachable = errors.New("unreachable")

	// ErrHostKeyUnknown applies when no known_hosts file has a key of the host.
	ErrHostKeyUnknown = errors.New("host key unknown")

	// ErrHostKeyChanged applies when known_hosts has another key for the host,
	// or has revoked the one it showed. No setting accepts it.
	ErrHostKeyChanged = errors.New("host key changed")

	// ErrAuthentication applies when the server took none of the keys and
	// passwords that there were.
	ErrAuthentication = errors.New("authentication failed")

	// ErrLost applies when the connection died, or was closed, before the exit
	// status arrived: the outcome of the command is unknown.
	ErrLost = errors.New("connection lost: outcome unknown")

	// ErrSudo applies when the command never started because it could not
	// become root.
	ErrSudo = errors.New("sudo")

	// ErrSudoPassword applies (with ErrSudo) when sudo did not take the password.
	ErrSudoPassword = errors.New("wrong sudo password")

	// ErrSudoPasswordNeeded applies (with ErrSudo) when sudo asks for a password
	// and there is none to give.
	ErrSudoPasswordNeeded = errors.New("sudo needs a password")

	// ErrNotStarted applies when the login shell ended, or printed too much,
	// before the script began: nologin, a forced command, a startup file that exits.
	ErrNotStarted = errors.New("the command did not start")

	// ErrTooMuchOutput applies when a command given to Run printed more than
	// MaxOutput bytes: it ran to its end, or was ended if it has a Silence.
	ErrTooMuchOutput = errors.New("too much output")

	// ErrSilent applies when a command given to Run said nothing for as long as its Silence is.
	ErrSilent = errors.New("the command said nothing")
)

// Error is an error that knows what the user may do about it.
type Error struct {
	What    string // the host, the file, the option
	Problem string
	Hint    string  // what to type or to look at next; may be empty
	Kinds   []error // the sentinel errors that apply, and the cause
}

func (e *Error) Error() string { return e.What + ": " + e.Problem }

// Unwrap returns the sentinel errors that apply, and the cause.
func (e *Error) Unwrap() []error {
	// errors.As does not take a nil in the list
	return slices.DeleteFunc(slices.Clone(e.Kinds), func(kind error) bool { return kind == nil })
}

// Hint returns what the user may do about err, or "".
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// ExitError is a command that ran and failed.
type ExitError struct {
	Code   int    // the exit status; 128 + N where the shell saw a child die of signal N
	Signal string // "KILL", "TERM" …: the command itself died of it; Code is then -1
	Stderr []byte // set by Run: all of it, or its end where it is longer than StderrTail
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("exit status %d", e.Code)
	if e.Signal != "" {
		text = "killed by signal " + e.Signal
	}
	if last := lastLine(e.Stderr); last != "" {
		text += ": " + last
	}
	return text
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// unreadable is the error of a file that cannot be read: as of one that is not there, or of too many open ones.
func unreadable(file string, err error) error {
	problem := "cannot be read"
	if path := new(fs.PathError); errors.As(err, &path) {
		problem += ": " + path.Err.Error()
	}
	return configError(file, problem, "", err)
}

func configError(what, problem, hint string, cause ...error) error {
	return &Error{What: what, Problem: problem, Hint: hint, Kinds: append([]error{ErrConfig}, cause...)}
}
