package recipe

import (
	"fmt"
	"regexp"
	"strings"
)

// A host may have several of one task: shop@blue is the instance blue of shop, with variables, a memory
// and a line of its own in all that is told.

// InstanceForm is the form of an instance's name.
const InstanceForm = `[a-z0-9][a-z0-9_-]{0,31}`

var instanceForm = regexp.MustCompile("^" + InstanceForm + "$")

// SplitInstance splits the name of an instance; of a task as a whole the second is "".
func SplitInstance(name string) (task, instance string) {
	task, instance, _ = strings.Cut(name, "@")
	return task, instance
}

// Find finds the task of a name, or the instance of one: this is the place where a name becomes a task.
// Where there is none the problem says so, and the hint what to do; both are empty where by has no task
// of that name.
func Find(name string, by func(name string) (Task, bool)) (found Task, there bool, problem, hint string) {
	base, instance, instances := strings.Cut(name, "@")
	found, there = by(base)
	switch {
	case !there || !instances:
		return found, there, "", ""
	case found.Deployed != nil && found.Deployed.Instance == nil && found.Instances:
		return found, false, fmt.Sprintf("%q: a host has one %s: its releases lie in one place, %s", name, base, found.Deployed.Releases), "write " + base
	case !found.Instances:
		return found, false, fmt.Sprintf("%q: a host has one %s: it ships with provision, and nothing in it has an instance's name", name, base), "write " + base
	case !instanceForm.MatchString(instance):
		return found, false, fmt.Sprintf("%q: not an instance's name: %q", name, instance), "lower case letters, digits, - and _, as " + base + "@blue"
	}
	return found.instance(instance), true, "", ""
}

// Named is the name of a task that is built from the input: an instance's where it is one.
func (in Input) Named(task string) string {
	if in.Instance == "" {
		return task
	}
	return task + "@" + in.Instance
}

// instance is the task as one of several of it that a host has.
func (t Task) instance(name string) Task {
	of := t
	of.Name += "@" + name
	of.Formerly = nil
	for _, former := range t.Formerly {
		of.Formerly = append(of.Formerly, former+"@"+name)
	}
	if t.Deployed != nil {
		deployed := t.Deployed.Instance(name)
		of.Deployed = &deployed
	}
	of.Build = func(in Input) (Recipe, error) {
		in.Instance = name
		return t.Build(in)
	}
	if t.Verify != nil {
		of.Verify = func(in Input) ([]Check, error) {
			in.Instance = name
			return t.Verify(in)
		}
	}
	if t.After != nil {
		of.After = func(in Input) []string {
			in.Instance = name
			return t.After(in)
		}
	}
	return of
}
