package eventlog

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics answers as Prometheus asks.
func (c *Consumer) metrics(version string) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{c, version})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// collector tells what the process has done, and asks Redis what waits in the
// logs whenever it is asked.
type collector struct {
	consumer *Consumer
	version  string
}

// Describe implements prometheus.Collector: it says nothing beforehand, for
// without Redis there is less.
func (collector) Describe(chan<- *prometheus.Desc) {}

// collectWithin bounds the questions to Redis.
const collectWithin = 5 * time.Second

// Collect implements prometheus.Collector.
func (o collector) Collect(metrics chan<- prometheus.Metric) {
	tell := func(kind prometheus.ValueType, name, help string, value float64) {
		metrics <- prometheus.MustNewConstMetric(prometheus.NewDesc("gimel_eventlog_"+name, help, nil, nil), kind, value)
	}
	build := prometheus.NewDesc("gimel_build_info", "The running version.", nil, prometheus.Labels{"version": o.version})
	metrics <- prometheus.MustNewConstMetric(build, prometheus.GaugeValue, 1)
	figures := &o.consumer.figures
	tell(prometheus.CounterValue, "rows_total", "Events committed to the sink.", float64(figures.rows.Load()))
	tell(prometheus.CounterValue, "batches_total", "Batches committed to the sink.", float64(figures.batches.Load()))
	tell(prometheus.CounterValue, "filled_total", "Events that were counted and not logged, and got a row without a time.", float64(figures.filled.Load()))
	tell(prometheus.CounterValue, "failures_total", "Batches that Redis or the sink refused, to be tried again.", float64(figures.failures.Load()))
	tell(prometheus.CounterValue, "unreadable_entries_total", "Entries of the logs that nobody can read, and that were taken out.", float64(figures.unreadable.Load()))
	tell(prometheus.GaugeValue, "refused_experiments", "Experiments of which the sink refuses what their log has, while it takes that of others.", float64(figures.aside.Load()))
	tell(prometheus.GaugeValue, "last_commit_timestamp_seconds", "When a batch was committed last.", float64(figures.lastCommit.Load()))

	ctx, cancel := context.WithTimeout(context.Background(), collectWithin)
	defer cancel()
	waiting, err := o.consumer.waiting(ctx)
	if err != nil {
		tell(prometheus.GaugeValue, "redis_up", "Whether Redis told what waits.", 0)
		return
	}
	tell(prometheus.GaugeValue, "redis_up", "Whether Redis told what waits.", 1)
	tell(prometheus.GaugeValue, "lag_seconds", "Age of the oldest event that is not in the sink.", waiting.lag.Seconds())
	tell(prometheus.GaugeValue, "waiting_entries", "Entries in the logs, each of one event or more.", float64(waiting.entries))
	tell(prometheus.GaugeValue, "waiting_bytes", "Memory of Redis that the logs take.", float64(waiting.bytes))
	tell(prometheus.GaugeValue, "missed_events", "Events that were counted, for which the log had no room, and that have no row yet.", float64(waiting.missed))
}

type waiting struct {
	lag                    time.Duration
	entries, bytes, missed int64
}

func (c *Consumer) waiting(ctx context.Context) (sum waiting, err error) {
	lives, err := c.store.Lives(ctx)
	if err != nil {
		return sum, err
	}
	backlogs, err := c.store.Backlogs(ctx, lives)
	if err != nil {
		return sum, err
	}
	for i, backlog := range backlogs {
		sum.entries += backlog.Entries
		sum.bytes += backlog.Bytes
		sum.missed += lives[i].Missed
		if !backlog.Oldest.IsZero() {
			sum.lag = max(sum.lag, time.Since(backlog.Oldest))
		}
	}
	return sum, nil
}
