package tasks

import (
	"strings"
	"time"

	"provision/internal/recipe"
	"provision/templates"
)

// backup is how a task's data are taken, and brought back: two actions, whose scripts are templates.
type backup struct {
	Task            string // names the files, and their directory
	What            string // for people
	Backup, Restore string // templates
	Data            any    // of both
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
			Help: "Brings " + b.What + " back from a file that backup wrote. It is read and checked before anything stops; what was there stays beside it, under another name.",
			Arguments: []recipe.Variable{{
				Name: "from", Type: recipe.TypeString, Needed: true, Check: text(hostPath),
				Help: "The file on the host; its .sha256 is beside it. provision put brings both there.",
			}},
		},
	}
}

// script is the text of an action. Templates are of this program: one that cannot be rendered is a
// mistake in it.
func (b backup) script(before, template string) string {
	var texts []string
	for _, part := range []struct {
		template string
		data     any
	}{{before, b.Task}, {template, b.Data}} {
		text, err := templates.Render(part.template, part.data)
		if err != nil {
			panic(err)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "\n")
}

func graphiteBackup() backup {
	return backup{
		Task: "graphite", What: "all metrics, and the database of dashboards, events and users,", Backup: "graphite/backup.sh.tmpl", Restore: "graphite/restore.sh.tmpl",
		Data: struct{ AsGraphite, Units string }{asUser(graphiteUser), carbonUnit + " " + graphiteWeb.unit()},
	}
}

func redisBackup() backup {
	return backup{
		Task: "redis", What: "all keys", Backup: "redis/backup.sh.tmpl", Restore: "redis/restore.sh.tmpl",
		Data: struct{ Admin, AsRedis, Unit string }{redisAs("admin", redisAdminPassword), asUser(redisUser), redisUnit},
	}
}

// graphiteResize brings files of metrics to what the schemas say now: carbon goes by them for new ones alone.
func graphiteResize() recipe.Script {
	text, err := templates.Render("graphite/resize.sh.tmpl", struct{ AsGraphite, Carbon string }{asUser(graphiteUser), carbonUnit})
	if err != nil { // as of backup.script
		panic(err)
	}
	return recipe.Script{
		Name: "resize", Timeout: 24 * time.Hour, Text: text,
		Help: "Says which metrics are kept otherwise than graphite.schemas and graphite.aggregations say, as those that are older than these, and makes their files anew when it is told to.",
		Arguments: []recipe.Variable{{
			Name: "step", Type: recipe.TypeString, Default: "plan", Choices: []string{"plan", "apply", "undo", "clean"},
			Help: "plan changes nothing; apply makes the files anew, with the old ones beside them, and carbon stops meanwhile; undo brings the old ones back; clean removes them.",
		}},
	}
}
