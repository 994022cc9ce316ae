package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/eventlog"
	"provision/internal/gimel/eventlog/bigquery"
	"provision/internal/gimel/eventlog/files"
	"provision/internal/gimel/eventlog/postgresql"
	"provision/internal/gimel/listen"
	"provision/internal/gimel/settings"
	"provision/internal/gimel/store"
)

// eventLog brings events from Redis to the sink until SIGTERM or SIGINT.
func eventLog(arguments, environment []string, stdout io.Writer) error {
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	config, err := settings.LoadEventLog(arguments, environment, hostname, stdout)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	sink, err := openSink(config)
	if err != nil {
		return err
	}
	defer sink.Close()
	redis.SetLogger(silent{})
	client, err := store.Connect(store.Address{
		URL: config.Redis.URL, Password: string(config.RedisPassword), AuthorityFile: config.Redis.CAFile,
		Timeout: config.Redis.Timeout, Once: true,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	consumer := eventlog.New(store.New(client, store.Settings{Counting: config.Counting}), config.Name, sink, log)
	private, err := openAll(config.Private)
	if err != nil {
		return err
	}
	operators := http.Server{Handler: consumer.Handler(programVersion()), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	failed := make(chan error, len(private))
	for _, socket := range private {
		go func() { failed <- operators.Serve(socket) }()
	}
	go func() {
		if err := <-failed; ctx.Err() == nil {
			log.Error("operators get no answer", "error", err)
			stop()
		}
	}()
	log.Info("gimel eventlog starts", "version", programVersion(), "sink", config.Sink)
	notify(log, listen.Ready)
	consumer.Run(ctx)
	notify(log, listen.Stopping)
	return operators.Close()
}

func openSink(config *settings.EventLog) (eventlog.Sink, error) {
	switch config.Sink {
	case settings.Files:
		return files.Open(config.Files)
	case settings.BigQuery:
		return bigquery.New(bigquery.Settings{Dataset: config.BigQuery, Credentials: config.BigQueryCredentials, Endpoint: config.BigQueryEndpoint})
	}
	return postgresql.New(postgresql.Settings{URL: config.PostgreSQL, Password: string(config.PostgreSQLPassword)})
}
