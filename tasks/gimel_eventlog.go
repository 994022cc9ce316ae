package tasks

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"time"

	"provision/internal/recipe"
	"provision/internal/resource"
)

const (
	eventLogNone       = "none"
	eventLogPostgreSQL = "postgresql"
	eventLogFiles      = "files"
	eventLogBigQuery   = "bigquery"

	eventLogUnit   = "gimel-eventlog.service"
	eventLogFolder = "/var/lib/gimel-events"
	eventLogSocket = "/run/gimel-eventlog/private.sock"

	gimelBigQuery = secretsDirectory + "/gimel-bigquery-credentials"
)

func gimelEventLogVariables() []recipe.Variable {
	return []recipe.Variable{
		{
			Name: "event_log", Type: recipe.TypeString, Default: eventLogNone, Choices: []string{eventLogNone, eventLogPostgreSQL, eventLogFiles, eventLogBigQuery},
			Help: "Where each event that is counted goes too, once, with its time: postgresql is the database gimel on the host, as docs/eventlog.md has it; files are NDJSON by the hour in " +
				eventLogFolder + ", which any warehouse loads; bigquery is a dataset of Google BigQuery, every two minutes. What was there stays when it is turned off.",
		},
		{
			Name: "bigquery_dataset", Type: recipe.TypeString, Check: optional(bigQueryDataset),
			Help: "For event_log: bigquery, PROJECT.DATASET: the dataset has to be there, its table and views are made.",
		},
		{
			Name: "bigquery_credentials", Type: recipe.TypeSecret, Check: serviceAccount,
			Help: "For event_log: bigquery, the key of a service account, the JSON as Google gives it. It needs the roles BigQuery Job User on the project and BigQuery Data Editor on the dataset.",
		},
		{
			Name: "bigquery_endpoint", Type: recipe.TypeString, Check: optional(httpsURL),
			Help: "Where BigQuery's API answers, when it is not Google's public address: for Private Service Connect, https://bigquery-NAME.p.googleapis.com.",
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

var bigQueryDatasetForm = regexp.MustCompile(`^[a-z][a-z0-9-]{4,28}[a-z0-9]\.[A-Za-z0-9_]+$`)

func bigQueryDataset(text string) error {
	if !bigQueryDatasetForm.MatchString(text) {
		return errors.New("must be PROJECT.DATASET, such as shop-analytics.gimel")
	}
	return nil
}

// serviceAccount is checked as gimel does (internal/gimel/eventlog/bigquery); its text is a secret.
func serviceAccount(value any) error {
	text := value.(recipe.Secret).Reveal()
	var key struct {
		Type       string
		PrivateKey string `json:"private_key"`
	}
	if text != "" && (json.Unmarshal([]byte(text), &key) != nil || key.Type != "service_account" || key.PrivateKey == "") {
		return errors.New("must be the key of a service account, in JSON")
	}
	return nil
}

func httpsURL(text string) error {
	address, err := url.Parse(text)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil || address.RawQuery != "" || !printable.MatchString(text) {
		return errors.New("must be a URL such as https://bigquery-shop.p.googleapis.com")
	}
	return nil
}

var printable = regexp.MustCompile(`^[!-~]+$`)

func checkEventLog(vars recipe.Values) (string, error) {
	kind := vars.String("event_log")
	if (kind == eventLogFiles || kind == eventLogBigQuery) && vars.String("counting") == "hll" {
		return "event_log", errors.New(kind + " needs counting: exact, for hll does not know who is new; postgresql tells them apart")
	}
	if kind != eventLogBigQuery {
		return "", nil
	}
	if vars.String("bigquery_dataset") == "" {
		return "bigquery_dataset", errors.New("event_log: bigquery needs it")
	}
	if vars.Secret("bigquery_credentials").Empty() {
		return "bigquery_credentials", errors.New("event_log: bigquery needs them")
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
	LocalRedis, Network         bool
	PostgreSQL, Files, BigQuery bool
	Credentials                 []credential

	Redis, RedisCAFile, Counting, Folder string
	Dataset, Endpoint                    string // of BigQuery
}

func (g gimel) eventLogSettings() gimelEventLog {
	kind := g.eventLog()
	s := gimelEventLog{
		LocalRedis: g.localRedis(), Network: !g.localRedis() || kind == eventLogBigQuery,
		PostgreSQL: kind == eventLogPostgreSQL, Files: kind == eventLogFiles, BigQuery: kind == eventLogBigQuery,
		Dataset: g.Vars.String("bigquery_dataset"), Endpoint: g.Vars.String("bigquery_endpoint"),
		Redis: g.Vars.String("redis_url"), RedisCAFile: g.Vars.String("redis_ca_file"), Counting: g.Vars.String("counting"), Folder: eventLogFolder,
	}
	// Of gimel's secrets it needs the one alone: it hashes nothing, and nobody asks it for a key.
	for _, credential := range g.unit().Credentials {
		if credential.Name == "redis-password" {
			s.Credentials = append(s.Credentials, credential)
		}
	}
	if s.BigQuery {
		s.Credentials = append(s.Credentials, credential{Name: "bigquery-credentials", Path: gimelBigQuery, Variable: "GIMEL_BIGQUERY_CREDENTIALS_FILE"})
	}
	return s
}

// addEventLogConfiguration adds what the event log's process and systemd read.
func (g gimel) addEventLogConfiguration(r *recipe.Recipe) error {
	if !g.logs() {
		return nil
	}
	switch g.eventLog() {
	case eventLogPostgreSQL:
		addLocalhost(r)
	case eventLogFiles:
		r.Add(resource.Directory{Path: eventLogFolder, Attributes: recipe.Attributes{Mode: 0o750, Owner: gimelName, Group: gimelName}})
	case eventLogBigQuery:
		r.Add(resource.File{
			Path: gimelBigQuery, Content: g.Vars.Secret("bigquery_credentials").Reveal(), Secret: true, Attributes: recipe.Attributes{Mode: 0o600},
		}, restart(eventLogUnit)...)
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
	within := "30s"
	if g.eventLog() == eventLogBigQuery { // a job with what has gathered
		within = "2m"
	}
	r.Add(resource.Service{
		Unit: eventLogUnit, Needs: gimelCurrent, Listens: []string{eventLogSocket},
		Ready: gimelCurrent + "/gimel ready --address unix:" + eventLogSocket + " --within " + within,
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
	agree := recipe.Check{
		Name: "rows and counters agree", From: recipe.FromHost, Within: gimelLogWithin,
		Command: &recipe.CommandCheck{Script: gimelCurrent + "/gimel recount --quiet", Contains: "counters: counted"},
	}
	if g.eventLog() == eventLogBigQuery { // a job takes its time, and is found again; a thousand events more would cost
		agree.Within = 2 * time.Minute
		return []recipe.Check{agree}
	}
	return []recipe.Check{{
		Name: "a thousand events sent twice are a thousand rows", From: recipe.FromHost, Within: gimelLogWithin,
		Command: &recipe.CommandCheck{
			Script: gimelCurrent + "/gimel verify --url http://gimel --address unix:/run/gimel-private/private.sock --events 1000 --event-log unix:" + eventLogSocket +
				" --api-key-file " + gimelAPIKey,
			Contains: "each one row",
		},
	}, agree}
}
