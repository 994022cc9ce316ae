package tasks

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"provision/internal/engine"
	"provision/internal/recipe"
	"provision/internal/resource"
)

// What listens where a task would is told by the plan, also of a host that has none of its
// packages yet, and the variable that leads elsewhere does.
func TestPlanTellsWhoHoldsAPort(t *testing.T) {
	for _, c := range []struct {
		task   string
		raw    map[string]any
		port   int
		hinted string
	}{
		{"graphite", nil, 80, "graphite.port"},
		{"graphite", map[string]any{"tls": "self-signed"}, 443, "graphite.port"},
		{"graphite", map[string]any{"tls": "self-signed", "port": 8443}, 80, ""},
		{"graphite", map[string]any{"port": 8080}, 80, ""},
		{"graphite", map[string]any{"port": 8080}, 8080, "graphite.port"},
		{"graphite", nil, 2003, "systemctl"},
		{"graphite", nil, 2004, ""},
		{"graphite", map[string]any{"carbon_pickle": true}, 2004, "systemctl"},
		{"graphite", nil, 7002, "systemctl"},
		{"redis", nil, 6379, ""},
		{"redis", map[string]any{"bind": []any{"10.1.2.3"}}, 6379, "redis.port"},
		{"gimel", nil, 80, "systemctl"},
		{"gimel", nil, 443, "systemctl"},
		{"nginx", nil, 80, ""},
	} {
		for _, platform := range recipe.Platforms() {
			built := build(t, taskNamed(t, c.task), platform, c.raw)
			facts := bareHost(platform).Facts.Clone()
			facts[recipe.ListenerKey(c.port)] = recipe.Fact{Value: []recipe.Listener{{Address: netip.IPv6Unspecified(), Process: "another", Unit: "another.service"}}}
			_, err := engine.NewPlan(built, facts)
			var held *resource.HeldError
			switch {
			case c.hinted == "" && err != nil:
				t.Errorf("%s %v: %v", c.task, c.raw, err)
			case c.hinted != "" && (!errors.As(err, &held) || !strings.HasPrefix(err.Error(), "port "+strconv.Itoa(c.port)+" is held by another") || !strings.Contains(held.Hint(), c.hinted)):
				t.Errorf("%s %v, port %d: got %v, want the hint %s", c.task, c.raw, c.port, err, c.hinted)
			}
		}
	}
}
