package project

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"provision/internal/recipe"
)

// This file reads what a task says of tasks: those that it needs, and names that it had.

func (s *script) readNeeds() (err error) {
	s.needs, err = s.names(needsName, "names of tasks", "needs = [\"nginx\"]")
	return err
}

func (s *script) readFormerly() (err error) {
	s.formerly, err = s.names(formerlyName, "names that the task had", "formerly = [\"store\"]")
	return err
}

// names are a list of texts in the task's file, each once; none where it says nothing.
func (s *script) names(name, what, example string) ([]string, error) {
	value, there := s.file.globals[name]
	if !there {
		return nil, nil
	}
	list, ok := value.(*starlark.List)
	if !ok {
		return nil, s.refuse(name, name+": want a list, found "+value.Type(), example)
	}
	var names []string
	for one := range list.Elements() {
		text, ok := starlark.AsString(one)
		if !ok {
			return nil, s.refuse(name, fmt.Sprintf("%s: want %s, found %s", name, what, one), example)
		}
		if !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	return names, nil
}

// checkNeeds refuses needs that there are not, and those that go in a circle.
func (p *Project) checkNeeds() Errors {
	known := map[string][]string{}
	var names []string
	for _, task := range slices.Concat(p.shipped, p.tasks) {
		known[task.Name] = task.Needs
		names = append(names, task.Name)
	}
	var errs Errors
	for _, task := range p.tasks {
		for _, need := range task.Needs {
			if base, instance := recipe.SplitInstance(need); instance != "" {
				errs = append(errs, p.nameError(task, needsName, "needs: an instance is a host's own: "+need, fmt.Sprintf("needs = [%q], or in hosts.yaml tasks: [%s, %s]", base, need, task.Name)))
				continue
			}
			if _, there := known[need]; !there {
				advice := "provision list"
				if near := recipe.Nearest(need, names); near != "" && near != task.Name {
					advice = "did you mean " + near + "?"
				}
				errs = append(errs, p.nameError(task, needsName, fmt.Sprintf("needs: there is no task %q", need), advice))
			}
		}
		if way := circle(task.Name, known); way != nil {
			return Errors{p.nameError(task, needsName, "needs go in a circle: "+strings.Join(way, " needs "), "leave out one of them")}
		}
	}
	return errs
}

// checkFormerly refuses a former name that is still a task's, or that two tasks had.
func (p *Project) checkFormerly() Errors {
	var errs Errors
	had := map[string]string{}
	for _, task := range slices.Concat(p.shipped, p.tasks) {
		had[task.Name] = task.Name
	}
	for _, task := range p.tasks {
		for _, name := range task.Formerly {
			switch other := had[name]; {
			case !taskName.MatchString(name):
				errs = append(errs, p.nameError(task, formerlyName, fmt.Sprintf("formerly: not a task's name: %q", name), "formerly = [\"old-name\"]"))
			case other == name:
				errs = append(errs, p.nameError(task, formerlyName, "formerly: "+name+" is a task still", "remove that one's file, or leave out its name"))
			case other != "":
				errs = append(errs, p.nameError(task, formerlyName, "formerly: "+name+" is what "+other+" was too", "keep it in one of the two: what hosts noted of it is for one task"))
			}
			had[name] = task.Name
		}
	}
	return errs
}

// nameError is an error at the place of one of the names of a task's file.
func (p *Project) nameError(task recipe.Task, name, problem, advice string) error {
	for _, file := range []string{Folder + "/" + task.Name + ".star", Folder + "/" + task.Name + "/task.star"} {
		if m := p.modules[file]; m != nil {
			return &recipe.SourceError{At: p.global(m, name), Problem: problem, Advice: advice}
		}
	}
	return errors.New(problem)
}

// circle is a way by needs from a task back to it, nil where there is none.
func circle(start string, needs map[string][]string) []string {
	seen := map[string]bool{}
	var walk func(name string, way []string) []string
	walk = func(name string, way []string) []string {
		for _, need := range needs[name] {
			if need == start {
				return append(way, need)
			}
			if !seen[need] {
				seen[need] = true
				if found := walk(need, append(slices.Clone(way), need)); found != nil {
					return found
				}
			}
		}
		return nil
	}
	return walk(start, []string{start})
}
