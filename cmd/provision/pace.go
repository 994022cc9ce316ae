package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"provision/internal/run"
)

// paceFlags say how a run goes through many hosts.
type paceFlags struct{ run.Pace }

// register adds them to a verb that changes hosts.
func (p *paceFlags) register(command *cobra.Command) {
	f := command.Flags()
	f.Var(share{&p.Window, 1}, "window", "so many hosts are changed at once, as 2 or 10%; the next is begun when one has passed its checks")
	f.Var(share{&p.Canary, 1}, "canary", "so many hosts first; no other is begun before all of them have passed their checks")
	f.Var((*shares)(&p.Batches), "batch", "hosts in `STEPS`, as 1,10%,100%: each is begun when the one before has ended")
	f.Var(share{&p.MaxFail, 0}, "max-fail", "begin no further host when more than so many have failed (default 0 with --window, --canary or --batch, else any)")
	f.Var(share{&p.MaxUnreachable, 0}, "max-unreachable", "begin no further host when more than so many could not be reached (default any)")
}

// share is a flag's value that is a number of hosts, or a part of them.
type share struct {
	of    **run.Share
	least int
}

// Set implements pflag.Value.
func (s share) Set(text string) error {
	read, err := run.ParseShare(text)
	if err == nil && read.Number < s.least {
		err = errors.New("must be 1 host or more")
	}
	if err == nil {
		*s.of = &read
	}
	return err
}

// String implements pflag.Value.
func (s share) String() string {
	if s.of == nil || *s.of == nil {
		return ""
	}
	return (*s.of).String()
}

// Type implements pflag.Value: how help names the value.
func (s share) Type() string { return "N|%" }

// shares is a flag's value that is several of them.
type shares []run.Share

// Set implements pflag.Value.
func (s *shares) Set(text string) error {
	*s = nil
	for _, part := range strings.Split(text, ",") {
		var read *run.Share
		if err := (share{&read, 1}).Set(strings.TrimSpace(part)); err != nil {
			return err
		}
		*s = append(*s, *read)
	}
	return nil
}

// String implements pflag.Value.
func (s *shares) String() string {
	var parts []string
	for _, one := range *s {
		parts = append(parts, one.String())
	}
	return strings.Join(parts, ",")
}

// Type implements pflag.Value.
func (s *shares) Type() string { return "STEPS" }
