package main

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"provision/internal/address"
	"provision/internal/report"
	"provision/internal/script"
)

// mostNamed is how many characters of names again shows: of more, what means the same hosts is shorter.
const mostNamed = 120

// again returns the command to run just the hosts that did not end well once more: this
// one, with other hosts. For others than the person who typed it, it is without what exec was to do: there may be a
// password in that.
func (f *flags) again(e errand, ended report.PastRun) (typed, told string) {
	var hosts []string
	for i, host := range ended.Hosts {
		if !good(host.Status) {
			hosts = append(hosts, e.typed[i])
		}
	}
	if len(hosts) == 0 || len(hosts) == len(ended.Hosts) {
		return "", ""
	}
	names, option := strings.Join(address.Fold(hosts), ","), "-H"
	if len(f.selection.hosts) == 0 {
		option = "-l"
		if len(names) > mostNamed {
			names = cmp.Or(f.byTheirEnds(e, ended), names)
		}
	}
	typed = script.QuoteAll(f.typed.with(option, names)...)
	if !f.typed.command {
		return typed, typed
	}
	less := f.typed
	less.arguments = nil
	return typed, script.QuoteAll(less.with(option, names)...) + " …"
}

// byTheirEnds returns what of -l means exactly the hosts that did not end well in a run, by how they ended; "" where
// nothing does, or the run cannot be remembered.
func (f *flags) byTheirEnds(e errand, ended report.PastRun) string {
	past, err := pastRunsOf(f.selection)
	if err != nil || !past.isBegun(ended.ID) {
		return ""
	}
	runs, err := past.all()
	if err != nil && !errors.Is(err, errNoRun) {
		return ""
	}
	var bad, failed, notBegun, both []string
	for _, host := range ended.Hosts {
		if !good(host.Status) {
			bad = append(bad, host.Host)
		}
	}
	for _, host := range standing(append(runs, ended)) {
		if !e.listed(host.host) {
			continue
		}
		both = append(both, host.host)
		if host.failed != nil {
			failed = append(failed, host.host)
		}
		if host.notBegun {
			notBegun = append(notBegun, host.host)
		}
	}
	switch {
	case same(bad, failed):
		return "@failed"
	case same(bad, notBegun):
		return "@notbegun"
	case same(bad, both):
		return "@failed,@notbegun"
	}
	return ""
}

// same reports whether two have the same names.
func same(some, others []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(some)), slices.Sorted(slices.Values(others)))
}

// typed is what was typed, in words that mean the same: where it is kept, the flags are as
// cobra read them and nothing has completed them yet.
type typed struct {
	verb, flags, arguments []string
	command                bool // the arguments are a command, whose flags are its own
	onHosts                bool // it works on hosts
}

func typedBy(command *cobra.Command) typed {
	t := typed{
		verb: strings.Fields(command.CommandPath()), arguments: command.Flags().Args(),
		command: strings.Contains(command.Use, "COMMAND"), onHosts: taken(command, unattendedGroup),
	}
	command.Flags().SortFlags = false // Visit goes in the order in which they were typed
	command.Flags().Visit(func(flag *pflag.Flag) {
		if flag.Name != "hosts" && flag.Name != "limit" {
			t.flags = append(t.flags, flagWords(flag)...)
		}
	})
	return t
}

// with returns the command line with these flags more.
func (t typed) with(flags ...string) []string {
	if t.command {
		return slices.Concat(t.verb, t.flags, flags, []string{"--"}, t.arguments)
	}
	return slices.Concat(t.verb, t.arguments, t.flags, flags)
}

// flagWords are the words that set a flag to the value that it has.
func flagWords(flag *pflag.Flag) []string {
	name := "--" + flag.Name
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand
	}
	switch value := flag.Value.(type) {
	case pflag.SliceValue:
		var words []string
		for _, one := range value.GetSlice() {
			words = append(words, name, one)
		}
		return words
	case *count:
		return []string{"-" + strings.Repeat(flag.Shorthand, int(*value))}
	}
	if flag.NoOptDefVal == "" {
		return []string{name, flag.Value.String()}
	}
	if set, err := strconv.ParseBool(flag.Value.String()); err == nil && set {
		return []string{name}
	}
	return []string{"--" + flag.Name + "=" + flag.Value.String()}
}
