// Package settings reads the server's configuration: flags win over the
// environment (GIMEL_*), which wins over a file. It is strict: an unknown key
// or a bad value is an error of one line.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"provision/internal/gimel/event"
	"provision/internal/gimel/listen"
	"provision/internal/gimel/store"
)

// Settings is all that can be configured. Durations and sizes are positive.
type Settings struct {
	Listen  []string // addresses for visitors, beside systemd's sockets
	Private []string // addresses that answer from the start: readiness, metrics

	Redis Redis

	Counting      store.Counting
	HashKeyFile   string
	UndeclaredCap int
	CounterCap    int
	Limits        event.Limits
	EventLog      int64 // bytes that an experiment's log may take; 0: none

	TrackPaths         []string
	APIKeyFile         string
	ReadKeyFile        string
	TrackKeyFile       string
	PasswordFile       string // of the dashboard; empty: the API key opens it
	ViewerPasswordFile string

	Queue, Batch, Pipelines int
	RequestTimeout          time.Duration
	ReadyWait               time.Duration // then sockets are served though Redis is not ready
	DrainGrace              time.Duration // before the last connections are closed
	DrainTimeout            time.Duration

	WebhookFile       string // holds its URL; empty: nobody is told
	WebhookSecretFile string
	WebhookInterval   time.Duration

	Graphite         string // HOST:PORT, or empty
	GraphitePrefix   string
	GraphiteInterval time.Duration
}

// Load reads the settings for one command. It returns flag.ErrHelp, and writes
// the flags to help, when help was asked for. What is left of the arguments is
// an error. The functions in more add flags of that command.
func Load(command string, arguments, environment []string, help io.Writer,
	more ...func(*flag.FlagSet)) (*Settings, error) {
	s := &Settings{}
	if err := load(command, arguments, environment, help, s.define, more...); err != nil {
		return nil, err
	}
	return s, s.check()
}

// load reads flags, environment and file into what define's flags are for.
func load(command string, arguments, environment []string, help io.Writer, define func(*flag.FlagSet),
	more ...func(*flag.FlagSet)) error {
	flags := flag.NewFlagSet("gimel "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config := flags.String("config", "", "file of `KEY = VALUE` lines, where KEY is a flag's name")
	define(flags)
	known := map[string]bool{}
	flags.VisitAll(func(f *flag.Flag) { known[f.Name] = true })
	for _, add := range more {
		add(flags)
	}

	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(help)
			fmt.Fprintf(help, "usage: gimel %s [flags]; each flag also as GIMEL_FLAG_NAME or in --config\n", command)
			flags.PrintDefaults()
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })

	variables, err := fromEnvironment(environment, known)
	if err != nil {
		return err
	}
	if !given["config"] {
		*config = variables.valueOf("config")
	}
	var lines assignments
	if *config != "" {
		if lines, err = fromFile(*config, known); err != nil {
			return err
		}
	}
	for _, source := range []assignments{variables, lines} {
		for _, one := range source {
			if given[one.key] {
				continue
			}
			given[one.key] = true
			if err := flags.Set(one.key, one.value); err != nil {
				return fmt.Errorf("%s: %q: %w", one.origin, one.value, err)
			}
		}
	}
	return nil
}

