// Package telemetry counts what the server does, for Prometheus and Graphite.
package telemetry

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

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

// bounds are the upper bounds of the histogram of commits, in seconds.
var bounds = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}

// Counters counts. Use NewCounters. It is safe for concurrent use.
type Counters struct {
	version string
	queue   func() int

	added, duplicate atomic.Int64
	dropped          map[event.Reason]*atomic.Int64 // fixed after NewCounters
	refused          [refusals]atomic.Int64
	unauthorized     atomic.Int64
	unlogged         atomic.Int64

	commits      [len(bounds) + 1]atomic.Int64
	commitEvents atomic.Int64
	commitNanos  atomic.Int64
}

// NewCounters makes counters at zero. queue tells how many events wait.
func NewCounters(version string, queue func() int) *Counters {
	c := &Counters{version: version, queue: queue, dropped: map[event.Reason]*atomic.Int64{}}
	for _, reason := range event.Reasons() {
		c.dropped[reason] = &atomic.Int64{}
	}
	return c
}

// Counted notes an event that Redis has committed.
func (c *Counters) Counted(added bool) {
	if added {
		c.added.Add(1)
	} else {
		c.duplicate.Add(1)
	}
}

// Unlogged notes an event that is counted, and for which the log had no room.
func (c *Counters) Unlogged() { c.unlogged.Add(1) }

// Dropped notes an event that can never be valid.
func (c *Counters) Dropped(reason event.Reason) {
	if counter := c.dropped[reason]; counter != nil {
		counter.Add(1)
	}
}

// Refused notes an event that got 503.
func (c *Counters) Refused(why Refusal) { c.refused[why].Add(1) }

// Unauthorized notes a request without the right key, password or session.
func (c *Counters) Unauthorized() { c.unauthorized.Add(1) }

// Committed notes one batch.
func (c *Counters) Committed(events int, took time.Duration) {
	slot := 0
	for slot < len(bounds) && took.Seconds() > bounds[slot] {
		slot++
	}
	c.commits[slot].Add(1)
	c.commitEvents.Add(int64(events))
	c.commitNanos.Add(int64(took))
}

// sample is one number with its Prometheus and its Graphite name.
type sample struct {
	labels, path string
	value        int64
}

func (c *Counters) events() []sample {
	return []sample{
		{`{outcome="added"}`, "events.added", c.added.Load()},
		{`{outcome="duplicate"}`, "events.duplicate", c.duplicate.Load()},
	}
}

func (c *Counters) drops() []sample {
	var samples []sample
	for _, reason := range event.Reasons() {
		samples = append(samples, sample{fmt.Sprintf("{reason=%q}", reason), "dropped." + string(reason), c.dropped[reason].Load()})
	}
	return samples
}

func (c *Counters) refusals() []sample {
	var samples []sample
	for why, name := range refusalNames {
		samples = append(samples, sample{fmt.Sprintf("{why=%q}", name), "refused." + name, c.refused[why].Load()})
	}
	return samples
}

// WritePrometheus writes all counters in the text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
func (c *Counters) WritePrometheus(w io.Writer) {
	family := func(name, kind, help string, samples []sample) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, s := range samples {
			fmt.Fprintf(w, "%s%s %d\n", name, s.labels, s.value)
		}
	}
	family("gimel_build_info", "gauge", "The running version.", []sample{{labels: fmt.Sprintf("{version=%q}", c.version), value: 1}})
	family("gimel_events_total", "counter", "Events committed to Redis.", c.events())
	family("gimel_events_dropped_total", "counter", "Events that can never be valid, answered 200.", c.drops())
	family("gimel_events_refused_total", "counter", "Events answered 503, to be sent again.", c.refusals())
	family("gimel_events_unlogged_total", "counter", "Events counted, for which the log had no room.", []sample{{value: c.unlogged.Load()}})
	family("gimel_unauthorized_total", "counter", "Requests without the right key, password or session.", []sample{{value: c.unauthorized.Load()}})
	family("gimel_queue_events", "gauge", "Events that wait for Redis.", []sample{{value: int64(c.queue())}})
	family("gimel_commit_events_total", "counter", "Events sent to Redis in batches.", []sample{{value: c.commitEvents.Load()}})

	const name = "gimel_commit_seconds"
	fmt.Fprintf(w, "# HELP %s Time that Redis took for a batch.\n# TYPE %s histogram\n", name, name)
	var total int64
	for slot, bound := range bounds {
		total += c.commits[slot].Load()
		fmt.Fprintf(w, "%s_bucket{le=\"%g\"} %d\n", name, bound, total)
	}
	total += c.commits[len(bounds)].Load()
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n",
		name, total, name, time.Duration(c.commitNanos.Load()).Seconds(), name, total)
}
