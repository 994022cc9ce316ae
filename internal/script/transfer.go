package script

import (
	"fmt"
	"io/fs"
)

// Receive is the sh that puts its standard input, of that size and SHA-256, in a path's place.
// In a directory it gets the name base. It says "send" when it wants the content, "same" when
// it has it, "done" at the end.
func Receive(path, base string, mode fs.FileMode, size int64, sha256 string) string {
	return source("prelude", "way", "place", "transfer") +
		"receive " + QuoteAll(path, base, fmt.Sprintf("%o", mode.Perm()), fmt.Sprint(size), sha256) + "\n"
}

// Deliver is the sh that prints a file: its mode and size on a line, then what is in it.
func Deliver(path string) string {
	return source("prelude", "way", "place", "opened", "transfer") + "deliver " + Quote(path) + "\n"
}

// AsUser is the sh that runs another as a user of the host, in his home, for a root shell.
func AsUser(user, text string) string {
	return source("user") + "as_user " + QuoteAll(user, text) + "\n"
}

// Within is the sh that runs another for so many seconds at the most: timeout(1) ends it, and
// all that it started, with the status TimedOut.
func Within(limit float64, text string) string {
	return source("command") + "bounded " + QuoteAll(fmt.Sprint(limit), text) + "\n"
}

// TimedOut is the status of timeout(1) for what it ended, or killed.
func TimedOut(status int) bool { return status == 124 || status == 137 }
