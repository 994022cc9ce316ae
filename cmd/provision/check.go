package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/project"
	"provision/internal/recipe"
	"provision/internal/run"
)

func newCheck(f *flags, io console) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "read all files and build all tasks, without any connection",
		Long: `Reads the inventory and the tasks beside it, and builds every task for every
host and for every release of Debian, as a run would before its first
connection: a name that there is not, an argument that cannot be meant, a
template that is missing, two tasks that want one path. A task that no host has
is built with its defaults. It connects to nothing; a secret for which no key
is at hand is taken as empty.`,
		Example: `  provision check
  provision check -l metrics`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error { return f.checkAll(io) },
	}
}

// withoutKeys decrypts what it can; what is for other keys is empty.
type withoutKeys struct{ inventory.Decrypter }

// Decrypt implements inventory.Decrypter.
func (w withoutKeys) Decrypt(text inventory.Ciphertext) (recipe.Secret, error) {
	secret, err := w.Decrypter.Decrypt(text)
	if errors.Is(err, inventory.ErrNoKey) {
		return recipe.Secret{}, nil
	}
	return secret, err
}

func (f *flags) checkAll(io console) error {
	all, err := f.selection.tasks()
	if err != nil {
		return err
	}
	hosts, err := f.hostsToCheck()
	if err != nil {
		return err
	}
	extra, err := f.selection.extras()
	if err != nil {
		return err
	}
	var refused project.Errors
	var work []run.Work
	given := map[string]bool{}
	for _, host := range hosts {
		its, err := all.find(host.Tasks)
		if err == nil {
			its, err = all.whole(its)
		}
		if err != nil {
			return err
		}
		values, err := all.valuesOf(host, its, extra)
		if err != nil {
			refused = append(refused, recipe.Within(host.Name, err))
			continue
		}
		for _, task := range its {
			given[task.Name] = true
		}
		work = append(work, workOf(host.Name, host.Groups, its, values))
	}
	for _, task := range all.own() {
		if given[task.Name] {
			continue
		}
		its, err := all.whole([]recipe.Task{task})
		if err != nil {
			return err
		}
		work = append(work, workOf("a host with its defaults", nil, its, all.defaults()))
	}
	refused = append(refused, distinct(run.Check(work))...)
	if len(refused) > 0 {
		return refused
	}
	checked := plural(len(all.own()), "own task")
	if len(hosts) > 0 {
		checked += ", " + plural(len(hosts), "host")
	}
	_, err = fmt.Fprintln(io.out, checked+": all can be built")
	return err
}

func workOf(name string, groups []string, its []recipe.Task, values map[string]recipe.Values) run.Work {
	return run.Work{
		Target:    run.Target{Name: name},
		Blueprint: run.Blueprint{Tasks: its, Values: values, Name: name, Groups: groups},
	}
}

// hostsToCheck are those that the flags name, or all of the inventory; none without one.
func (f *flags) hostsToCheck() ([]inventory.Host, error) {
	keys, err := f.selection.openKeys(nil) // nobody is asked
	if err != nil {
		return nil, err
	}
	inv, err := f.selection.open(withoutKeys{keys})
	if errors.Is(err, fs.ErrNotExist) && f.selection.namedInventory() == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if f.selection.named() {
		return f.selection.choose(inv, nil)
	}
	return inv.Hosts(), nil
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
