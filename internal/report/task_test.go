package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"provision/internal/recipe"
)

func tasks() []recipe.Task {
	return []recipe.Task{
		{
			Name: "graphite", Summary: "Graphite: metrics are received by carbon, stored in whisper, and drawn by graphite-web",
			About:   "Carbon listens on the loopback address until a variable opens it to named networks. The web application runs behind uWSGI and nginx, and asks for a password.\nWhat is stored survives a second install.",
			Uses:    []string{"nginx", "uwsgi"},
			Example: "# Graphs.\nvars:\n  graphite.auth: false\n\nhosts:\n  metrics1: {tasks: [graphite]}\n",
			Variables: []recipe.Variable{
				{Name: "auth", Type: recipe.TypeBool, Default: true, Help: "Ask for a password, which is made on the host unless graphite.password gives one."},
				{Name: "password", Type: recipe.TypeSecret, Help: "The password of the user graphite."},
				{Name: "database", Type: recipe.TypeString, Default: "sqlite", Choices: []string{"sqlite", "postgresql"}, Help: "Where dashboards and users are kept."},
				{Name: "port", Type: recipe.TypeInt, Default: 80, Help: "The port of the web application."},
				{Name: "networks", Type: recipe.TypeList, Help: "The networks that may send metrics to port 2003."},
				{Name: "schemas", Type: recipe.TypeRecords, Fields: []string{"name", "pattern", "retentions"}, Help: "How long which metrics are kept; the first pattern that matches decides.",
					Default: []map[string]string{{"name": "carbon", "pattern": `^carbon\.`, "retentions": "60s:90d"}, {"name": "default", "pattern": ".*", "retentions": "10s:1d,1m:30d,10m:1y"}}},
			},
		},
		{Name: "nginx", Summary: "nginx, with nothing but its defaults out of the way"},
	}
}

func TestTasks(t *testing.T) {
	for _, columns := range []int{0, 80, 200} {
		var list, one bytes.Buffer
		if err := Tasks(&list, Options{Width: columns}, tasks()); err != nil {
			t.Fatal(err)
		}
		if err := Task(&one, Options{Width: columns}, tasks()[0]); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("tasks-%d", columns), list.String())
		golden(t, fmt.Sprintf("task-%d", columns), one.String())
	}
	var none bytes.Buffer
	if err := Tasks(&none, Options{}, nil); err != nil || none.Len() > 0 {
		t.Errorf("no tasks: %q, %v", none.String(), err)
	}
}

// A program is told what a person is: the names that a task had, and whether a host may have several.
func TestTasksAsJSON(t *testing.T) {
	var out strings.Builder
	if err := NewJSON(&out, nil, nil).Tasks([]recipe.Task{{Name: "shop", Formerly: []string{"store"}, Instances: true}, {Name: "shop@blue", Instances: true}, {Name: "nginx"}}); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if has := strings.Contains(line, `"formerly":["store"]`); has != (i == 0) {
			t.Errorf("formerly: %s", line)
		}
		if has := strings.Contains(line, `"instances":true`); has != (i == 0) {
			t.Errorf("instances: %s", line)
		}
	}
}
