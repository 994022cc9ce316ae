package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"provision/internal/gimel/commit"
	"provision/internal/gimel/listen"
	"provision/internal/gimel/results"
	"provision/internal/gimel/server"
	"provision/internal/gimel/store"
	"provision/internal/gimel/telemetry"
	"provision/internal/gimel/webhook"
)

// garbage is the GOGC of the server: its heap is a few megabytes, so the
// collector can wait for ten times that. It saves a tenth of the time of an
// event.
const garbage = 1000

// serve answers requests until SIGTERM or SIGINT, and then drains.
func serve(arguments, environment []string, stdout io.Writer) error {
	config, err := configure("serve", arguments, environment, stdout)
	if err != nil {
		return err
	}
	debug.SetGCPercent(garbage)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	shared, private, err := sockets(config)
	if err != nil {
		return err
	}
	client, err := config.connect()
	if err != nil {
		return err
	}
	defer client.Close()
	counters := config.store(client)

	var committer *commit.Committer
	telemetry := telemetry.NewCounters(programVersion(), func() int { return committer.Waiting() })
	committer = commit.New(counters, commit.Settings{
		Queue: config.Queue, Batch: config.Batch, Pipelines: config.Pipelines, Timeout: config.RequestTimeout,
	}, telemetry.Committed)
	site := server.New(config.site(counters, committer, telemetry, log))
	visitors := site.Listen(shared)
	operators := site.Listen(private)
	operators.Start()
	log.Info("gimel starts", "version", programVersion(), "counting", config.Counting)
	awaitRedis(ctx, counters, config.ReadyWait, log)
	if ctx.Err() == nil {
		visitors.Start()
		notify(log, listen.Ready)
		for _, socket := range shared {
			log.Info("gimel serves", "address", socket.Addr().String())
		}
	}
	background := startBackground(ctx, config, counters, telemetry, log)

	select {
	case <-ctx.Done():
	case err = <-visitors.Failed():
	case err = <-operators.Failed():
	}
	stop()
	drain(config, visitors, log)
	committer.Close()
	background.Wait()
	// A scrape that hangs is no reason to stay.
	_ = operators.Drain(0, time.Second)
	log.Info("gimel has ended")
	return err
}

// site is what the server is made of.
func (c *configuration) site(counters *store.Store, committer *commit.Committer, telemetry *telemetry.Counters, log *slog.Logger) server.Settings {
	return server.Settings{
		Store: counters, Committer: committer, Counters: telemetry, Log: log,
		TrackPaths: c.TrackPaths, Limits: c.Limits, RequestTimeout: c.RequestTimeout,
		APIKey: c.secrets.APIKey, ReadKey: c.secrets.ReadKey, TrackKey: c.secrets.TrackKey,
		Password: c.secrets.Password, ViewerPassword: c.secrets.ViewerPassword, SessionKey: c.secrets.HashKey,
	}
}

// drain answers the visitors who are there, and takes no more.
func drain(config *configuration, visitors *server.Listener, log *slog.Logger) {
	notify(log, listen.Stopping)
	if err := visitors.Drain(config.DrainGrace, config.DrainTimeout); err != nil {
		log.Warn("some requests were cut off", "error", err)
	}
}

// sockets are systemd's and those configured.
func sockets(config *configuration) (shared, private []net.Listener, err error) {
	if shared, err = listen.Activated(os.Getenv, os.Getpid()); err != nil {
		return nil, nil, err
	}
	addresses := config.Listen
	if len(addresses) == 0 && len(shared) == 0 {
		addresses = []string{"127.0.0.1:8000"}
	}
	opened, err := openAll(addresses)
	if err != nil {
		return nil, nil, err
	}
	private, err = openAll(config.Private)
	return append(shared, opened...), private, err
}

func openAll(addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		listener, err := listen.Open(address)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// awaitRedis lets visitors wait in the sockets' queues until Redis is ready, so
// that a release that cannot reach it takes nobody from the one that can.
func awaitRedis(ctx context.Context, counters *store.Store, patience time.Duration, log *slog.Logger) {
	limit := time.After(patience)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for said := false; ; {
		err := counters.Ready(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if !said {
			log.Warn("waiting for redis", "error", err)
			said = true
		}
		select {
		case <-ctx.Done():
			return
		case <-limit:
			log.Error("redis is not ready; visitors get 503 until it is", "error", err)
			return
		case <-tick.C:
		}
	}
}

// startBackground reports to Graphite, tells the webhook, and removes what
// crashed deletions left.
func startBackground(ctx context.Context, config *configuration, counters *store.Store,
	telemetryCounters *telemetry.Counters, log *slog.Logger) *sync.WaitGroup {
	var group sync.WaitGroup
	if config.Graphite != "" {
		reporter := telemetry.Graphite{
			Address: config.Graphite, Prefix: config.GraphitePrefix, Interval: config.GraphiteInterval, Log: log,
		}
		group.Go(func() { reporter.Run(ctx, telemetryCounters) })
	}
	if config.secrets.Webhook != nil {
		watcher := webhook.Watcher{
			Store: counters, Reader: results.Reader{Store: counters}, Interval: config.WebhookInterval, Log: log,
			Target: webhook.NewTarget(string(config.secrets.Webhook), config.secrets.WebhookSecret),
		}
		group.Go(func() { watcher.Run(ctx) })
	} else {
		group.Go(func() { tellNobody(ctx, counters) })
	}
	group.Go(func() {
		if err := counters.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("leftovers of deleted experiments stay until the next start", "error", err)
		}
	})
	return &group
}

// tellNobody notes that there is no webhook, so that one which is turned on later
// is not told old news.
func tellNobody(ctx context.Context, counters *store.Store) {
	for counters.SetTelling(ctx, false) != nil { // Redis is away
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func notify(log *slog.Logger, state string) {
	if err := listen.Notify(os.Getenv, state); err != nil {
		log.Warn(fmt.Sprintf("cannot say %s", state), "error", err)
	}
}
