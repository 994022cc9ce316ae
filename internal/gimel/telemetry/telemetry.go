// Package telemetry counts what the server does, for Prometheus and Graphite.
package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"provision/internal/gimel/event"
)

// Refusal says why an event got 503.
type Refusal int

// The refusals.
const (
	Busy     Refusal = iota // the queue was full
	NoRedis                 // Redis did not commit it
	Deadline                // the request took too long
	refusals
)

var refusalNames = [refusals]string{"busy", "redis", "deadline"}

// bounds are the upper bounds of all histograms, in seconds.
var bounds = []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}

// Counters counts. Use NewCounters. It is safe for concurrent use.
type Counters struct {
	registry *prometheus.Registry

	added, duplicate       prometheus.Counter
	dropped                map[event.Reason]prometheus.Counter // fixed after NewCounters
	refused                [refusals]prometheus.Counter
	unauthorized, unlogged prometheus.Counter
	commitEvents           prometheus.Counter
	commits, events        prometheus.Histogram
	requests               *prometheus.HistogramVec
}

// NewCounters makes counters at zero. queue tells how many events wait.
func NewCounters(version string, queue func() int) *Counters {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	in := promauto.With(registry)
	counter := func(name, help string) prometheus.Counter {
		return in.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds}
	}
	in.NewGaugeFunc(prometheus.GaugeOpts{Name: "gimel_build_info", Help: "The running version.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
	in.NewGaugeFunc(prometheus.GaugeOpts{Name: "gimel_queue_events", Help: "Events that wait for Redis."},
		func() float64 { return float64(queue()) })
	events := in.NewCounterVec(prometheus.CounterOpts{Name: "gimel_events_total", Help: "Events committed to Redis."}, []string{"outcome"})
	dropped := in.NewCounterVec(prometheus.CounterOpts{Name: "gimel_events_dropped_total", Help: "Events that can never be valid, answered 200."}, []string{"reason"})
	refused := in.NewCounterVec(prometheus.CounterOpts{Name: "gimel_events_refused_total", Help: "Events answered 503, to be sent again."}, []string{"why"})
	c := &Counters{
		registry: registry,
		added:    events.WithLabelValues("added"), duplicate: events.WithLabelValues("duplicate"),
		dropped:      map[event.Reason]prometheus.Counter{},
		unauthorized: counter("gimel_unauthorized_total", "Requests without the right key, password or session."),
		unlogged:     counter("gimel_events_unlogged_total", "Events counted, for which the log had no room."),
		commitEvents: counter("gimel_commit_events_total", "Events sent to Redis in batches."),
		commits:      in.NewHistogram(histogram("gimel_commit_seconds", "Time that Redis took for a batch.")),
		events:       in.NewHistogram(histogram("gimel_event_seconds", "Time from an event's request to its answer.")),
		requests:     in.NewHistogramVec(histogram("gimel_request_seconds", "Time that any other request took."), []string{"route"}),
	}
	for _, reason := range event.Reasons() {
		c.dropped[reason] = dropped.WithLabelValues(string(reason))
	}
	for why, name := range refusalNames {
		c.refused[why] = refused.WithLabelValues(name)
	}
	return c
}

// Handler answers as Prometheus asks.
func (c *Counters) Handler() http.Handler {
	return promhttp.HandlerFor(c.registry, promhttp.HandlerOpts{})
}

// Counted notes an event that Redis has committed.
func (c *Counters) Counted(added bool) {
	if added {
		c.added.Inc()
	} else {
		c.duplicate.Inc()
	}
}

// Unlogged notes an event that is counted, and for which the log had no room.
func (c *Counters) Unlogged() { c.unlogged.Inc() }

// Dropped notes an event that can never be valid.
func (c *Counters) Dropped(reason event.Reason) {
	if counter := c.dropped[reason]; counter != nil {
		counter.Inc()
	}
}

// Refused notes an event that got 503.
func (c *Counters) Refused(why Refusal) { c.refused[why].Inc() }

// Unauthorized notes a request without the right key, password or session.
func (c *Counters) Unauthorized() { c.unauthorized.Inc() }

// Committed notes one batch.
func (c *Counters) Committed(events int, took time.Duration) {
	c.commits.Observe(took.Seconds())
	c.commitEvents.Add(float64(events))
}

// Answered notes how long the answer to an event took.
func (c *Counters) Answered(took time.Duration) { c.events.Observe(took.Seconds()) }

// Served notes how long any other request took; routes are few and fixed.
func (c *Counters) Served(route string, took time.Duration) {
	c.requests.WithLabelValues(route).Observe(took.Seconds())
}
