package tasks

import (
	"fmt"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// UWSGI is the application server without an application: other tasks bring theirs.
func UWSGI() recipe.Task {
	return recipe.Task{
		Name:    "uwsgi",
		Summary: "application server for Python (uWSGI), without an application",
		About: "Installs uWSGI and its Python plugin from Debian's packages. It runs nothing by itself: a task that has an application, " +
			"as graphite, brings a unit of its own, which obeys the variables below.",
		Variables: uwsgiVariables(),
		Parts:     []recipe.Part{appPart()},
		Build: func(recipe.Input) (recipe.Recipe, error) {
			return uwsgiPackages(nil), nil
		},
		Verify: func(recipe.Input) ([]recipe.Check, error) {
			return []recipe.Check{{
				Name: "uWSGI has its Python plugin", From: recipe.FromHost, Within: 10 * time.Second,
				Command: &recipe.CommandCheck{Script: "uwsgi --plugin python3 --version"},
			}}, nil
		},
	}
}

func uwsgiVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "processes", Type: recipe.TypeInt, Default: 2, Check: between(1, 256),
			Help: "The number of workers of each application: as many requests are answered at once.",
		},
		{
			Name: "harakiri", Type: recipe.TypeInt, Default: 60, Check: between(1, 3600),
			Help: "Seconds after which a request is given up and its worker replaced.",
		},
		{
			Name: "max_requests", Type: recipe.TypeInt, Default: 5000, Check: between(1, 1_000_000_000),
			Help: "Requests after which a worker is replaced by a fresh one.",
		},
		{
			Name: "reload_on_rss", Type: recipe.TypeInt, Default: 256, Check: between(16, 1_000_000),
			Help: "Megabytes of memory at which a worker, when it has answered, is replaced by a fresh one.",
		},
		{
			Name: "evil_reload_on_rss", Type: recipe.TypeInt, Default: 512, Check: between(16, 1_000_000),
			Help: "Megabytes of memory at which a worker is killed at once, even in the middle of a request.",
		},
	}
}

func between(low, high int) func(any) error {
	return func(value any) error {
		if n := value.(int); n < low || n > high {
			return fmt.Errorf("must be between %d and %d", low, high)
		}
		return nil
	}
}

// uwsgiPackages are uWSGI and its Python plugin, which run these units. They start nothing.
func uwsgiPackages(units []string) recipe.Recipe {
	var r recipe.Recipe
	r.Add(resource.Package{Name: "uwsgi-core", Brings: []recipe.Key{}, Restarts: units})
	r.Add(resource.Package{Name: "uwsgi-plugin-python3", Brings: []recipe.Key{}, Restarts: units})
	return r
}
