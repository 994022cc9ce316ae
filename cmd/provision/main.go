// Command provision installs systems on Debian hosts over SSH and proves that they work:
// flags in, exit code out. One file per verb.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(execute(context.Background(), os.Args[1:], console{os.Stdin, os.Stdout, os.Stderr}))
}
