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
	var lines bytes.Buffer
	samples := append(append(counters.events(), counters.drops()...), counters.refusals()...)
	samples = append(samples, sample{path: "queue", value: int64(counters.queue())})
	for _, s := range samples {
		fmt.Fprintf(&lines, "%s.%s %d %d\n", g.Prefix, s.path, s.value, now.Unix())
	}
	_, err = connection.Write(lines.Bytes())
	return err
}
