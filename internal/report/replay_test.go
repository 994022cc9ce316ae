package report

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// thing is a resource that has only a name, for plans that are made by hand.
type thing string

func (t thing) ID() string { return string(t) }

func (t thing) Probes() []recipe.Probe {
	kind, name, _ := strings.Cut(string(t), ":")
	return []recipe.Probe{{Key: recipe.Key{Kind: recipe.Kind(kind), Name: name}}}
}

func (t thing) Diff(recipe.Facts) (recipe.Change, error) { return recipe.Change{}, nil }

func item(task, id string, change recipe.Change) engine.Planned {
	return engine.Planned{Item: recipe.Item{Resource: thing(id), Task: task}, Change: change}
}

const carbonConf = `# Made by provision: changes made here by hand are undone by its next run.
[cache]
STORAGE_DIR = /var/lib/graphite/
LOCAL_DATA_DIR = /var/lib/graphite/whisper/
USER = _graphite

# carbon knows no password. What is not loopback is guarded by a packet filter.
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = 2003
# 0 is off.
PICKLE_RECEIVER_PORT = 0
MAX_CREATES_PER_MINUTE = inf
`

const schemas = `[provision]
pattern = ^provision\.
retentions = 10s:1h

[carbon]
pattern = ^carbon\.
retentions = 60s:90d

[default]
pattern = .*
retentions = 10s:1d,1m:30d,10m:1y
`

// graphitePlan is like that of graphite on a host with an older configuration.
func graphitePlan() engine.Plan {
	create := func(summary string, after string) recipe.Change {
		return recipe.Change{Kind: recipe.Create, Summary: summary, Diff: &recipe.FileDiff{Path: "/x", After: []byte(after)}}
	}
	install := recipe.Change{Kind: recipe.Create, Summary: "install"}
	nginx := recipe.Change{Kind: recipe.MayBe, Until: "nginx-light is installed"}
	plan := engine.Plan{Platform: recipe.Platform{System: recipe.System{Release: 12, Codename: "bookworm", Arch: "amd64"}}, Items: []engine.Planned{
		item("nginx", "file:/etc/nginx/conf.d/provision.conf", create("0644 root:root", "server_tokens off;\nclient_max_body_size 10m;\n")),
		item("nginx", "package:nginx-light", install),
		item("nginx", "link:/etc/nginx/sites-enabled/default", nginx),
		item("graphite", "directory:/etc/carbon", recipe.Change{}),
		item("graphite", "file:/etc/carbon/carbon.conf", create("0644 root:root", carbonConf)),
		item("graphite", "file:/etc/carbon/storage-schemas.conf", recipe.Change{
			Kind: recipe.Update, Summary: "content differs",
			Deltas: []recipe.Delta{{Name: "mode", Before: "0644", After: "0640"}, {Name: "owner", Before: "root:root", After: "root:_graphite"}},
			Diff: &recipe.FileDiff{Path: "/etc/carbon/storage-schemas.conf", Exists: true,
				Before: []byte(strings.Replace(schemas, "10s:1d,1m:30d,10m:1y", "60s:1d", 1) + "x\n"), After: []byte(schemas)},
		}),
		item("graphite", "file:/etc/graphite/htpasswd", recipe.Change{Kind: recipe.Create, Summary: "0640 root:www-data", Diff: &recipe.FileDiff{Path: "/etc/graphite/htpasswd", Secret: true}}),
		item("graphite", "package:graphite-carbon", install),
		item("graphite", "package:graphite-web", install),
		item("graphite", "directory:/var/lib/graphite", recipe.Change{Kind: recipe.MayBe, Until: "graphite-carbon is installed"}),
		item("graphite", "directory:/var/log/carbon", recipe.Change{Kind: recipe.MayBe, Until: "graphite-carbon is installed"}),
		item("graphite", "service:carbon-cache.service", recipe.Change{Kind: recipe.MayBe, Until: "graphite-carbon is installed"}),
		item("graphite", "file:/etc/cron.daily/graphite-old", recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}),
		item("graphite", "command:migrate the database", recipe.Change{Kind: recipe.Act, Summary: "run"}),
		item("nginx", "service:nginx.service", nginx),
		item("graphite", "service:logrotate.timer", recipe.Change{Kind: recipe.MayBe, Until: "logrotate is installed"}),
	}}
	for i := range 22 {
		plan.Items = append(plan.Items, item("graphite", fmt.Sprintf("file:/same/%d", i), recipe.Change{}))
	}
	return plan
}

