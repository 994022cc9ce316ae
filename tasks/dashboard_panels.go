package tasks

// shippedPanels are the dashboards that come with the task: of carbon's own metrics, of what statsd
// sends, and of what collectd sends of hosts.
func shippedPanels() []map[string]string {
	var all []map[string]string
	add := func(dashboard string, panels ...map[string]string) {
		for _, panel := range panels {
			panel["dashboard"] = dashboard
			all = append(all, panel)
		}
	}
	add("Graphite", carbonPanels()...)
	add("statsd", statsdPanels()...)
	add("Hosts", hostPanels()...)
	return all
}

// carbonPanels are of what carbon tells of itself once a minute (carbon/instrumentation.py).
func carbonPanels() []map[string]string {
	const agents = "carbon.agents.*."
	return []map[string]string{
		{"title": "Points received", "unit": "/min", "style": "area", "target": "alias(sumSeries(" + agents + "metricsReceived), 'received')"},
		{"title": "Written to disk", "unit": "/min", "target": "alias(sumSeries(" + agents + "committedPoints), 'points'), alias(sumSeries(" + agents + "updateOperations), 'writes')"},
		{"title": "Waiting in memory", "unit": "points", "style": "area", "target": "alias(sumSeries(" + agents + "cache.size), 'points')"},
		{"title": "New metrics", "unit": "/min", "target": "alias(sumSeries(" + agents + "creates), 'made'), alias(sumSeries(" + agents + "droppedCreates), 'dropped')"},
		{"title": "Memory of carbon", "unit": "bytes", "style": "area", "target": "aliasByNode(" + agents + "memUsage, 2)"},
		{"title": "Errors of carbon", "unit": "/min", "target": "alias(sumSeries(" + agents + "errors), 'errors')"},
	}
}

// statsdPanels are of the names that statsd has without its legacy namespace. Names of users have any
// number of parts: two are looked at.
func statsdPanels() []map[string]string {
	named := func(kind, value string) string {
		series := "group(stats." + kind + ".*" + value + ", stats." + kind + ".*.*" + value + ")"
		pattern := `^stats\.` + kind + `\.(.*?)`
		if value != "" {
			pattern += `\` + value
		}
		return "aliasSub(highestMax(" + series + ", 8), '" + pattern + `$', '\1')`
	}
	return []map[string]string{
		{"title": "Busiest counters", "unit": "/s", "target": named("counters", ".rate")},
		{"title": "Slowest timers", "unit": "milliseconds", "about": "of nine in ten, the slowest", "target": named("timers", ".upper_90")},
		{"title": "Gauges", "target": named("gauges", "")},
		{"title": "Packets to statsd", "unit": "/s", "style": "area", "target": "alias(stats.counters.statsd.packets_received.rate, 'received'), alias(stats.counters.statsd.bad_lines_seen.rate, 'not understood')"},
	}
}

// hostPanels are of collectd's names, as write_graphite sends them with the prefix collectd.
func hostPanels() []map[string]string {
	return []map[string]string{
		{"title": "Load", "target": "aliasByNode(collectd.*.load.load.shortterm, 1)"},
		{"title": "Processor", "unit": "percent", "minimum": "0", "maximum": "100", "target": "aliasByNode(offset(scale(collectd.*.cpu.percent-idle, -1), 100), 1)"},
		{"title": "Memory in use", "unit": "bytes", "minimum": "0", "target": "aliasByNode(collectd.*.memory.memory-used, 1)"},
		{"title": "Disk in use", "unit": "percent", "minimum": "0", "maximum": "100", "target": "aliasByNode(collectd.*.df-*.percent_bytes-used, 1, 2)"},
		{"title": "Network, received", "unit": "bytes/s", "minimum": "0", "target": "aliasByNode(collectd.*.interface-*.if_octets.rx, 1, 2)"},
		{"title": "Network, sent", "unit": "bytes/s", "minimum": "0", "target": "aliasByNode(collectd.*.interface-*.if_octets.tx, 1, 2)"},
	}
}
