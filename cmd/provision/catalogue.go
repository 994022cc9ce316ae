package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"provision/internal/inventory"
	"provision/internal/project"
	"provision/internal/recipe"
	"provision/tasks"
)

// catalogue are the tasks that there are: those that ship, and those of the project.
type catalogue []recipe.Task

// readCatalogue reads the project's own tasks, which are beside the inventory.
func readCatalogue(inventory string, print func(string)) (catalogue, error) {
	own, err := openProject(inventory, print)
	if err != nil {
		return nil, err
	}
	return with(own), nil
}

// openProject reads the project beside an inventory.
func openProject(inventory string, print func(string)) (*project.Project, error) {
	return project.Open(filepath.Dir(inventory), project.Options{
		Shipped: tasks.All(),
		Print:   func(at recipe.Position, text string) { print(at.Short() + ": " + text) },
	})
}

// with are the tasks that ship, and a project's.
func with(own *project.Project) catalogue { return append(catalogue(tasks.All()), own.Tasks()...) }

// known are all tasks, by name.
func (c catalogue) known() inventory.Known {
	k := inventory.Known{}
	for _, task := range c {
		k[task.Name] = task
	}
	return k
}

func (c catalogue) names() []string {
	var names []string
	for _, task := range c {
		names = append(names, task.Name)
	}
	return names
}

// errNoTask applies to a name that is no task's.
var errNoTask = errors.New("no such task")

// find returns the tasks of that name.
func (c catalogue) find(names []string) ([]recipe.Task, error) {
	var found []recipe.Task
	for _, name := range names {
		task, there, problem, hint := recipe.Find(name, c.task)
		if problem != "" {
			return nil, usage(errors.New(problem), hint)
		}
		if !there {
			err := fmt.Errorf("%q: %w", name, errNoTask)
			if now := c.now(name); now != "" {
				return nil, usage(err, "it is called "+now+" now")
			}
			base, instance := recipe.SplitInstance(name)
			if near := recipe.Nearest(base, c.names()); near != "" {
				return nil, usage(err, "did you mean "+recipe.Input{Instance: instance}.Named(near)+"?")
			}
			return nil, usage(err, "provision list")
		}
		if slices.Contains(names[:len(found)], name) {
			return nil, usage(fmt.Errorf("%q: is named twice", name), "name it once")
		}
		found = append(found, task)
	}
	return found, nil
}

// task is the one of a name.
func (c catalogue) task(name string) (recipe.Task, bool) {
	at := slices.IndexFunc(c, func(task recipe.Task) bool { return task.Name == name })
	if at < 0 {
		return recipe.Task{}, false
	}
	return c[at], true
}

// now is the name of the task that had another, "" where none had.
func (c catalogue) now(name string) string {
	base, instance := recipe.SplitInstance(name)
	for _, task := range c {
		if slices.Contains(task.Formerly, base) {
			return recipe.Input{Instance: instance}.Named(task.Name)
		}
	}
	return ""
}

// whole returns tasks with those that they need, each behind what it needs.
func (c catalogue) whole(named []recipe.Task) ([]recipe.Task, error) {
	var all []recipe.Task
	for _, task := range named {
		needs, err := c.find(task.Needs)
		if err != nil {
			return nil, err
		}
		needs, err = c.whole(needs) // they go in no circle: the project was checked
		if err != nil {
			return nil, err
		}
		for _, one := range append(needs, task) {
			if !slices.ContainsFunc(all, func(t recipe.Task) bool { return t.Name == one.Name }) {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// listed is what the inventory says of a host.
func (c catalogue) listed(host inventory.Host) recipe.Listed {
	its, _ := c.besides(host, nil) // it has been read: its tasks are known
	return recipe.Listed{Name: host.Name, Address: host.Address.Host, Groups: host.Groups, Tasks: catalogue(its).names()}
}

// read returns the names of tasks and of all that they use: those whose variables they
// read.
func (c catalogue) read(built []recipe.Task) ([]string, error) {
	var names []string
	for len(built) > 0 {
		task := built[0]
		built = built[1:]
		if slices.Contains(names, task.Name) {
			continue
		}
		names = append(names, task.Name)
		uses, err := c.find(task.Uses)
		if err != nil {
			return nil, err
		}
		built = append(built, uses...)
	}
	return names, nil
}

// findTask returns the task of a name.
func (f *flags) findTask(name string) (recipe.Task, error) {
	all, err := f.selection.tasks()
	if err != nil {
		return recipe.Task{}, err
	}
	found, err := all.find([]string{name})
	if err != nil {
		return recipe.Task{}, err
	}
	return found[0], nil
}

// own are the project's tasks.
func (c catalogue) own() catalogue {
	shipped := catalogue(tasks.All()).names()
	return slices.DeleteFunc(slices.Clone(c), func(task recipe.Task) bool { return slices.Contains(shipped, task.Name) })
}