// moment is a part of a replayed run: an event, and how long it stays the last one.
type moment struct {
	event engine.Event
	stays time.Duration
}

// graphiteRun is an install of graphite on one host.
func graphiteRun(host string) []moment {
	plan := graphitePlan()
	run := []moment{
		{engine.Connecting{Address: host + ":22"}, 150 * time.Millisecond},
		{engine.Asking{}, 250 * time.Millisecond},
		{engine.PlanMade{Plan: plan}, 100 * time.Millisecond},
		{engine.Applying{Run: "20261123T031500-1"}, 100 * time.Millisecond},
	}
	times := map[string]time.Duration{"nginx-light": 2400, "graphite-carbon": 3100, "graphite-web": 1700, "nginx.service": 600, "carbon-cache.service": 1200, "migrate the database": 1900}
	for i, change := range plan.Changes() {
		_, name := shortName(change.Item.Resource.ID())
		took := max(times[name], 10) * time.Millisecond
		title := map[recipe.ChangeKind]string{recipe.Create: "write ", recipe.Delete: "remove "}[change.Change.Kind] + name
		if change.Change.Kind == recipe.MayBe {
			change.Change, title = becomes(change.Item.Resource.ID()), "set "+name
		}
		run = append(run,
			moment{engine.StepBegan{Number: i + 1, Title: title, Resource: change.Item.Resource.ID()}, took / 2},
			moment{engine.Output{Line: "Setting up " + name + " \x1b[32m(1.1.8-1)\x1b[0m ..."}, took / 2},
			moment{engine.StepEnded{Number: i + 1, Title: title, Elapsed: took}, 0},
			moment{engine.Changed(change), 0})
	}
	return append(run,
		moment{engine.Verifying{Checks: 2}, 300 * time.Millisecond},
		moment{engine.Checked{Check: recipe.Check{Name: "a metric comes back through nginx", From: recipe.FromHost}, Elapsed: 1300 * time.Millisecond}, 200 * time.Millisecond},
		moment{engine.Checked{Check: recipe.Check{Name: "without the password nobody is let in", From: recipe.FromController}, Elapsed: 40 * time.Millisecond}, 0},
		moment{engine.Finished{Status: engine.StatusChanged, Changed: 13, Same: 24, Elapsed: 41200 * time.Millisecond, After: []string{
			"Graphite answers at http://" + host + "/", "Its password is in /etc/graphite/password on the host.",
		}}, 0})
}

// becomes is what a change that may be turns out to be.
func becomes(id string) recipe.Change {
	delta := recipe.Delta{Name: "state", Before: "inactive", After: "running"}
	switch kind, _ := shortName(id); kind {
	case "link":
		return recipe.Change{Kind: recipe.Delete, Summary: "no longer wanted"}
	case "directory":
		delta = recipe.Delta{Name: "mode", Before: "0755", After: "0750"}
	}
	return recipe.Change{Kind: recipe.Update, Deltas: []recipe.Delta{delta}}
}

