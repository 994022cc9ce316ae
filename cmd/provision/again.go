package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"provision/internal/address"
	"provision/internal/run"
	"provision/internal/script"
)

// again returns the command to run just the hosts that did not end well once more: this
// one, with other hosts.
func (f *flags) again(e errand, results []run.Result) string {
	failed := map[string]bool{}
	for _, result := range results {
		if codeOf(result.Status, exitGood) != exitGood {
			failed[result.Host] = true
		}
	}
	if len(failed) == 0 || len(failed) == len(results) {
		return ""
	}
	var hosts []string
	for i, w := range e.work {
		if failed[w.Target.Name] {
			hosts = append(hosts, e.typed[i])
		}
	}
	option := "-l"
	if len(f.selection.hosts) > 0 {
		option = "-H"
	}
	return script.QuoteAll(f.typed.with(option, strings.Join(address.Fold(hosts), ","))...)
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
