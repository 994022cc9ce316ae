package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"provision/internal/inventory"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/run"
)

// registerMemory adds the flags that say what becomes of what a host remembers.
func (r *runFlags) registerMemory(command *cobra.Command) {
	command.Flags().BoolVar(&r.takeOver, "take-over", false, "what was noted for another inventory, or what others may want, goes too when it is no longer wanted")
	command.Flags().BoolVar(&r.adopt, "adopt", false, "of a host that an older provision worked on: what is there now comes back when no task wants it")
}

func newRemove(f *flags, io console) *cobra.Command {
	command := &cobra.Command{
		Use:   "remove TASK...",
		Short: "take away all that a task brought, as if it had never been",
		Long: `Takes away what each host remembers that the task wanted, and no other task
wants: after the plan with its diffs was shown, in reverse order, checked, put
back and journaled as any change. What stood there before the task comes back.
Packages, accounts and the secrets that were made on the host stay, unless
--purge takes those that came for the task; what commands did and the releases
of a deploy stay. A task that another one needs goes only together with that;
one that came for others alone goes with the last of them.
Then what hosts.yaml gives the host besides has to work. provision rollback
TASK takes a removal back, but for files that bore a secret: no copy of these
is kept, and an install makes them again.`,
		Example: `  provision remove nginx -H root@web1
  provision remove redis -l cache --purge -y`,
		Args: arguments(1, -1),
		RunE: func(command *cobra.Command, args []string) error {
			e, err := f.removal(io, args)
			if err != nil {
				return err
			}
			return f.change(command.Context(), io, "remove", e, run.Install)
		},
	}
	f.run.registerChanges(command)
	command.Flags().BoolVar(&f.run.purge, "purge", false, "packages, accounts and secrets that came for the task too")
	command.Flags().BoolVar(&f.run.takeOver, "take-over", false, "also what was noted for another inventory, or what others may want")
	return command
}

// taskForm is the form of a task's name: a host may remember one that this program does not know.
var taskForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}(@` + recipe.InstanceForm + `)?$`)

// removal pairs every chosen host with the tasks that are to go.
func (f *flags) removal(io console, names []string) (errand, error) {
	all, err := f.selection.tasks()
	if err != nil {
		return errand{}, err
	}
	var named []recipe.Task
	for _, name := range names {
		known, err := all.find([]string{name})
		if err != nil && (!taskForm.MatchString(name) || !f.selection.named() || all.now(name) != "") {
			return errand{}, err
		}
		if has(named, name) {
			return errand{}, usage(fmt.Errorf("%q: is named twice", name), "name it once")
		}
		named = append(named, append(known, recipe.Task{Name: name})[0])
	}
	needing, err := all.needing(named)
	if err != nil {
		return errand{}, err
	}
	return f.errand(io, named, nil, func(host inventory.Host) (run.Blueprint, error) {
		blueprint, err := all.removal(host, named, needing)
		blueprint.Remembering = f.remembering(host)
		return blueprint, err
	})
}

// removal is what a host should be without some tasks.
func (c catalogue) removal(host inventory.Host, named []recipe.Task, needing []recipe.Task) (run.Blueprint, error) {
	gone := run.Blueprint{Needing: needing, Values: map[string]recipe.Values{}, All: c}
	ordered, err := c.whole(named)
	if err != nil {
		return gone, err
	}
	for _, task := range ordered { // as they are installed: they go in reverse order
		if has(named, task.Name) {
			gone.Removes = append(gone.Removes, task)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(host.Tasks), func(name string) bool { return has(named, name) })
	given, err := c.besides(inventory.Host{Tasks: rest}, named)
	if err != nil {
		return gone, err
	}
	gone.Given = catalogue(given).names()
	gone.Others, err = c.besides(host, named)
	if err != nil {
		return gone, err
	}
	gone.ValuesOf = func(task recipe.Task) (map[string]recipe.Values, error) {
		return c.valuesOf(host, []recipe.Task{task}, nil)
	}
	var by []string
	for _, task := range gone.Others {
		if base, _ := recipe.SplitInstance(task.Name); has(needing, base) {
			by = append(by, task.Name)
		}
	}
	if len(by) > 0 {
		needed := &run.NeededError{By: by}
		for _, task := range gone.Removes {
			needed.Removes = append(needed.Removes, task.Name)
		}
		return gone, usage(fmt.Errorf("%s: %w", host.Name, needed), needed.Hint())
	}
	if gone.Remaining, err = c.provable(host, gone.Others, nil, gone.Values); err != nil {
		return gone, err
	}
	others, err := c.besides(host, ordered)
	if err == nil {
		gone.Drains, err = c.drains(host, ordered, others, gone.Values)
	}
	return gone, err
}

// provable are those of a host's tasks of which all variables can be read, into values: who has no key for one
// cannot prove it.
func (c catalogue) provable(host inventory.Host, its []recipe.Task, extra []inventory.Extra, values map[string]recipe.Values) ([]recipe.Task, error) {
	var provable []recipe.Task
	for _, task := range its {
		read, err := c.valuesOf(host, []recipe.Task{task}, extra)
		if errors.Is(err, inventory.ErrNoKey) {
			continue
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(values, read)
		provable = append(provable, task)
	}
	return provable, nil
}

// besides are the tasks that the inventory gives a host beside some, with those that they need.
func (c catalogue) besides(host inventory.Host, some []recipe.Task) ([]recipe.Task, error) {
	its, err := c.find(host.Tasks)
	if err != nil {
		return nil, err
	}
	its, err = c.whole(its)
	return slices.DeleteFunc(its, func(task recipe.Task) bool { return has(some, task.Name) }), err
}

// needing are the tasks that need one of some, and are none of them.
func (c catalogue) needing(named []recipe.Task) ([]recipe.Task, error) {
	var needing []recipe.Task
	for _, task := range c {
		whole, err := c.whole([]recipe.Task{task})
		if err != nil {
			return nil, err
		}
		if !has(named, task.Name) && slices.ContainsFunc(whole, func(t recipe.Task) bool { return has(named, t.Name) }) {
			needing = append(needing, task)
		}
	}
	return needing, nil
}

func has(tasks []recipe.Task, name string) bool {
	return slices.ContainsFunc(tasks, func(t recipe.Task) bool { return t.Name == name })
}

// remembering is how a run deals with what a host remembers.
func (f *flags) remembering(host inventory.Host) run.Remembering {
	r := run.Remembering{From: memory.AdHoc, TakeOver: f.run.takeOver, Adopt: f.run.adopt, Purge: f.run.purge}
	if f.selection.adHoc() || host.Added {
		return r
	}
	file := f.selection.path()
	if whole, err := filepath.Abs(file); err == nil {
		file = whole
	}
	// Not the whole path: another checkout is the same project.
	r.From = fmt.Sprintf("%s/%s %s", filepath.Base(filepath.Dir(file)), filepath.Base(file), host.Name)
	return r
}
