package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/script"
)

// This file knows what those type who come from Ansible, Fabric, ssh or Terraform, and says
// what to type here. It refuses nothing that would otherwise be taken, but values that are of
// another kind than the flag's.

// otherVerbs are the verbs of other tools, and what does that here.
var otherVerbs = []struct{ words, hint string }{
	{"playbook converge setup", "provision install"},
	{"up boot", "provision lab up"},
	{"run shell command cmd sudo adhoc", "provision exec -l all -- COMMAND"},
	{"copy cp scp upload push", "provision put FILE PATH"},
	{"fetch download pull", "provision get PATH"},
	{"login connect", "provision ssh HOST"},
	{"ping", "provision exec -l all -- true"},
	{"diff preview status dry-run", "provision plan; of all hosts in one table: provision drift"},
	{"lint validate syntax", "provision check"},
	{"undo revert", "provision rollback TASK"},
	{"destroy uninstall purge delete", "provision remove TASK"},
	{"log logs history", "provision journal"},
	{"hosts inventory tasks doc", "provision list"},
	{"vault", "provision secret"},
	{"update upgrade", "provision install --upgrade"},
}

// otherFlags are flags of other tools, by letter or name, and what does that here. A row that
// is of some verbs only names them.
var otherFlags = []struct{ names, verbs, hint string }{
	{"r k t", "test", "long flags have two dashes: --run PATTERN is which tests"},
	{"u user remote-user", "", "who logs in stands before the host: -H USER@HOST"},
	{"p port", "", "the port stands behind the host: -H HOST:PORT"},
	{"J g gateway", "", "-o ProxyJump=HOST"},
	{"private-key key-file key-filename", "", "-i FILE"},
	{"inventory-file", "", "--inventory FILE"},
	{"T timeout", "", "-o ConnectTimeout=SECONDS"},
	{"connection c", "", "hosts are reached by ssh, and this machine with --local"},
	{"b become S sudo", "", "leave it out: all is done as root; -K asks for a sudo password"},
	{"k ask-pass prompt-for-login-password", "", "--ask-password"},
	{"ask-become-pass prompt-for-sudo-password", "", "-K"},
	{"ask-vault-pass vault-password-file vault-id", "", "--key FILE is the private key for the inventory's secrets"},
	{"D diff", "", "leave it out: every diff is shown"},
	{"n dry-run syntax-check", "", "provision plan"},
	{"y yes a auto-approve force assume-yes", "apply", "leave it out: the file was looked at, and nobody is asked"},
	{"a auto-approve force assume-yes", "install deploy rollback", "long flags have two dashes: --yes goes ahead without asking"},
	{"m module-name a args", "exec", "there are no modules: provision exec -l all -- COMMAND"},
	{"t tty", "exec", "leave it out: no terminal is made on the host"},
	{"t tags skip-tags start-at-task step", "", "name the tasks: provision install nginx redis"},
	{"list-tasks list-tags", "", "provision list"},
	{"P parallel z pool-size serial", "", "-f N is how many hosts are worked on at once"},
	{"x exclude-hosts", "", "-l 'all,!HOST'"},
	{"hide", "", "-q"},
	{"limit-from", "", "-l @FILE, or -l @- for standard input"},
}

// otherValues are values that flags of the same name have in other tools.
var otherValues = []struct {
	flag          string
	form          *regexp.Regexp
	problem, hint string // $1 is of form
}{
	{"limit", regexp.MustCompile(`^[^:@=]+(:[&!]?[^:@0-9][^:@]*)+$`), "is no host of the inventory", "commas stand between names, and ! before one that is left out: -l 'web,!web3'"},
	{"hosts", regexp.MustCompile(`^@(.+)$`), "is no host", `-H "$$(paste -sd, $1)"`},
	{"identity", regexp.MustCompile(`,`), "is no private key", "hosts go with -H: -H web1,web2"},
	{"identity", regexp.MustCompile(`\.(ini|ya?ml|toml|json|cfg)$`), "is no private key", "an inventory goes with --inventory, also one of Ansible's"},
	{"extra-var", regexp.MustCompile(`^@`), "is no variable", "write variables into the inventory, under vars:; -e TASK.VARIABLE=@FILE reads a secret"},
}

// otherVerb says what does here what a verb of another tool does, "" for one that is unknown.
func otherVerb(word string) string {
	for _, row := range otherVerbs {
		if slices.Contains(strings.Fields(row.words), word) {
			return row.hint
		}
	}
	return ""
}

// otherFlag says what does here what a flag of another tool does, "" for one that is unknown.
func otherFlag(command *cobra.Command, name string) string {
	for _, row := range otherFlags {
		if (row.verbs == "" || slices.Contains(strings.Fields(row.verbs), command.Name())) && slices.Contains(strings.Fields(row.names), name) {
			return row.hint
		}
	}
	return ""
}

// checkValues refuses values that flags have in other tools.
func checkValues(command *cobra.Command) error {
	for _, row := range otherValues {
		flag := command.Flags().Lookup(row.flag)
		if flag == nil || !flag.Changed {
			continue
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			if found := row.form.FindStringSubmatchIndex(value); found != nil {
				hint := row.form.ExpandString(nil, row.hint, value, found)
				return usage(fmt.Errorf("-%s %s: %s", flag.Shorthand, value, row.problem), string(hint))
			}
		}
	}
	return nil
}

// meantHosts completes the hint of an error of names that are no tasks, where they may be
// hosts: they are in the inventory, look like an address, or stand behind a task.
func (f *flags) meantHosts(names []string, err error) error {
	if f.selection.named() {
		return err
	}
	tasks, failure := f.selection.tasks()
	if failure != nil {
		return failure
	}
	all := tasks.names()
	isTask := func(name string) bool { return slices.Contains(all, name) }
	strangers := slices.DeleteFunc(slices.Clone(names), isTask)
	meant := f.typed
	meant.arguments = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !isTask(name) })
	again := func(option string) string {
		return script.QuoteAll(meant.with(option, strings.Join(strangers, ","))...)
	}
	inv, failure := f.selection.open(&inventory.Keys{})
	if failure == nil {
		if _, failure = inv.Select(strangers); failure == nil {
			return usage(errors.Unwrap(err), "it is in the inventory: "+again("-l"))
		}
	}
	near := recipe.Nearest(strangers[0], all) != ""
	if strings.ContainsAny(strangers[0], "@.:") || len(meant.arguments) > 0 && !near {
		return usage(errors.Unwrap(err), "a host goes with -H: "+again("-H"))
	}
	return err
}
