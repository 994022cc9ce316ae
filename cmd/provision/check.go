package main

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/project"
	"provision/internal/recipe"
	"provision/internal/report"
	"provision/internal/run"
)

func newCheck(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "read all files and build all tasks, without any connection",
		Long: `Reads the inventory and the tasks beside it, and builds every task for every
host and for every release of Debian, as a run would before its first
connection: a name that there is not, an argument that cannot be meant, a
template that is missing, two tasks that want one path. A task that no host has
is built with its defaults. It connects to nothing; of a secret for which no
key is at hand it makes up the text.`,
		Example: `  provision check
  provision check -l metrics`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return f.checkAll(io) },
	}
	f.connection.registerFile(command)
	return command
}

// withoutKeys decrypts what it can; of what is for other keys it makes something up.
type withoutKeys struct{ inventory.Decrypter }

// Decrypt implements inventory.Decrypter.
func (w withoutKeys) Decrypt(text inventory.Ciphertext) (recipe.Secret, error) {
	secret, err := w.Decrypter.Decrypt(text)
	if errors.Is(err, inventory.ErrNoKey) {
		return recipe.UnknownSecret(), nil
	}
	return secret, err
}

func (f *flags) checkAll(io console) error {
	all, err := f.selection.tasks()
	if err != nil {
		return err
	}
	extra, err := f.selection.extras()
	if err != nil {
		return err
	}
	inv, hosts, err := f.hostsToCheck()
	if err != nil {
		return err
	}
	if f.selection.list {
		return f.nameHosts(io, hosts)
	}
	c := checking{catalogue: all, extra: extra, given: map[string]bool{}}
	near := neighbours{catalogue: all, hosts: inv.Hosts(), chosen: hosts, adHoc: len(inv.Hosts()) == 0, extra: extra, found: new(sync.Map)}
	for _, host := range hosts {
		if err := c.add(host.Name, host, host.Tasks, near); err != nil {
			c.refused = append(c.refused, recipe.Within(host.Name, err))
		}
	}
	notBuilt := ""
	for _, task := range all.own() {
		if c.given[task.Name] {
			continue
		}
		// Of a host that is in no group, as with -H.
		nowhere, err := inv.AdHoc([]string{"nowhere"})
		if err != nil {
			return err
		}
		alone := neighbours{catalogue: all, chosen: nowhere, adHoc: true, named: []recipe.Task{task}, extra: extra, found: new(sync.Map)}
		if err := c.add("no host has it", nowhere[0], []string{task.Name}, alone); err != nil {
			notBuilt += fmt.Sprintf("%s: not built: no host has it, and %v\n", task.Name, err)
		}
	}
	failed, unknown := run.Check(c.work)
	c.refused = append(c.refused, distinct(failed)...)
	for _, err := range distinct(unknown) {
		notBuilt += fmt.Sprintf("not built before the host is asked: %v\n", err)
	}
	if len(c.refused) > 0 {
		return c.refused
	}
	checked := plural(len(all.own()), "own task")
	if len(hosts) > 0 {
		checked += ", " + plural(len(hosts), "host")
	}
	_, err = fmt.Fprint(io.out, report.Sanitize(notBuilt), checked, ": all can be built\n")
	return err
}

// checking are the builds of a check.
type checking struct {
	catalogue
	extra   []inventory.Extra
	given   map[string]bool // the tasks that are built
	work    []run.Work
	refused project.Errors
}

// add adds what a host has.
func (c *checking) add(name string, host inventory.Host, tasks []string, near neighbours) error {
	its, err := c.find(tasks)
	if err == nil {
		its, err = c.whole(its)
	}
	if err != nil {
		return err
	}
	values, err := c.valuesOf(host, its, c.extra)
	if err != nil {
		return err
	}
	for _, task := range its {
		base, _ := recipe.SplitInstance(task.Name)
		c.given[base] = true
	}
	c.work = append(c.work, run.Work{
		Target:    run.Target{Name: name},
		Blueprint: run.Blueprint{Tasks: its, Values: values, Host: c.listed(host), Peers: near.of(host)},
	})
	return nil
}

// hostsToCheck are those that the flags name, or all of the inventory; none without one.
func (f *flags) hostsToCheck() (*inventory.Inventory, []inventory.Host, error) {
	keys, err := f.selection.openKeys(nil) // nobody is asked
	if err != nil {
		return nil, nil, err
	}
	inv, err := f.selection.open(withoutKeys{keys})
	if err != nil {
		return nil, nil, err
	}
	if !f.selection.named() {
		return inv, inv.Hosts(), nil
	}
	hosts, err := f.selection.choose(inv, nil, asksNobody)
	return inv, hosts, err
}

// distinct leaves out what is wrong in one place for several hosts.
func distinct(all []error) []error {
	var some []error
	seen := map[string]bool{}
	for _, err := range all {
		key := err.Error()
		var source *recipe.SourceError
		if errors.As(err, &source) && source.At.File != "" {
			key = source.At.String() + source.Problem
			err = source
		}
		if !seen[key] {
			some = append(some, err)
		}
		seen[key] = true
	}
	return some
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
