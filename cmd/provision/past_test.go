package main

import (
	"testing"

	"provision/internal/engine"
	"provision/internal/report"
)

// Who looks at hosts that failed, mends them by hand, or says no, still means them by @failed.
func TestDecides(t *testing.T) {
	for _, c := range []struct {
		command string
		ended   []engine.Status
		decides bool
	}{
		{"install graphite", []engine.Status{engine.StatusChanged, engine.StatusSame}, true},
		{"apply friday.plan", []engine.Status{engine.StatusSame}, true},
		{"install graphite", []engine.Status{engine.StatusSame, engine.StatusPending}, false},
		{"install graphite", []engine.Status{engine.StatusPending, engine.StatusUnreachable}, true},
		{"exec", []engine.Status{engine.StatusDone}, false},
		{"put", []engine.Status{engine.StatusDone}, false},
		{"do graphite backup", []engine.Status{engine.StatusDone}, false},
		{"verify", []engine.Status{engine.StatusVerified}, false},
		{"plan", []engine.Status{engine.StatusPending}, false},
		{"exec", []engine.Status{engine.StatusDone, engine.StatusFailed}, true},
		{"verify", []engine.Status{engine.StatusInterrupted}, true},
	} {
		run := report.PastRun{Command: c.command}
		for _, status := range c.ended {
			run.Hosts = append(run.Hosts, report.PastHost{Status: status})
		}
		if got := decides(run); got != c.decides {
			t.Errorf("%s, %v: %t", c.command, c.ended, got)
		}
	}
}
