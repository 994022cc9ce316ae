package tasks

import (
	"errors"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	eventLogNone       = "none"
	eventLogPostgreSQL = "postgresql"
	eventLogFiles      = "files"

	eventLogUnit   = "gimel-eventlog.service"
	eventLogFolder = "/var/lib/gimel-events"
	eventLogSocket = "/run/gimel-eventlog/private.sock"
)

func gimelEventLogVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "event_log", Type: recipe.TypeString, Default: eventLogNone, Choices: []string{eventLogNone, eventLogPostgreSQL, eventLogFiles},
			Help: "Where each event that is counted goes too, once, with its time: postgresql is the database gimel on the host, as docs/eventlog.md has it; files are NDJSON by the hour in " +
				eventLogFolder + ", which any warehouse loads. What was there stays when it is turned off.",
		},
		{
			Name: "event_log_memory", Type: recipe.TypeString, Default: "32mb", Check: text(memorySizeOf),
			Help: "How much of Redis's memory the events of one experiment may take that are not there yet, as while PostgreSQL is down: about ten bytes each. " +
				"Beyond it they are counted all the same, and get a row without a time later.",
		},
	}
}

func memorySizeOf(text string) error {
	if !memorySize.MatchString(text) {
		return errors.New("must be a size such as 32mb")
	}
	return nil
}

func checkEventLog(vars recipe.Values) (string, error) {
	if vars.String("event_log") == eventLogFiles && vars.String("counting") == "hll" {
		return "event_log", errors.New("files needs counting: exact, for hll does not know who is new; postgresql tells them apart")
	}
	return "", nil
}

func (g gimel) eventLog() string { return g.Vars.String("event_log") }
func (g gimel) logs() bool       { return g.eventLog() != eventLogNone }

// restarts are those of all units that run the release.
func (g gimel) restarts() []recipe.Notification {
	if !g.logs() {
		return restart(gimelUnit)
	}
	return append(restart(gimelUnit), restart(eventLogUnit)...)
}

// gimelEventLog is what the templates of the event log are filled in with.
type gimelEventLog struct {
	LocalRedis, Network bool
	PostgreSQL          bool
	Credentials         []credential

	Redis, RedisCAFile, Counting, Folder string
}

func (g gimel) eventLogSettings() gimelEventLog {
	s := gimelEventLog{
		LocalRedis: g.localRedis(), Network: !g.localRedis(), PostgreSQL: g.eventLog() == eventLogPostgreSQL,
		Redis: g.Vars.String("redis_url"), RedisCAFile: g.Vars.String("redis_ca_file"), Counting: g.Vars.String("counting"), Folder: eventLogFolder,
	}
	// Of gimel's secrets it needs the one alone: it hashes nothing, and nobody asks it for a key.
	for _, credential := range g.unit().Credentials {
		if credential.Name == "redis-password" {
			s.Credentials = append(s.Credentials, credential)
		}
	}
	return s
}

// addEventLogConfiguration adds what the event log's process and systemd read.
func (g gimel) addEventLogConfiguration(r *recipe.Recipe) error {
	if !g.logs() {
		return nil
	}
	if g.eventLog() == eventLogPostgreSQL {
		addLocalhost(r)
	} else {
		r.Add(resource.Directory{Path: eventLogFolder, Attributes: recipe.Attributes{Mode: 0o750, Owner: gimelName, Group: gimelName}})
	}
	data := g.eventLogSettings()
	return addFiles(r, []filePart{
		{path: "/etc/systemd/system/" + eventLogUnit, template: "gimel/eventlog.service.tmpl", data: data, notifies: restart(eventLogUnit)},
		{path: "/etc/gimel/eventlog.conf", template: "gimel/eventlog.conf.tmpl", data: data, notifies: restart(eventLogUnit)},
	})
}

// addEventLogService makes the database, and starts what fills it.
func (g gimel) addEventLogService(r *recipe.Recipe) {
	if !g.logs() {
		return
	}
	if g.eventLog() == eventLogPostgreSQL {
		r.Add(resource.Service{Unit: postgresqlUnit})
		r.Add(database{Task: gimelName, Name: gimelName, Role: gimelName}.command())
	}
	r.Add(resource.Service{
		Unit: eventLogUnit, Needs: gimelCurrent, Listens: []string{eventLogSocket},
		Ready: gimelCurrent + "/gimel ready --address unix:" + eventLogSocket + " --within 30s",
	})
}

// gimelLogWithin is what is waited for: the end of a restart.
const gimelLogWithin = 20 * time.Second

// eventLogChecks send a thousand events twice, which have to be a thousand rows. They go to gimel
// itself: nginx would not take so many of one address.
func (g gimel) eventLogChecks() []recipe.Check {
	if !g.logs() {
		return nil
	}
	return []recipe.Check{{
		Name: "a thousand events sent twice are a thousand rows", From: recipe.FromHost, Within: gimelLogWithin,
		Command: &recipe.CommandCheck{
			Script: gimelCurrent + "/gimel verify --url http://gimel --address unix:/run/gimel-private/private.sock --events 1000 --event-log unix:" + eventLogSocket +
				" --api-key-file " + gimelAPIKey,
			Contains: "each one row",
		},
	}, {
		Name: "rows and counters agree", From: recipe.FromHost, Within: gimelLogWithin,
		Command: &recipe.CommandCheck{Script: gimelCurrent + "/gimel recount --quiet", Contains: "counters: counted"},
	}}
}
