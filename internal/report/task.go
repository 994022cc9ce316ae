package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Tasks writes the tasks, a line each: what list prints.
func Tasks(w io.Writer, o Options, tasks []recipe.Task) error {
	p := newPage(o)
	columns := 0
	for _, task := range tasks {
		columns = max(columns, width(task.Name))
	}
	var lines []string
	for _, task := range tasks {
		first := p.paint.strong.Render(pad(task.Name, columns)) + "  "
		lines = append(lines, p.prose(first, task.Summary, p.paint.plain)...)
	}
	return writeLines(w, lines)
}

// Task writes all that there is to know of a task before it is installed: what list TASK
// prints.
func Task(w io.Writer, o Options, task recipe.Task) error {
	p := newPage(o)
	lines := p.prose(p.paint.strong.Render(task.Name)+"  ", task.Summary, p.paint.plain)
	if task.About != "" {
		for _, paragraph := range strings.Split(task.About, "\n\n") {
			lines = append(lines, "")
			lines = append(lines, p.prose("  ", paragraph, p.paint.plain)...)
		}
	}
	if len(task.Needs) > 0 {
		lines = append(lines, "")
		lines = append(lines, p.prose("  Needs ", strings.Join(task.Needs, ", ")+", which is installed with it", p.paint.plain)...)
	} else if len(task.Uses) > 0 {
		lines = append(lines, "")
		lines = append(lines, p.prose("  Uses ", strings.Join(task.Uses, ", "), p.paint.plain)...)
	}
	if len(task.Formerly) > 0 {
		lines = append(lines, "")
		lines = append(lines, p.prose("  Formerly ", strings.Join(task.Formerly, ", "), p.paint.plain)...)
	}
	if base, instance := recipe.SplitInstance(task.Name); task.Instances && instance == "" {
		lines = append(lines, "")
		lines = append(lines, p.prose("  Instances ", "as "+base+"@blue: a host may have several, each with variables of its own", p.paint.plain)...)
	}
	if task.Drain != nil {
		where := "by itself"
		if task.Drain.On != "" {
			where = "on the hosts with " + task.Drain.On
		}
		lines = append(lines, "")
		lines = append(lines, p.prose("  Drained ", where+" while a host that has it is changed", p.paint.plain)...)
	}
	if task.Example != "" {
		lines = append(lines, "", "  For example, as hosts.yaml:", "")
		for line := range strings.Lines(task.Example) {
			lines = append(lines, strings.TrimRight("    "+line, " \n"))
		}
	}
	for _, variable := range task.Variables {
		lines = append(lines, "")
		lines = append(lines, p.variable("  ", task.Name+"."+variable.Name, variable)...)
	}
	for _, action := range task.Actions {
		lines = append(lines, "")
		lines = append(lines, p.action(task.Name, action)...)
	}
	return writeLines(w, lines)
}

// action says how an action is run, what it does, and what it takes.
func (p page) action(task string, action recipe.Script) []string {
	lines := []string{"  " + p.paint.act.Render("provision do "+task+" "+action.Name)}
	if action.Help != "" {
		lines = append(lines, p.prose("      ", action.Help, p.paint.plain)...)
	}
	if action.Drains {
		lines = append(lines, p.prose("      ", "The host is drained while it runs.", p.paint.plain)...)
	}
	for _, argument := range action.Arguments {
		lines = append(lines, p.variable("      ", "-e "+argument.Name+"=…", argument)...)
	}
	return lines
}

func writeLines(w io.Writer, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// variable says a variable's name as -e takes it, its type and default, and what it does.
func (p page) variable(indent, name string, v recipe.Variable) []string {
	kind := string(v.Type)
	if v.Type == recipe.TypeRecords {
		kind = "list of " + v.Entry()
	}
	if len(v.Choices) > 0 {
		kind = strings.Join(v.Choices, " | ")
	}
	inline, below := p.defaultText(v)
	line := indent + p.paint.act.Render(name)
	lines := p.withDetails(line, p.join(kind, inline))
	lines = append(lines, p.prose(indent+"    ", v.Help, p.paint.plain)...)
	if len(below) > 0 {
		lines = append(lines, p.paint.faint.Render(indent+"    default:"))
	}
	for _, text := range below {
		lines = append(lines, p.prose(indent+"      ", text, p.paint.faint)...)
	}
	return lines
}

// defaultText says a variable's default beside its type, or, where it is a list of
// mappings, a line for each below its help.
func (p page) defaultText(v recipe.Variable) (inline string, below []string) {
	if v.Needed {
		return "has to be set", nil
	}
	switch value := v.Zero().(type) {
	case string:
		if value == "" {
			return "", nil
		}
		return "default " + value, nil
	case bool, int:
		return fmt.Sprintf("default %v", value), nil
	case []string:
		if len(value) == 0 {
			return "default empty", nil
		}
		return "default " + strings.Join(value, ", "), nil
	case []map[string]string:
		if len(value) == 0 {
			return "default empty", nil
		}
		for _, entry := range value {
			below = append(below, p.recordText(v.Keys(), entry))
		}
	}
	return "", below
}

// recordText says a mapping in the order of its fields.
func (p page) recordText(fields []string, entry map[string]string) string {
	if len(fields) == 0 {
		fields = slices.Sorted(maps.Keys(entry))
	}
	var words []string
	for _, field := range fields {
		if value, there := entry[field]; there {
			words = append(words, field+": "+value)
		}
	}
	return p.join(words...)
}
