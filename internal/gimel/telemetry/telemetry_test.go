package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"provision/internal/gimel/event"
)

func TestPrometheusText(t *testing.T) {
	c := NewCounters(`1.0"x`, func() int { return 7 })
	c.Counted(true)
	c.Counted(true)
	c.Counted(false)
	c.Dropped(event.Colon)
	c.Unlogged()
	c.Refused(NoRedis)
	c.Committed(3, 2*time.Millisecond)
	c.Committed(5, 10*time.Second)
	c.Answered(700 * time.Microsecond)
	c.Served("GET /api/v1/experiments", time.Millisecond)
	answer := httptest.NewRecorder()
	c.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text := answer.Body.String()
	for _, want := range []string{
		`gimel_build_info{version="1.0\"x"} 1`,
		`gimel_events_total{outcome="added"} 2`,
		`gimel_events_total{outcome="duplicate"} 1`,
		`gimel_events_dropped_total{reason="colon"} 1`,
		`gimel_events_dropped_total{reason="archived"} 0`,
		`gimel_events_refused_total{why="redis"} 1`,
		`gimel_events_unlogged_total 1`,
		`gimel_queue_events 7`,
		`gimel_commit_events_total 8`,
		`gimel_commit_seconds_bucket{le="0.001"} 0`,
		`gimel_commit_seconds_bucket{le="0.0025"} 1`,
		`gimel_commit_seconds_bucket{le="+Inf"} 2`,
		`gimel_commit_seconds_sum 10.002`,
		`gimel_commit_seconds_count 2`,
		`gimel_event_seconds_bucket{le="0.0005"} 0`,
		`gimel_event_seconds_bucket{le="0.001"} 1`,
		`gimel_request_seconds_count{route="GET /api/v1/experiments"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestGraphiteGetsTheCounters(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c := NewCounters("1", func() int { return 3 })
	c.Counted(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go Graphite{Address: listener.Addr().String(), Prefix: "ab.gimel", Interval: time.Millisecond, Log: slog.New(slog.DiscardHandler)}.Run(ctx, c)
	connection, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	report, err := io.ReadAll(connection)
	for _, want := range []string{"ab.gimel.events.added 1 ", "ab.gimel.events.duplicate 0 ", "ab.gimel.dropped.colon 0 ", "ab.gimel.refused.busy 0 ", "ab.gimel.queue 3 "} {
		if err != nil || !strings.Contains("\n"+string(report), "\n"+want) {
			t.Errorf("%q is not in %q, %v", want, report, err)
		}
	}
}
