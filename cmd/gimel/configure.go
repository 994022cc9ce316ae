package main

import (
	"context"
	"flag"
	"io"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/settings"
	"provision/internal/gimel/store"
)

// configuration is what every command starts from.
type configuration struct {
	*settings.Settings
	secrets *settings.Secrets
}

func configure(command string, arguments, environment []string, help io.Writer, more ...func(*flag.FlagSet)) (*configuration, error) {
	loaded, err := settings.Load(command, arguments, environment, help, more...)
	if err != nil {
		return nil, err
	}
	secrets, err := loaded.Secrets()
	if err != nil {
		return nil, err
	}
	return &configuration{Settings: loaded, secrets: secrets}, nil
}

// silent drops what go-redis prints of each failed dial: every error comes back
// to its caller, and while Redis is down that would be a line an event.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func (c *configuration) connect() (redis.UniversalClient, error) {
	redis.SetLogger(silent{})
	return store.Connect(store.Address{
		URL:           c.Redis.URL,
		Password:      string(c.secrets.RedisPassword),
		AuthorityFile: c.Redis.CAFile,
		Timeout:       c.Redis.Timeout,
	})
}

func (c *configuration) store(client redis.UniversalClient) *store.Store {
	return store.New(client, store.Settings{
		Counting:      c.Counting,
		HashKey:       c.secrets.HashKey,
		UndeclaredCap: c.UndeclaredCap,
		CounterCap:    c.CounterCap,
		LogBudget:     c.EventLog,
	})
}
