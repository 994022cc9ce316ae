// Package tasks holds what provision can install: one file per system, and for a large
// one a file each for its variables and its proof. A task is data and pure functions; it
// is found in All, and nowhere else.
package tasks

import (
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

// All returns the tasks, in the order in which they are listed.
func All() []recipe.Task {
	all := []recipe.Task{Alerts(), Balancer(), Collectd(), Dashboard(), Failover(), Firewall(), Gimel(), Graphite(), Healthcheck(), Nginx(), PostgreSQL(), Redis(), SecureMetrics(), StatsD(), UWSGI(), Webapp()}
	for i, task := range all {
		all[i] = withExample(task)
	}
	return all
}

const (
	bookworm = 12 // Debian's releases, as recipe.Platform.Release has them
	trixie   = 13
)

// configDirectory is where provision keeps on a host what belongs to no package.
const configDirectory = "/etc/provision"

// addSecretsDirectory adds the directory of passwords, open to root alone.
func addSecretsDirectory(r *recipe.Recipe) {
	r.Add(resource.Directory{Path: configDirectory})
	r.Add(resource.Directory{Path: secretsDirectory, Attributes: recipe.Attributes{Mode: 0o700}})
}

const secretsDirectory = configDirectory + "/secrets"

// rendered returns a file whose content a template makes.
func rendered(path, template string, data any) (resource.File, error) {
	content, err := templates.Render(template, data)
	return resource.File{Path: path, Content: content}, err
}

// filePart is one templated file of a recipe, and whom its change notifies.
type filePart struct {
	path       string
	template   string
	data       any
	attributes recipe.Attributes
	notifies   []recipe.Notification
}

// addFiles adds templated files.
func addFiles(r *recipe.Recipe, parts []filePart) error {
	for _, part := range parts {
		file, err := rendered(part.path, part.template, part.data)
		if err != nil {
			return err
		}
		file.Attributes = part.attributes
		r.Add(file, part.notifies...)
	}
	return nil
}

func restart(unit string) []recipe.Notification {
	return []recipe.Notification{{Unit: unit, Action: recipe.Restart}}
}

func reload(unit string) []recipe.Notification {
	return []recipe.Notification{{Unit: unit, Action: recipe.Reload}}
}
