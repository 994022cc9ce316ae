package inventory

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// OfTask is the condition that the inventory answers itself; all others are of facts of the hosts.
const OfTask = "task"

// Condition is a part of a limit that is no name: NAME=PATTERN. Names say which hosts may be meant, and of
// these a condition leaves those that it holds for, or with ! those that it does not.
type Condition struct {
	Name    string
	Pattern string
	Not     bool
}

// String is how it is typed.
func (c Condition) String() string {
	if c.Not {
		return "!" + c.Name + "=" + c.Pattern
	}
	return c.Name + "=" + c.Pattern
}

// Holds reports whether it holds for a host of which these are the values.
func (c Condition) Holds(values []string) bool {
	fits := slices.ContainsFunc(values, func(value string) bool {
		matched, _ := path.Match(c.Pattern, value) // SplitConditions has looked at the pattern
		return matched || value == c.Pattern
	})
	return fits != c.Not
}

// SplitConditions takes the conditions out of a limit. Facts are the names that there are beside task.
func SplitConditions(limit, facts []string) (names []string, conditions []Condition, err error) {
	for _, element := range limit {
		var rest []string
		for part := range strings.SplitSeq(element, ",") {
			name, pattern, is := strings.Cut(strings.Trim(part, " "), "=")
			if !is {
				rest = append(rest, part)
				continue
			}
			var c Condition
			c.Name, c.Not = strings.CutPrefix(name, "!")
			c.Pattern = strings.TrimPrefix(pattern, "=")
			if err := c.check(append([]string{OfTask}, facts...)); err != nil {
				return nil, nil, err
			}
			conditions = append(conditions, c)
		}
		if len(rest) > 0 {
			names = append(names, strings.Join(rest, ","))
		}
	}
	return names, conditions, nil
}

func (c Condition) check(known []string) error {
	refuse := func(problem, hint string) error {
		return &Error{What: fmt.Sprintf("limit %q", c), Problem: problem, Advice: hint}
	}
	_, bad := path.Match(c.Pattern, "")
	switch {
	case !slices.Contains(known, c.Name):
		hint := didYouMean(c.Name, known)
		if hint == "" {
			hint = "one of " + strings.Join(known, ", ")
		}
		return refuse(fmt.Sprintf("nothing of the name %q is known of a host", c.Name), hint)
	case c.Pattern == "":
		return refuse("has no value", "-l "+c.Name+"=VALUE")
	case bad != nil:
		return refuse("is not a pattern", "* is any text, ? one letter, [ab] one of these")
	}
	return nil
}

// WithTasks leaves the hosts for which conditions of tasks hold: a host has a task that the inventory gives
// it, and shop@blue is shop too. Such a task has to be one of those that there are.
func WithTasks(hosts []Host, conditions []Condition, known Known) ([]Host, error) {
	for _, c := range conditions {
		if c.Name != OfTask {
			continue
		}
		if !strings.ContainsAny(c.Pattern, "*?[\\") {
			if _, problem, hint := known.task(c.Pattern); problem != "" {
				return nil, &Error{What: fmt.Sprintf("limit %q", c), Problem: problem, Advice: hint}
			}
		}
		hosts = slices.DeleteFunc(slices.Clone(hosts), func(host Host) bool { return !c.Holds(tasksOf(host)) })
	}
	if len(hosts) == 0 {
		return nil, NoneHolds(conditions)
	}
	return hosts, nil
}

// tasksOf are the tasks of a host, those with instances also without.
func tasksOf(host Host) []string {
	tasks := slices.Clone(host.Tasks)
	for _, name := range host.Tasks {
		if base, instance := recipe.SplitInstance(name); instance != "" {
			tasks = append(tasks, base)
		}
	}
	return tasks
}

// NoneHolds is the error of a limit whose conditions leave no host.
func NoneHolds(conditions []Condition) error {
	var texts []string
	for _, c := range conditions {
		texts = append(texts, c.String())
	}
	return &Error{What: fmt.Sprintf("limit %q", strings.Join(texts, ",")), Problem: "holds for no host", Advice: "conditions hold together: 'release=1[23]' is one or the other; provision list shows what hosts have"}
}
