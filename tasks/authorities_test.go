package tasks

import (
	"slices"
	"testing"

	"provision/internal/recipe"
	"provision/internal/resource"
)

// A client of TLS on a bare host trusts nobody: Debian's authorities are in a package.
func TestWhoeverChecksCertificatesBringsAuthorities(t *testing.T) {
	rule := map[string]any{"rules": []any{map[string]any{"name": "load", "target": "load", "warn": "8"}}}
	with := func(values map[string]any) map[string]any {
		for name, value := range rule {
			values[name] = value
		}
		return values
	}
	for name, test := range map[string]struct {
		task  string
		raw   map[string]any
		wants bool
	}{
		"a webhook":                     {"gimel", map[string]any{"webhook": "https://hooks.example.org/x"}, true},
		"a webhook of the host":         {"gimel", map[string]any{"webhook": "http://127.0.0.1:8065/x"}, false},
		"Redis by TLS":                  {"gimel", map[string]any{"redis_url": "rediss://gimel@redis.example.org:6380", "redis_password": "correct-horse"}, true},
		"Redis by TLS and a CA of ours": {"gimel", gimelOptions["redis elsewhere"], false},
		"BigQuery":                      {"gimel", gimelOptions["events in BigQuery"], true},
		"BigQuery and a webhook":        {"gimel", map[string]any{"webhook": "https://hooks.example.org/x", "event_log": "bigquery", "bigquery_dataset": "shop-analytics.gimel", "bigquery_credentials": serviceAccountKey}, true},
		"Graphite elsewhere":            {"alerts", with(map[string]any{"url": "https://graphite.example.org", "command": "cat"}), true},
		"Graphite with a CA of ours":    {"alerts", with(map[string]any{"url": "https://graphite.example.org", "command": "cat", "ca_file": "/etc/ssl/ours.pem"}), false},
		"Graphite on the host":          {"alerts", with(map[string]any{"command": "cat"}), false},
		"alerts by mail":                {"alerts", with(map[string]any{"mail_to": []any{"ops@example.org"}, "smtp_host": "mail.example.org"}), true},
	} {
		t.Run(name, func(t *testing.T) {
			task := taskNamed(t, test.task)
			built, err := task.Build(input(t, task, recipe.Platforms()[0], test.raw))
			if err != nil {
				t.Fatal(err)
			}
			brought := slices.ContainsFunc(built.Items, func(item recipe.Item) bool {
				one, is := item.Resource.(resource.Package)
				return is && one.Name == "ca-certificates"
			})
			if brought != test.wants {
				t.Errorf("brings Debian's authorities: %v, wanted %v", brought, test.wants)
			}
		})
	}
}
