package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/tasks"
)

const tasksHead = `# Tasks

What ships. Each has a page: what it does, a whole example, each variable, what ` + "`verify`" + ` proves, what it writes on a host and what stays when it is removed. ` + "`provision list TASK`" + ` tells most of it in the terminal.

A variable is set in ` + "`hosts.yaml`" + ` under ` + "`vars:`" + `, of all hosts, a group or one, or for one run by ` + "`-e TASK.VARIABLE=VALUE`" + ` ([which counts](reference.md#which-variables)). Tasks of your own stand beside these: [your first task](your-first-task.md).
`

// madeBy says to who would mend a page what writes it.
func madeBy(run string) string {
	return "\n<!-- go test ./cmd/provision -run " + run + " -update writes this page, but for what is by hand -->\n"
}

// The reference of tasks is the one of their variables, recipes and checks.
func TestTasksPageIsCurrent(t *testing.T) {
	all := tasks.All()
	pages := map[string]string{"tasks.md": tasksIndex(all) + madeBy("TasksPage")}
	for _, task := range all {
		pages["tasks/"+task.Name+".md"] = taskPage(t, all, task) + madeBy("TasksPage")
	}
	current(t, "TasksPage", pages)
}

func tasksIndex(all []recipe.Task) string {
	var out strings.Builder
	out.WriteString(tasksHead + "\n| task | |\n| --- | --- |\n")
	for _, task := range all {
		fmt.Fprintf(&out, "| [%s](tasks/%s.md) | %s |\n", task.Name, task.Name, cell(task.Summary))
	}
	return out.String()
}

// taskPage is the reference of one, in Markdown.
func taskPage(t *testing.T, all []recipe.Task, task recipe.Task) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, "# %s\n\n%s.\n\n%s\n", task.Name, prose(sentence(task.Summary)), prose(task.About))
	if len(task.Needs) > 0 {
		fmt.Fprintf(&out, "\nNeeds %s, which is installed with it.\n", linked(task.Needs))
	}
	if task.Instances {
		fmt.Fprintf(&out, "\nA host may have several, as `%s@blue`, each with variables of its own.\n", task.Name)
	}
	for _, part := range task.Parts {
		fmt.Fprintf(&out, "\nIt offers [%s](../kinds/%s.md) to tasks of your own.\n", task.Name+"."+part.Name, task.Name+"."+part.Name)
	}
	out.WriteString(exampleSection(t, task))
	if table := variablesTable("variable", task.Variables); table != "" {
		out.WriteString("\n## Variables\n\nIn `hosts.yaml` each is `" + task.Name + ".NAME`.\n" + table)
	}
	for i, action := range task.Actions {
		if i == 0 {
			out.WriteString("\n## Actions\n")
		}
		fmt.Fprintf(&out, "\n### do %s %s\n\n`provision do %s %s`: %s\n", task.Name, action.Name, task.Name, action.Name, prose(action.Help))
		out.WriteString(variablesTable("argument, by -e", action.Arguments))
	}
	built := buildExample(t, task)
	out.WriteString(built.verifySection() + built.hostSection())
	out.WriteString("\n## See also\n\n")
	if near := kin(all, task); len(near) > 0 {
		out.WriteString(linked(near) + "; ")
	}
	out.WriteString("[which variables count](../reference.md#which-variables), [how a run goes](../how-a-run-goes.md), [all tasks](../tasks.md).\n")
	return out.String()
}

// exampleSection has all files of the example, with the commands behind its hosts.yaml.
func exampleSection(t *testing.T, task recipe.Task) string {
	t.Helper()
	folder := examplesFolder + task.Name
	var out strings.Builder
	fmt.Fprintf(&out, "\n## Example\n\nA whole `hosts.yaml`, with addresses to make yours; tests install it, from `tasks/examples/%s` of the source:\n\n```yaml\n%s```\n\n", task.Name, task.Example)
	out.WriteString(byHand(t, "tasks/"+task.Name+".md"))
	err := filepath.WalkDir(folder, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "hosts.yaml" {
			return err
		}
		text, err := os.ReadFile(file)
		language := map[string]string{".star": "starlark", ".py": "python"}[path.Ext(file)]
		fmt.Fprintf(&out, "\n`%s`, beside it:\n\n```%s\n%s```\n", strings.TrimPrefix(file, folder+"/"), language, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// kin are the tasks that one has to do with: what it needs or uses, what needs or uses it, and what is
// beside it in its example.
func kin(all []recipe.Task, task recipe.Task) []string {
	var names []string
	for _, other := range all {
		near := slices.Concat(task.Needs, task.Uses, task.Beside)
		far := slices.Concat(other.Needs, other.Uses, other.Beside)
		beside := strings.Contains(task.Example, other.Name+",") || strings.Contains(task.Example, other.Name+"]")
		if other.Name != task.Name && (slices.Contains(near, other.Name) || slices.Contains(far, task.Name) || beside) {
			names = append(names, other.Name)
		}
	}
	return names
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
		for _, one := range value {
			values = append(values, flowText(one))
		}
	case []map[string]string:
		for _, entry := range value {
			var fields []string
			for _, key := range v.Keys() {
				if text, there := entry[key]; there {
					fields = append(fields, key+": "+flowText(text))
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

// bareText is what needs no quotes between the brackets of YAML, and is a text there.
var bareText = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_/]*$|^[0-9]+/[a-z]+$`)

// flowText is a text as an entry of a list has it in hosts.yaml.
func flowText(text string) string {
	if bareText.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// A default on a page can be copied into hosts.yaml.
func TestDefaultsOfPagesAreYAML(t *testing.T) {
	for _, task := range tasks.All() {
		for _, v := range task.Variables {
			text, found := strings.CutPrefix(variableDefault(v), " Default: ")
			if !found || v.Type != recipe.TypeRecords && v.Type != recipe.TypeList {
				continue
			}
			text = strings.NewReplacer("`", "", `\|`, "|").Replace(strings.TrimSuffix(text, "."))
			extra, err := inventory.ParseExtra(task.Name+"."+v.Name+"=["+text+"]", inventory.Known{task.Name: task})
			if err != nil {
				t.Error(err)
				continue
			}
			if got, err := v.Decode(extra.Value); err != nil || !reflect.DeepEqual(got, v.Zero()) {
				t.Errorf("%s.%s: %v, %v", task.Name, v.Name, got, err)
			}
		}
	}
}

// cell is a text in a table.
func cell(text string) string { return strings.ReplaceAll(prose(text), "|", `\|`) }

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func linked(names []string) string {
	var links []string
	for _, name := range names {
		links = append(links, fmt.Sprintf("[%s](%s.md)", name, name))
	}
	return strings.Join(links, ", ")
}
