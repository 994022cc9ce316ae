package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/term"
)

// console is where a command reads and prints: the answer of a command on out, everything
// else that people read on err.
type console struct {
	in, out, err *os.File
}

// interactive reports whether there is somebody to ask.
func (io console) interactive() bool { return term.IsTerminal(int(io.in.Fd())) }

// errNoTerminal says that something has to be asked and nobody is there.
var errNoTerminal = errors.New("no terminal to ask on")

// errInterrupted says that a question was answered with Ctrl-C.
var errInterrupted error = interruption{}

type interruption struct{}

func (interruption) Error() string { return "interrupted" }
func (interruption) Unwrap() error { return context.Canceled }

// secret reads a line from the terminal without showing it.
func (io console) secret(prompt string) ([]byte, error) {
	return io.ask(prompt, func() ([]byte, error) {
		defer fmt.Fprintln(io.err)
		return term.ReadPassword(int(io.in.Fd()))
	})
}

// open reads a line from the terminal that is seen while it is typed.
func (io console) open(prompt string) ([]byte, error) {
	return io.ask(prompt, func() ([]byte, error) { return []byte(io.line()), nil })
}

func (io console) ask(prompt string, read func() ([]byte, error)) ([]byte, error) {
	fd := int(io.in.Fd())
	if !io.interactive() {
		return nil, errNoTerminal
	}
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	// Without this Ctrl-C would leave a terminal that shows nothing of what is typed.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ending()...)
	defer signal.Stop(signals)
	fmt.Fprint(io.err, prompt)
	answers := make(chan given, 1)
	go func() {
		text, err := read()
		answers <- given{text, err}
	}()
	select {
	case got := <-answers:
		return got.text, got.err
	case <-signals:
		fmt.Fprintln(io.err)
		return nil, errors.Join(errInterrupted, term.Restore(fd, before))
	}
}

// yes asks a question on the terminal; anything but y or yes is no, and so is stop.
func (io console) yes(question string, stop <-chan struct{}) bool {
	fmt.Fprintf(io.err, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { answer <- io.line() }()
	select {
	case text := <-answer:
		return text == "y" || text == "yes"
	case <-stop:
		fmt.Fprintln(io.err)
		return false
	}
}

// line reads a line, and nothing of the next one.
func (io console) line() string {
	var line []byte
	for b := make([]byte, 1); ; {
		if n, err := io.in.Read(b); n == 0 || err != nil || b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// passphrases asks for the passphrase of each private key once, whoever wants it, from any
// goroutine. It is nil where there is nobody to ask.
func (io console) passphrases() func(file string) ([]byte, error) {
	if !io.interactive() {
		return nil
	}
	var mu sync.Mutex
	answers := map[string]given{}
	return func(file string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if got, asked := answers[file]; asked {
			return got.text, got.err
		}
		text, err := io.secret("passphrase of " + file + ": ")
		answers[file] = given{text, err}
		return text, err
	}
}
