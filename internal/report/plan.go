package report

import (
	"fmt"
	"slices"
	"strings"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// planBody is the tree of what changes: a task, its resources, their differences.
func (p page) planBody(record *planned, brief, all bool) []string {
	var lines []string
	for _, task := range tasksOf(record.Resources) {
		part := p.planTask(task, record.Resources, brief, all)
		if len(part) == 0 {
			continue
		}
		if task != "" {
			lines = append(lines, "", "  "+p.paint.strong.Render(task))
		}
		lines = append(lines, part...)
	}
	return lines
}

// tasksOf returns the tasks in the order in which they begin.
func tasksOf(resources []resource) []string {
	var tasks []string
	for _, r := range resources {
		if !slices.Contains(tasks, r.Task) {
			tasks = append(tasks, r.Task)
		}
	}
	return tasks
}

func (p page) planTask(task string, resources []resource, brief, all bool) []string {
	var lines []string
	columns := kindColumns(task, resources, all)
	var waits waiting
	for _, r := range resources {
		if r.Task != task || r.Kind == same && !all || waits.add(r) {
			continue
		}
		lines = append(lines, p.planResource(r, columns)...)
		lines = append(lines, p.content("      ", r.Content, brief)...)
		if all {
			lines = append(lines, p.asked(r)...)
		}
	}
	for _, group := range waits {
		lines = append(lines, p.waits(group, columns)...)
	}
	return lines
}

// kindColumns is the width of the widest kind of a task's resources that are shown.
func kindColumns(task string, resources []resource, all bool) int {
	columns := 0
	for _, r := range resources {
		if r.Task == task && (r.Kind != same || all) {
			kind, _ := shortName(r.Resource)
			columns = max(columns, width(kind))
		}
	}
	return columns
}

// planResource is a line: sign, kind, name, and what differs. What does not fit beside the
// name goes below it.
func (p page) planResource(r resource, columns int) []string {
	kind, name := shortName(r.Resource)
	line := "  " + p.symbol(r.Kind) + " " + p.paint.faint.Render(pad(kind, columns)) + "  " + name
	return p.withDetails(line, p.details(r))
}

// withDetails puts faint words after a line, or below it when both are too wide.
func (p page) withDetails(line, details string) []string {
	if details == "" {
		return []string{line}
	}
	if p.width > 0 && width(line)+2+width(details) >= p.width {
		return append([]string{line}, p.prose("      ", details, p.paint.faint)...)
	}
	return []string{line + "  " + p.paint.faint.Render(details)}
}

// said are the summaries that the sign before a resource, and the diff below it, say too.
var said = map[recipe.ChangeKind]string{
	recipe.Create: "install",
	recipe.Update: "content differs",
	recipe.Act:    "run",
}

func (p page) details(r resource) string {
	var details []string
	if r.Kind == recipe.Becomes {
		details = append(details, "becomes this, from what is known after "+oneLine(r.Until))
	}
	if r.Summary != said[r.Kind] {
		details = append(details, oneLine(r.Summary))
	}
	for _, d := range r.Deltas {
		words := []string{d.Name}
		if d.Before != "" {
			words = append(words, d.Before)
		}
		if d.After != "" {
			words = append(words, p.sign.arrow, d.After)
		}
		details = append(details, oneLine(strings.Join(words, " ")))
	}
	if p.at {
		details = append(details, r.At)
	}
	return p.join(details...)
}

// waiting are the resources of which only the host can tell whether they change, in groups of those
// of which one line says all.
type waiting [][]resource

// add adds a resource that is one of these to its group.
func (w *waiting) add(r resource) bool {
	if r.Kind != recipe.MayBe && !asItIs(r) {
		return false
	}
	for i, group := range *w {
		if group[0].Until == r.Until && group[0].Kind == r.Kind {
			(*w)[i] = append(group, r)
			return true
		}
	}
	*w = append(*w, []resource{r})
	return true
}

// asItIs reports whether a resource is right now, and is made so again where it has to be.
func asItIs(r resource) bool { return r.Kind == recipe.Becomes && r.Summary == engine.AsItIs }

// waits says what only the host can tell, after an earlier step.
func (p page) waits(group []resource, columns int) []string {
	one, several := "may change", "may change"
	if asItIs(group[0]) {
		one, several = "stays as it is, or becomes so again", "stay as they are, or become so again"
	}
	known := ", known after " + oneLine(group[0].Until)
	line := "  " + p.symbol(recipe.MayBe) + " "
	if len(group) == 1 {
		kind, name := shortName(group[0].Resource)
		line += p.paint.faint.Render(pad(kind, columns)) + "  " + name
		return p.withDetails(line, one+known)
	}
	var names []string
	for _, r := range group {
		kind, name := shortName(r.Resource)
		names = append(names, kind+" "+name)
	}
	lines := []string{line + fmt.Sprintf("%d %s%s", len(names), several, known)}
	return append(lines, p.prose("      ", strings.Join(names, ", "), p.paint.faint)...)
}

func (p page) asked(r resource) []string {
	if len(r.Asks) == 0 {
		return nil
	}
	return p.prose("      ", "asked: "+oneLine(strings.Join(r.Asks, ", ")), p.paint.faint)
}

// planCounts is the line that ends a plan.
func (p page) planCounts(c counts) string {
	if c.changes() == 0 {
		return p.join("nothing to change", fmt.Sprintf("%d same", c.Same))
	}
	count := func(n int, words string) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf("%d %s", n, words)
	}
	return p.join(count(c.Create, "to create"), count(c.Update, "to update"), count(c.Delete, "to delete"),
		count(c.Act, "to run"), count(c.Becomes, "become as shown"), count(c.Maybe, "may change"), count(c.Same, "same"))
}