// brokenRun is an install whose nginx does not survive the new configuration.
func brokenRun() []moment {
	run := graphiteRun("web2")[:20]
	step := &engine.StepError{
		Step: recipe.Numbered{Number: 9, Resource: "service:nginx.service", Step: recipe.ControlUnit{Unit: "nginx.service", Verb: recipe.VerbRestart}}, Status: 1,
		Output: "Job for nginx.service failed because the control process exited with error code.\n" +
			"nginx[812]: nginx: [emerg] \x1b[31mcannot load certificate\x1b[0m \"/etc/ssl/private/graphite.pem\": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory)\n" +
			"systemd[1]: nginx.service: Main process exited, code=exited, status=1/FAILURE\n",
	}
	back := engine.Restored{Unit: "nginx.service", Paths: []string{"/etc/nginx/conf.d/provision.conf", "/etc/nginx/sites-enabled/graphite"}, Runs: true}
	return append(run,
		moment{engine.Note{Text: "a run that died on 22 November had left packages half configured: swept"}, 200 * time.Millisecond},
		moment{engine.Progress{Title: "upload gimel 1.4.0", Done: 0, Total: 31_000_000}, 400 * time.Millisecond},
		moment{engine.Progress{Title: "upload gimel 1.4.0", Done: 13_100_000, Total: 31_000_000}, 900 * time.Millisecond},
		moment{engine.Progress{Title: "upload gimel 1.4.0", Done: 31_000_000, Total: 31_000_000}, 100 * time.Millisecond},
		moment{engine.StepBegan{Number: 9, Title: "restart nginx.service", Resource: "service:nginx.service"}, 800 * time.Millisecond},
		moment{engine.StepEnded{Number: 9, Title: "restart nginx.service", Elapsed: 800 * time.Millisecond, Failed: true}, 0},
		moment{back, 300 * time.Millisecond},
		moment{engine.Finished{Status: engine.StatusFailed, Changed: 4, Same: 24, Elapsed: 12700 * time.Millisecond,
			Err: &engine.RestoredError{Failed: step, Restored: back}, Hint: "provision plan graphite -H web2"}, 0})
}

// interruptedRun is an install that Ctrl-C stopped after some of its steps.
func interruptedRun() []moment {
	return append(graphiteRun("web1")[:20], moment{engine.Finished{
		Status: engine.StatusInterrupted, Changed: 4, Same: 24, Elapsed: 9 * time.Second,
		Err: errors.New("interrupted"), Hint: "run the same command again: it goes on where this one stopped"}, 0})
}

// lostRun is a host that does not answer.
func lostRun() []moment {
	return []moment{
		{engine.Connecting{Address: "198.18.0.13:22"}, 3 * time.Second},
		{engine.Finished{Status: engine.StatusUnreachable, Elapsed: 10 * time.Second,
			Err: errors.New("connect to 198.18.0.13:22: no answer within 10 s"), Hint: "ssh -v root@web3"}, 0},
	}
}

// threeHosts is the run that the README shows: one host is unreachable.
func threeHosts() map[string][]moment {
	return map[string][]moment{"web1": graphiteRun("web1"), "web2": brokenRun(), "web3": lostRun()}
}

// cue is a moment in its place in a run on several hosts.
type cue struct {
	at    time.Duration // from the begin
	event engine.HostEvent
}

// timeline puts the runs of several hosts side by side.
func timeline(runs map[string][]moment) []cue {
	var cues []cue
	for _, host := range slices.Sorted(maps.Keys(runs)) {
		var at time.Duration
		for _, moment := range runs[host] {
			cues = append(cues, cue{at, engine.HostEvent{Host: host, Event: moment.event}})
			at += moment.stays
		}
	}
	return sorted(cues)
}

func sorted(cues []cue) []cue {
	slices.SortStableFunc(cues, func(a, b cue) int { return int(a.at - b.at) })
	return cues
}

// clock is a time that passes when it is told to.
type clock struct{ time time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 23, 3, 15, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.time }

// play tells a terminal of runs by the clock, and draws at each frame that passes.
func play(t *Terminal, c *clock, runs map[string][]moment) {
	playCues(t, c, timeline(runs))
}

func playCues(t *Terminal, c *clock, cues []cue) {
	begin := c.time
	for _, cue := range cues {
		for next := c.time.Add(frame); next.Before(begin.Add(cue.at)); next = c.time.Add(frame) {
			c.time = next
			t.tick()
		}
		c.time = begin.Add(cue.at)
		t.Event(cue.event)
	}
}
