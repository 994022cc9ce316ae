package tasks

import (
	"embed"
	"fmt"

	"provision/internal/recipe"
)

// The examples are a folder each: a whole hosts.yaml, and the files that its page's commands take. They
// are what list TASK and docs/tasks tell, and tests build and install.
//
//go:embed examples/*/hosts.yaml
var examples embed.FS

// withExample returns a task with the hosts.yaml of its example.
func withExample(task recipe.Task) recipe.Task {
	text, err := examples.ReadFile("examples/" + task.Name + "/hosts.yaml")
	if err != nil {
		panic(fmt.Sprintf("%s has no example: %v", task.Name, err)) // it is in this program, or the program is wrong
	}
	task.Example = string(text)
	return task
}
