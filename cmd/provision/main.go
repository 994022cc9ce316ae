// Command provision installs systems on Debian hosts over SSH and proves that they work:
// flags in, exit code out. One file per verb.
package main

import (
	"context"
	"os"
	"runtime/debug"
)

func main() {
	if os.Getenv("GOGC") == "" { // of thousands of hosts little is kept, and much is read
		debug.SetGCPercent(200)
	}
	os.Exit(execute(context.Background(), os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr}))
}
