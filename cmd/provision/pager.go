package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
)

// pages reports whether there is somebody to read a text page by page, and a terminal that
// can show a page.
func (io console) pages() bool {
	able := os.Getenv("TERM") != "" && os.Getenv("TERM") != "dumb"
	return able && io.interactive() && term.IsTerminal(int(io.out.Fd()))
}

// pager returns the command line that shows a text page by page, "" for none.
func pager() string {
	if own, set := os.LookupEnv("PAGER"); set {
		return own
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// page shows a text on the terminal as git does: less keeps the colours, leaves the text on
// the screen, and waits for nobody where all of it fits (LESS=FRX). Ctrl-C ends neither less
// nor the shell that waits for it: what it means is decided when the terminal is ours again.
func (io console) page(text string) {
	line := pager()
	if text == "" || line == "" || !io.pages() || !io.pageBy(line, text) {
		// A write that fails leaves nobody to tell.
		_, _ = io.out.WriteString(text)
	}
}

// pageBy shows a text by a pager, and reports whether there was one.
func (io console) pageBy(line, text string) bool {
	command := exec.Command("/bin/sh", "-c", "trap : INT; "+line)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(text), io.out, io.err
	command.Env = os.Environ()
	if _, set := os.LookupEnv("LESS"); !set {
		command.Env = append(command.Env, "LESS=FRX")
	}
	var exit *exec.ExitError
	err := command.Run()
	return err == nil || errors.As(err, &exit) && exit.ExitCode() != cannotRun && exit.ExitCode() != notFound
}

// The exit codes by which a shell says that it did not run a command (POSIX, XCU 2.8.2).
const cannotRun, notFound = 126, 127