func (s *Settings) define(flags *flag.FlagSet) {
	list(flags, &s.Listen, "listen", "", "comma-separated `ADDRESSES` to serve: unix:/PATH or HOST:PORT (127.0.0.1:8000 without any and without systemd's)")
	list(flags, &s.Private, "private-listen", "", "comma-separated `ADDRESSES` that are served before Redis is ready")

	s.Redis.define(flags)
	counting(flags, &s.Counting)
	flags.StringVar(&s.HashKeyFile, "hash-key-file", "", "`FILE` with the key of the uuids' HMAC, at least 16 bytes")
	integer(flags, &s.UndeclaredCap, "undeclared-cap", 100, 0, "how many undeclared experiments of a namespace are accepted, ten times as many in all; 0 refuses them")
	integer(flags, &s.CounterCap, "counter-cap", 200, 1, "how many counters (event times variant) an experiment has at the most")
	size(flags, &s.EventLog, "event-log", "what an experiment's events may take of Redis's memory until gimel eventlog has taken them; off: nothing is logged")
	integer(flags, &s.Limits.Query, "max-query-bytes", event.DefaultLimits.Query, 256, "longest query")
	integer(flags, &s.Limits.Name, "max-name-bytes", event.DefaultLimits.Name, 16, "longest namespace, experiment, event, variant")
	integer(flags, &s.Limits.UUID, "max-uuid-bytes", event.DefaultLimits.UUID, 36, "longest uuid")

	list(flags, &s.TrackPaths, "track-paths", "/track,/choice", "comma-separated `PATHS` that take events; ad-blockers match the word track")
	flags.StringVar(&s.APIKeyFile, "api-key-file", "", "`FILE` with the API key, at least 16 bytes")
	flags.StringVar(&s.ReadKeyFile, "read-key-file", "", "`FILE` with an API key that shows experiments, and changes nothing")
	flags.StringVar(&s.TrackKeyFile, "track-key-file", "", "`FILE` with an API key that sends events to /api/v1/events, and no more")
	flags.StringVar(&s.PasswordFile, "password-file", "", "`FILE` with the dashboard's password (default: the API key)")
	flags.StringVar(&s.ViewerPasswordFile, "viewer-password-file", "", "`FILE` with a password that shows the dashboard, and changes nothing")

	integer(flags, &s.Queue, "queue", 4096, 1, "events that may wait for Redis")
	integer(flags, &s.Batch, "batch", 256, 1, "events that travel to Redis together")
	integer(flags, &s.Pipelines, "pipelines", 1, 1, "batches on their way to Redis at once")
	positive(flags, &s.RequestTimeout, "request-timeout", 5*time.Second, "for one request; then 503")
	positive(flags, &s.ReadyWait, "ready-wait", 30*time.Second, "for Redis at the start; then visitors get 503")
	positive(flags, &s.DrainGrace, "drain-grace", time.Second, "at the end: ask connections to close, before closing them")
	positive(flags, &s.DrainTimeout, "drain-timeout", 25*time.Second, "at the end: for the requests that are left")

	flags.StringVar(&s.WebhookFile, "webhook-file", "", "`FILE` with the URL that is told of verdicts and mismatches: https, or http to this host")
	flags.StringVar(&s.WebhookSecretFile, "webhook-secret-file", "", "`FILE` with the secret that signs what is told, at least 16 bytes")
	positive(flags, &s.WebhookInterval, "webhook-interval", time.Minute, "between two looks for what is to be told")

	flags.StringVar(&s.Graphite, "graphite", "", "`HOST:PORT` of a carbon that takes the counters (plain text)")
	flags.StringVar(&s.GraphitePrefix, "graphite-prefix", "gimel", "`PREFIX` of their names")
	positive(flags, &s.GraphiteInterval, "graphite-interval", 10*time.Second, "between two reports")
}

// check holds the settings against each other.
func (s *Settings) check() error {
	for _, address := range append(append([]string{}, s.Listen...), s.Private...) {
		if err := listen.Check(address); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	if s.Graphite != "" {
		if err := listen.Check(s.Graphite); err != nil || strings.HasPrefix(s.Graphite, "unix:") {
			return fmt.Errorf("graphite: %q is no HOST:PORT", s.Graphite)
		}
	}
	if (s.WebhookFile == "") != (s.WebhookSecretFile == "") {
		return errors.New("webhook-file: needs webhook-secret-file, and that one needs it")
	}
	if len(s.TrackPaths) == 0 {
		return errors.New("track-paths: at least one is needed")
	}
	for _, path := range s.TrackPaths {
		if len(path) < 2 || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " {}?#%") || strings.HasSuffix(path, "/") {
			return fmt.Errorf("track-paths: %q is no path such as /track", path)
		}
		if reserved(path) {
			return fmt.Errorf("track-paths: %q has another meaning", path)
		}
	}
	if s.HashKeyFile == "" {
		return errors.New("hash-key-file: is needed")
	}
	if s.APIKeyFile == "" {
		return errors.New("api-key-file: is needed")
	}
	return s.Redis.check()
}

func reserved(path string) bool {
	for _, taken := range []string{"/experiments", "/delete", "/healthz", "/readyz", "/metrics", "/login", "/logout", "/api", "/dashboard"} {
		if path == taken || strings.HasPrefix(path, taken+"/") {
			return true
		}
	}
	return false
}
