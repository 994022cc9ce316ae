package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"provision/internal/recipe"
)

// The groups of flags that several verbs share. They may stand before the verb too, so the
// root knows them all; each verb says which of them it takes.
const (
	hostGroup       = "Hosts"
	inventoryGroup  = "Inventory"
	variableGroup   = "Variables"
	connectionGroup = "Connection"
	outputGroup     = "Output"
	unattendedGroup = "Unattended"
)

// flagGroup is a group of flags under its title.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

func newFlagSet() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.SortFlags = false
	return f
}

func (f *flags) groups() []flagGroup {
	return []flagGroup{
		{hostGroup, f.selection.hostFlags()},
		{inventoryGroup, f.selection.inventoryFlags()},
		{variableGroup, f.selection.variableFlags()},
		{connectionGroup, f.connection.flags()},
		{outputGroup, f.output.flags()},
		{unattendedGroup, f.unattended.flags()},
	}
}

// takes says which groups of flags a verb takes.
func takes(command *cobra.Command, groups ...string) *cobra.Command {
	command.Annotations = map[string]string{"flags": strings.Join(groups, " ")}
	return command
}

// onHosts are the groups of a verb that works on hosts.
var onHosts = []string{hostGroup, inventoryGroup, connectionGroup, outputGroup, unattendedGroup}

// withTasks are the groups of a verb that also reads variables.
var withTasks = append([]string{variableGroup}, onHosts...)

// taken reports whether a command, or one that it belongs to, takes a group.
func taken(command *cobra.Command, group string) bool {
	for ; command != nil; command = command.Parent() {
		if groups, said := command.Annotations["flags"]; said {
			return strings.Contains(" "+groups+" ", " "+group+" ")
		}
	}
	return false
}

// contradictions are flags that exclude each other, and why.
var contradictions = []struct{ one, other, hint string }{
	{"local", "hosts", "--local is this machine alone"},
	{"local", "limit", "--local is this machine alone"},
	{"local", "ask-password", "--local logs in nowhere"},
	{"hosts", "limit", "-H for hosts that are in no inventory, -l for those that are"},
	{"quiet", "verbose", "-q says less, -v more"},
	{"check", "yes", "--check changes nothing"},
	{"check", "plan", "the file is a plan already: look at it"},
	{"plan", "artifact", "a saved plan brings no release: provision deploy does, by itself"},
	{"artifact", "source", "a file to deploy, or a tree to build it from"},
	{"no-sudo", "ask-sudo-password", "--no-sudo needs no password"},
	{"no-sudo", "user", "--user becomes another by way of root"},
}

// checkFlags refuses flags that a command does not take, and those that exclude each other.
func checkFlags(command *cobra.Command, groups []flagGroup) error {
	for _, group := range groups {
		var refused *pflag.Flag
		group.flags.VisitAll(func(flag *pflag.Flag) {
			if flag.Changed && !taken(command, group.title) {
				refused = flag
			}
		})
		if refused != nil {
			return usage(fmt.Errorf("--%s: %s does not take it", refused.Name, command.CommandPath()), command.CommandPath()+" --help")
		}
	}
	var empty *pflag.Flag // as by --to "$VERSION" where VERSION is not set
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && flag.Value.Type() == "string" && flag.Value.String() == "" {
			empty = flag
		}
	})
	if empty != nil {
		return usage(fmt.Errorf("--%s: wants a value, and has an empty one", empty.Name), command.CommandPath()+" --help")
	}
	for _, pair := range contradictions {
		one, other := command.Flags().Lookup(pair.one), command.Flags().Lookup(pair.other)
		if one != nil && other != nil && one.Changed && other.Changed {
			return usage(fmt.Errorf("--%s and --%s: exclude each other", pair.one, pair.other), pair.hint)
		}
	}
	return checkValues(command)
}

// flagError says what is wrong with a flag. It does not repeat the value of one that takes
// none: that may be a password.
func flagError(command *cobra.Command, err error) error {
	if words := command.Flags().Args(); command.HasAvailableSubCommands() && len(words) > 0 {
		return verbless(command, words) // its flags are as unknown as it is
	}
	hint := command.CommandPath() + " --help"
	var value *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &value) && value.GetFlag().NoOptDefVal != "":
		err = fmt.Errorf("--%s: takes no value", value.GetFlag().Name)
	case errors.As(err, &value) && value.GetFlag().Value.Type() == "duration":
		err = fmt.Errorf("--%s %q: must be a time such as 90s or 5m", value.GetFlag().Name, value.GetValue())
	case errors.As(err, &value):
		err = fmt.Errorf("--%s %q: %w", value.GetFlag().Name, value.GetValue(), value.Unwrap())
	case errors.As(err, &missing):
		err = fmt.Errorf("%s: wants a value", dashed(missing.GetSpecifiedName()))
	case errors.As(err, &unknown):
		err = fmt.Errorf("%s: %s has no such flag", dashed(unknown.GetSpecifiedName()), command.CommandPath())
		hint = unknownFlagHint(command, unknown.GetSpecifiedName(), hint)
	}
	return usage(err, hint)
}

// unknownFlagHint says what to type in the place of a flag that a command does not have.
func unknownFlagHint(command *cobra.Command, name, otherwise string) string {
	if hint := otherFlag(command, name); hint != "" {
		return hint
	}
	var names []string
	command.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	if near := recipe.Nearest(name, names); near != "" && len(name) > 1 {
		return "did you mean --" + near + "?"
	}
	return otherwise
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// arguments is how many arguments a command takes; most below 0 is any number. What is too
// much is not repeated: it may be a secret.
func arguments(least, most int) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		wants := strings.TrimPrefix(command.Use, command.Name())
		hint := command.CommandPath() + " --help"
		if taken(command, hostGroup) && !command.Flags().Changed("hosts") && !command.Flags().Changed("limit") {
			hint = "a host goes with -H: " + command.CommandPath() + wants + " -H root@HOST"
		}
		switch {
		case len(args) < least:
			return usage(fmt.Errorf("%s: wants%s", command.CommandPath(), wants), command.CommandPath()+" --help")
		case most == 0 && len(args) > 0:
			return usage(fmt.Errorf("%s: takes no arguments", command.CommandPath()), hint)
		case most > 0 && len(args) > most:
			return usage(fmt.Errorf("%s: wants%s, found %d arguments", command.CommandPath(), wants, len(args)), hint)
		}
		return nil
	}
}

// number is a flag's value that has to be 1 or more.
type number int

// Set implements pflag.Value.
func (n *number) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		return errors.New("must be a number, 1 or more")
	}
	*n = number(value)
	return nil
}

// String implements pflag.Value.
func (n *number) String() string { return strconv.Itoa(int(*n)) }

// Type implements pflag.Value: how help names the value.
func (n *number) Type() string { return "N" }

// count is a flag's value that grows each time that the flag is given.
type count int

// Set implements pflag.Value.
func (c *count) Set(text string) error {
	if text != "true" {
		return errors.New("takes no value")
	}
	*c++
	return nil
}

// String implements pflag.Value.
func (c *count) String() string { return strconv.Itoa(int(*c)) }

// Type implements pflag.Value: to help it is a flag without a value.
func (c *count) Type() string { return "bool" }
