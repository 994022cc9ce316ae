package main

import (
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/report"
)

// pastRun is a run that began and ended so many minutes after midnight.
func pastRun(command string, began, ended int, hosts ...report.PastHost) report.PastRun {
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	return report.PastRun{Command: command, Began: day.Add(time.Duration(began) * time.Minute), Seconds: float64(60 * (ended - began)), Hosts: hosts}
}

func adHoc(run report.PastRun) report.PastRun {
	run.AdHoc = true
	return run
}

func at(host string, status engine.Status) report.PastHost {
	return report.PastHost{Host: host, Status: status, ExitCode: codeOf(status, exitGood)}
}

// Each host is failed, unreachable or not begun by its own ends, whichever runs these were of.
func TestStanding(t *testing.T) {
	const (
		changed, same, verified, done, pending = engine.StatusChanged, engine.StatusSame, engine.StatusVerified, engine.StatusDone, engine.StatusPending
		failed, unreachable, notBegun          = engine.StatusFailed, engine.StatusUnreachable, engine.StatusNotBegun
	)
	for name, c := range map[string]struct {
		runs []report.PastRun
		want string // hosts in their order, with F, U and N
	}{
		"none": {nil, ""},
		"the last run first, in its order": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed), at("web2", changed)),
			pastRun("install", 2, 3, at("web4", failed), at("web3", unreachable)),
		}, "web4 F web3 FU web1 F"},
		"others went well meanwhile": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed), at("web2", notBegun)),
			pastRun("install", 2, 3, at("web2", changed)),
		}, "web1 F"},
		"made good": {[]report.PastRun{
			pastRun("install nginx", 0, 1, at("web1", failed), at("web2", unreachable), at("web3", notBegun)),
			pastRun("apply friday.plan", 2, 3, at("web1", changed), at("web2", same), at("web3", changed)),
		}, ""},
		"a longer run failed at the end, a shorter one was well": {[]report.PastRun{
			pastRun("install", 0, 30, at("web1", failed), at("web2", changed)),
			pastRun("install", 10, 12, at("web1", changed)),
		}, "web1 F"},
		"a longer run was well, a shorter one failed": {[]report.PastRun{
			pastRun("install", 0, 30, at("web1", changed)),
			pastRun("install", 10, 12, at("web1", failed)),
		}, "web1 F"},
		"looked at": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed), at("web2", notBegun)),
			pastRun("exec", 2, 3, at("web1", done), at("web2", done)),
			pastRun("verify", 4, 5, at("web1", verified)),
			pastRun("plan", 6, 7, at("web1", same), at("web2", pending)),
			pastRun("install --check", 8, 9, at("web1", same)),
			pastRun("put hosts /etc/hosts", 10, 11, at("web1", changed)),
		}, "web1 F web2 N"},
		"declined": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed), at("web2", failed)),
			pastRun("install", 2, 3, at("web1", pending), at("web2", same)),
		}, "web1 F"},
		"a look that failed, and the same again": {[]report.PastRun{
			pastRun("do graphite backup", 0, 1, at("web1", failed)),
			pastRun("plan", 0, 1, at("web2", unreachable)),
			pastRun("verify", 0, 1, at("web3", failed)),
			pastRun("do graphite backup", 2, 3, at("web1", done)),
			pastRun("plan", 4, 5, at("web2", pending)),
			pastRun("verify graphite", 6, 7, at("web3", verified)),
		}, "web3 F"},
		"what another command failed at": {[]report.PastRun{
			pastRun("exec", 0, 1, at("web1", failed)),
			pastRun("exec", 2, 3, at("web1", done)),
		}, "web1 F"},
		"not begun while failed": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed)),
			pastRun("install", 2, 3, at("web1", notBegun)),
		}, "web1 FN"},
		"others by -H": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", failed)),
			adHoc(pastRun("install", 2, 3, at("web1", changed), at("web2", failed))),
		}, "web1 F"},
		"unreachable, and then something else": {[]report.PastRun{
			pastRun("install", 0, 1, at("web1", unreachable)),
			pastRun("verify", 2, 3, at("web1", failed)),
		}, "web1 F"},
	} {
		var got []string
		for _, host := range standing(c.runs) {
			what := ""
			if host.failed != nil {
				what += "F"
				if host.failed.ExitCode == exitUnreachable {
					what += "U"
				}
			}
			if host.notBegun {
				what += "N"
			}
			got = append(got, host.host, what)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}
