package store

import (
	"errors"
	"slices"
	"testing"
)

func TestRedisURL(t *testing.T) {
	tests := map[string]struct {
		addresses []string
		user      string
		master    string
		db        int
		tls       bool
		cluster   bool
	}{
		"unix:///run/redis/redis-server.sock":      {addresses: []string{"/run/redis/redis-server.sock"}},
		"unix://gimel@/run/redis/redis.sock":       {addresses: []string{"/run/redis/redis.sock"}, user: "gimel"},
		"redis://localhost":                        {addresses: []string{"localhost:6379"}},
		"redis://[::1]":                            {addresses: []string{"[::1]:6379"}},
		"redis://[::1]:7000/3":                     {addresses: []string{"[::1]:7000"}, db: 3},
		"rediss://gi%20mel@host:1/2":               {addresses: []string{"host:1"}, user: "gi mel", db: 2, tls: true},
		"redis+sentinel://a:1,b/main/1":            {addresses: []string{"a:1", "b:26379"}, master: "main", db: 1},
		"redis+cluster://a:1,b:2":                  {addresses: []string{"a:1", "b:2"}, cluster: true},
		"rediss+cluster://gimel@a:7000,[::2]:7001": {addresses: []string{"a:7000", "[::2]:7001"}, user: "gimel", tls: true, cluster: true},
	}
	for url, want := range tests {
		t.Run(url, func(t *testing.T) {
			got, err := Address{URL: url}.options()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Addrs, want.addresses) || got.Username != want.user || got.MasterName != want.master ||
				got.DB != want.db || (got.TLSConfig != nil) != want.tls || got.IsClusterMode != want.cluster {
				t.Errorf("options = %+v", got)
			}
		})
	}
}

func TestRedisURLRefused(t *testing.T) {
	for _, url := range []string{"", "localhost", "http://a", "redis://", "redis://a:0", "redis://a:70000", "redis://a:x",
		"redis://a,b", "redis://a/x", "redis://a/-1", "unix://relative", "redis+sentinel://a", "redis+cluster://a/1", "redisx://a"} {
		if _, err := (Address{URL: url}).options(); err == nil {
			t.Errorf("%q accepted", url)
		}
	}
	if _, err := (Address{URL: "redis://u:secret@h"}).options(); !errors.Is(err, ErrPasswordInURL) {
		t.Errorf("password in URL: %v", err)
	}
}
