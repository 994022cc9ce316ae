package tasks

import (
	"slices"
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/templates"
)

// backup is how a task's data are taken, and brought back: two actions, whose scripts are templates.
type backup struct {
	Task            string   // names the files, and their directory
	What            string   // for people
	User            string   // whose the data are
	Home            string   // where they lie
	Backup, Restore []string // templates
	Data            any      // of all of them
}

// actions are the backup and the restore. What is common to all of them stands before: where a backup
// goes, that it is whole before it has its name, and that it is what its digest says.
func (b backup) actions() []recipe.Script {
	directory := "/var/backups/" + b.Task
	return []recipe.Script{
		{
			Name: "backup", Timeout: 6 * time.Hour, Text: b.script("backup/keep.sh.tmpl", b.Backup),
			Help: "Writes " + b.What + " into one file of a directory on the host, with its digest beside it; what runs goes on. It has its name only when it is whole.",
			Arguments: []recipe.Variable{{
				Name: "to", Type: recipe.TypeString, Default: directory, Check: text(hostPath),
				Help: "The directory, which is root's alone; it is made where it is missing. provision get brings files of it here.",
			}},
		},
		{
			Name: "restore", Timeout: 6 * time.Hour, Text: b.script("backup/open.sh.tmpl", b.Restore),
			Help: "Brings " + b.What + " back from a file that backup wrote. It is read and checked before anything stops; what was there stays beside it, under another name. Where one was killed, the next install, or the next restore, has what was there before or what it brought, whole.",
			Arguments: []recipe.Variable{{
				Name: "from", Type: recipe.TypeString, Needed: true, Check: text(hostPath),
				Help: "The file on the host; its .sha256 is beside it. provision put brings both there.",
			}},
		},
	}
}

// script is the text of an action. Templates are of this program: one that cannot be rendered is a
// mistake in it.
func (b backup) script(before string, parts []string) string {
	texts := []string{mustRender(before, struct{ Task, AsIt, Home string }{b.Task, asUser(b.User), b.Home})}
	for _, template := range parts {
		texts = append(texts, mustRender(template, b.Data))
	}
	return strings.Join(texts, "\n")
}

func mustRender(template string, data any) string {
	text, err := templates.Render(template, data)
	if err != nil {
		panic(err)
	}
	return text
}

func graphiteBackup() backup {
	return backup{
		Task: "graphite", What: "all metrics, and the database of dashboards, events and users,", User: graphiteUser, Home: graphiteHome,
		Backup: []string{"graphite/backup.sh.tmpl"}, Restore: []string{graphitePutsBack, "graphite/restore.sh.tmpl"}, Data: graphiteStopped(),
	}
}

func redisBackup() backup {
	return backup{
		Task: "redis", What: "all keys", User: redisUser, Home: "/var/lib/redis",
		Backup: []string{"redis/backup.sh.tmpl"}, Restore: []string{"redis/restore.sh.tmpl"},
		Data: struct{ Admin, Unit string }{redisAs("admin", redisAdminPassword), redisUnit},
	}
}

const (
	graphiteHome     = "/var/lib/graphite"
	graphitePutsBack = "graphite/put_back.sh.tmpl"
)

// stopped are the units that a script stops while it changes what they have.
type stopped struct{ Units string }

func graphiteStopped() stopped { return stopped{carbonUnit + " " + graphiteWeb.unit()} }

// addMending puts back what a restore that was killed has moved, before anything starts on half of it.
func (g graphite) addMending(r *recipe.Recipe) {
	r.Add(resource.Command{
		Name:    "put back what a restore that died has moved",
		Changes: []recipe.Key{recipe.PathKey(graphiteDatabase)},
		Reads:   []recipe.Key{recipe.PathKey(graphiteHome + "/.restore-*/moving")}, // which no other resource makes
		Unless:  "! ls " + graphiteHome + "/.restore-*/moving >/dev/null 2>&1",
		Script: "set -eu\ncd /\nas_it() { " + asUser(graphiteUser) + `"$@"; }` + "\nhome=" + graphiteHome + "\n" +
			mustRender(graphitePutsBack, graphiteStopped()) + "mend",
		Timeout: time.Hour,
	}, slices.Concat(restart(carbonUnit), restart(graphiteWeb.unit()))...)
}

// graphiteResize brings files of metrics to what the schemas say now: carbon goes by them for new ones alone.
func graphiteResize() recipe.Script {
	return recipe.Script{
		Name: "resize", Timeout: 24 * time.Hour, Text: mustRender("graphite/resize.sh.tmpl", struct{ AsGraphite, Carbon string }{asUser(graphiteUser), carbonUnit}),
		Help: "Says which metrics are kept otherwise than graphite.schemas and graphite.aggregations say, as those that are older than these, and makes their files anew when it is told to.",
		Arguments: []recipe.Variable{{
			Name: "step", Type: recipe.TypeString, Default: "plan", Choices: []string{"plan", "apply", "undo", "clean"},
			Help: "plan changes nothing; apply makes the files anew, with the old ones beside them, and carbon stops meanwhile; undo brings the old ones back; clean removes them.",
		}},
	}
}
