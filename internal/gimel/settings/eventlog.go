package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"

	"provision/internal/gimel/listen"
	"provision/internal/gimel/store"
)

// The sinks.
const (
	PostgreSQL = "postgresql"
	Files      = "files"
	BigQuery   = "bigquery"
)

// EventLog is what gimel eventlog goes by.
type EventLog struct {
	Private  []string // addresses for operators
	Redis    Redis
	Counting store.Counting
	Name     string // of the consumer

	Sink                   string
	PostgreSQL             string // URL
	PostgreSQLPasswordFile string
	Files                  string // a folder

	BigQuery                string // PROJECT.DATASET
	BigQueryCredentialsFile string
	BigQueryEndpoint        string

	RedisPassword, PostgreSQLPassword, BigQueryCredentials []byte // as the files have them
}

// LoadEventLog reads the settings and the secrets of gimel eventlog; see Load.
func LoadEventLog(arguments, environment []string, hostname string, help io.Writer) (*EventLog, error) {
	s := &EventLog{}
	if err := load("eventlog", arguments, environment, help, func(flags *flag.FlagSet) { s.define(flags, hostname) }); err != nil {
		return nil, err
	}
	return s, s.check()
}

func (s *EventLog) define(flags *flag.FlagSet, hostname string) {
	list(flags, &s.Private, "private-listen", "", "comma-separated `ADDRESSES` for operators, unix:/PATH or HOST:PORT: metrics, and what gimel recount asks")
	s.Redis.define(flags)
	counting(flags, &s.Counting)
	flags.StringVar(&s.Name, "name", hostname, "`NAME` that no other gimel eventlog of this Redis has")
	flags.StringVar(&s.Sink, "sink", PostgreSQL, "where events go: `postgresql`, files or bigquery")
	flags.StringVar(&s.PostgreSQL, "postgresql", "postgresql:///gimel", "`URL` of the database, as psql takes it")
	flags.StringVar(&s.PostgreSQLPasswordFile, "postgresql-password-file", "", "`FILE` with its password, where it asks for one")
	flags.StringVar(&s.Files, "files", "", "`FOLDER` of the files of the sink files")
	flags.StringVar(&s.BigQuery, "bigquery", "", "`PROJECT.DATASET` of the sink bigquery; the dataset has to be there")
	flags.StringVar(&s.BigQueryCredentialsFile, "bigquery-credentials-file", "", "`FILE` with the key of a service account, in JSON")
	flags.StringVar(&s.BigQueryEndpoint, "bigquery-endpoint", "", "`URL` of the API, where it is not Google's public one")
}

func (s *EventLog) check() error {
	for _, address := range s.Private {
		if err := listen.Check(address); err != nil {
			return fmt.Errorf("private-listen: %w", err)
		}
	}
	if s.Name == "" {
		return errors.New("name: is needed")
	}
	if err := s.checkSink(); err != nil {
		return err
	}
	if err := s.Redis.check(); err != nil {
		return err
	}
	var err error
	if s.RedisPassword, err = optionalSecret("redis-password-file", s.Redis.PasswordFile); err != nil {
		return err
	}
	if s.BigQueryCredentials, err = optionalSecret("bigquery-credentials-file", s.BigQueryCredentialsFile); err != nil {
		return err
	}
	s.PostgreSQLPassword, err = optionalSecret("postgresql-password-file", s.PostgreSQLPasswordFile)
	return err
}

func (s *EventLog) checkSink() error {
	switch s.Sink {
	case PostgreSQL:
		return nil
	case Files:
		if s.Files == "" {
			return errors.New("files: is needed")
		}
	case BigQuery:
		if s.BigQuery == "" || s.BigQueryCredentialsFile == "" {
			return errors.New("bigquery and bigquery-credentials-file: are needed")
		}
		if endpoint, err := url.Parse(s.BigQueryEndpoint); err != nil || s.BigQueryEndpoint != "" && endpoint.Host == "" {
			return fmt.Errorf("bigquery-endpoint: %q is no URL", s.BigQueryEndpoint)
		}
	default:
		return fmt.Errorf("sink: %q is none of postgresql, files and bigquery", s.Sink)
	}
	if s.Counting != store.Exact {
		return fmt.Errorf("sink: %s wants counting exact: a HyperLogLog does not know who is new, and %s takes what it is given", s.Sink, s.Sink)
	}
	return nil
}

func optionalSecret(key, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	secret, err := readSecret(path, 1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return secret, nil
}
