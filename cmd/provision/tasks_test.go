package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"provision/internal/recipe"
	"provision/tasks"
)

const tasksHead = `# Tasks

What ships, with each variable: what ` + "`provision list TASK`" + ` tells. The page is made of the same rows: ` + "`go test ./cmd/provision -run TasksPage -update`" + ` writes it anew.

A variable is set in ` + "`hosts.yaml`" + ` under ` + "`vars:`" + `, of all hosts, a group or one, or for one run by ` + "`-e TASK.VARIABLE=VALUE`" + ` ([which counts](reference.md#which-variables)). Tasks of your own stand beside these: [your first task](your-first-task.md).
`

// The reference of tasks is the one of their variables.
func TestTasksPageIsCurrent(t *testing.T) {
	const file = "../../docs/tasks.md"
	got := tasksPage(tasks.All())
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("go test ./cmd/provision -run TasksPage -update writes it anew: %s", diff)
	}
}

// tasksPage is the reference, in Markdown.
func tasksPage(all []recipe.Task) string {
	var out strings.Builder
	out.WriteString(tasksHead + "\n| task | |\n| --- | --- |\n")
	for _, task := range all {
		fmt.Fprintf(&out, "| [%s](#%s) | %s |\n", task.Name, task.Name, cell(task.Summary))
	}
	for _, task := range all {
		out.WriteString(taskSection(task))
	}
	return out.String()
}

func taskSection(task recipe.Task) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n## %s\n\n%s.\n", task.Name, prose(sentence(task.Summary)))
	if task.About != "" {
		fmt.Fprintf(&out, "\n%s\n", prose(task.About))
	}
	if len(task.Needs) > 0 {
		fmt.Fprintf(&out, "\nNeeds %s, which is installed with it.\n", linked(task.Needs))
	} else if len(task.Uses) > 0 {
		fmt.Fprintf(&out, "\nUses variables of %s.\n", linked(task.Uses))
	}
	if task.Instances {
		fmt.Fprintf(&out, "\nA host may have several, as `%s@blue`, each with variables of its own.\n", task.Name)
	}
	for _, part := range task.Parts {
		fmt.Fprintf(&out, "\nIt offers `%s` to tasks of your own: [kinds](kinds.md#%s).\n", task.Name+"."+part.Name, task.Name+part.Name)
	}
	out.WriteString(variablesTable("variable", task.Variables))
	for _, action := range task.Actions {
		fmt.Fprintf(&out, "\n### do %s %s\n\n`provision do %s %s`: %s\n", task.Name, action.Name, task.Name, action.Name, prose(action.Help))
		out.WriteString(variablesTable("argument, by -e", action.Arguments))
	}
	return out.String()
}

func variablesTable(head string, variables []recipe.Variable) string {
	if len(variables) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n| %s | type | |\n| --- | --- | --- |\n", head)
	for _, v := range variables {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", v.Name, cell(variableType(v)), cell(v.Help)+variableDefault(v))
	}
	return out.String()
}

func variableType(v recipe.Variable) string {
	switch {
	case v.Type == recipe.TypeRecords:
		return "list of " + v.Entry()
	case len(v.Choices) > 0:
		return strings.Join(v.Choices, ", ")
	}
	return string(v.Type)
}

// variableDefault is what counts where nobody sets a variable, as hosts.yaml would have it.
func variableDefault(v recipe.Variable) string {
	if v.Needed {
		return " **Has to be set.**"
	}
	var values []string
	switch value := v.Zero().(type) {
	case string:
		values = append(values, value)
	case bool, int:
		values = append(values, fmt.Sprint(value))
	case []string:
		values = value
	case []map[string]string:
		for _, entry := range value {
			var fields []string
			for _, key := range v.Keys() {
				if slices.Contains(slices.Collect(maps.Keys(entry)), key) {
					fields = append(fields, key+": "+entry[key])
				}
			}
			values = append(values, "{"+strings.Join(fields, ", ")+"}")
		}
	}
	for i, value := range values {
		if value == "" {
			return ""
		}
		values[i] = "`" + strings.ReplaceAll(value, "|", `\|`) + "`"
	}
	if len(values) == 0 {
		return ""
	}
	return " Default: " + strings.Join(values, ", ") + "."
}

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(prose(text), "|", `\|`) }

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func linked(names []string) string {
	var links []string
	for _, name := range names {
		links = append(links, fmt.Sprintf("[%s](#%s)", name, name))
	}
	return strings.Join(links, ", ")
}
