// Command contents tells of a program that was built what is in it, as the go command noted
// there: as a bill of materials, or as the licences of all of it.
package main

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "contents:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("usage: contents bill PROGRAM | contents licences PROGRAM, and more of them")
	}
	var programs []*program
	for _, file := range args[1:] {
		one, err := read(file)
		if err != nil {
			return err
		}
		programs = append(programs, one)
	}
	switch {
	case args[0] == "bill" && len(programs) == 1:
		return writeBill(out, programs[0])
	case args[0] == "licences":
		return writeLicences(out, programs)
	}
	return fmt.Errorf("%s of %d programs: there is none", args[0], len(programs))
}

// read returns what is in a program.
func read(file string) (*program, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, err
	}
	digest, err := digestOf(file)
	if err != nil {
		return nil, err
	}
	return &program{info, digest}, nil
}
