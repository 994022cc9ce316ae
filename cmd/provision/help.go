package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpColumns is the width of help: that of the narrowest terminal in use.
const helpColumns = 80

// writeUsage writes the part of a command's help below its description.
func writeUsage(w io.Writer, command *cobra.Command, groups []flagGroup) {
	if command.HasAvailableSubCommands() {
		fmt.Fprintf(w, "Usage:\n  %s COMMAND\n", command.CommandPath())
	} else {
		fmt.Fprintf(w, "Usage:\n  %s\n", command.UseLine())
	}
	if command.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", command.Example)
	}
	if command.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nCommands:\n")
		for _, sub := range command.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-11s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	for _, group := range sections(command, groups) {
		if text := group.flags.FlagUsagesWrapped(helpColumns); text != "" {
			fmt.Fprintf(w, "\n%s:\n%s", group.title, text)
		}
	}
	if command.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s COMMAND --help tells more of each.\n", command.CommandPath())
	}
}

// sections are the flags that a command takes: its own, and those of its groups.
func sections(command *cobra.Command, groups []flagGroup) []flagGroup {
	own := newFlagSet()
	all := []flagGroup{{"Flags", own}}
	for _, group := range groups {
		if taken(command, group.title) {
			all = append(all, group)
		}
	}
	command.InheritedFlags() // gives the command those of its parents too
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if command.Root().PersistentFlags().Lookup(flag.Name) != flag {
			own.AddFlag(flag)
		}
	})
	return all
}
