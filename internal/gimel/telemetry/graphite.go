package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Graphite reports counters to a carbon over TCP, a line "path value time"
// each. It runs beside the server and never holds it up; a report that does
// not get through is lost, for the next one has the totals again.
type Graphite struct {
	Address  string
	Prefix   string
	Interval time.Duration
	Log      *slog.Logger
}

// paths are what Graphite is told, below the prefix; a label's value follows.
var paths = map[string]string{
	"gimel_events_total":         "events",
	"gimel_events_dropped_total": "dropped",
	"gimel_events_refused_total": "refused",
	"gimel_queue_events":         "queue",
}

// timeout bounds a connection to carbon, and one report.
const timeout = 2 * time.Second

// Run reports until the context ends.
func (g Graphite) Run(ctx context.Context, counters *Counters) {
	ticker := time.NewTicker(g.Interval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			err := g.report(ctx, counters, now)
			if err != nil && !failing {
				g.Log.Warn("graphite does not take the counters", "error", err)
			}
			failing = err != nil
		}
	}
}

func (g Graphite) report(ctx context.Context, counters *Counters, now time.Time) error {
	dialer := net.Dialer{Timeout: timeout}
	connection, err := dialer.DialContext(ctx, "tcp", g.Address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	families, err := counters.registry.Gather()
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, family := range families {
		path := paths[family.GetName()]
		for _, metric := range family.GetMetric() {
			if path == "" {
				break
			}
			name := g.Prefix + "." + path
			for _, label := range metric.GetLabel() {
				name += "." + label.GetValue()
			}
			// Of the two only one is there; the other is 0.
			fmt.Fprintf(&lines, "%s %.0f %d\n", name, metric.GetCounter().GetValue()+metric.GetGauge().GetValue(), now.Unix())
		}
	}
	_, err = connection.Write(lines.Bytes())
	return err
}
