package main

import (
	"slices"
	"strings"
	"time"

	"provision/internal/engine"
	"provision/internal/report"
)

// What -l means by @failed, @unreachable and @notbegun is said host by host, by the host's own ends in the runs that
// are remembered. So neither a run on other hosts nor a shorter one at the same time hides a host that failed.

// unwell is a host of which an end stands that was not good: no later run says otherwise.
type unwell struct {
	host     string
	failed   *report.PastHost // the last such end where it was tried; nil where none stands
	notBegun bool             // and one where it was not its turn any more
}

// brings reports whether a command brings hosts to what they should be, or to what they were.
func brings(command string) bool {
	verb, _, _ := strings.Cut(command, " ")
	return slices.Contains([]string{"install", "deploy", "apply", "remove", "rollback"}, verb) && !plans(command)
}

// plans reports whether a command makes plans, and nothing of them.
func plans(command string) bool {
	return command == "plan" || strings.HasPrefix(command, "plan ") || strings.HasSuffix(command, checkOnly)
}

// checkOnly is how a command ends that was given --check.
const checkOnly = " --check"

// says reports whether an end says how a host is: one that was not begun does not, nor one whose changes somebody
// declined.
func says(run report.PastRun, host report.PastHost) bool {
	return host.Status != engine.StatusNotBegun && (host.Status != engine.StatusPending || plans(run.Command))
}

// good reports whether an end is no reason to do it again.
func good(status engine.Status) bool { return codeOf(status, exitGood) == exitGood }

// standing are the hosts with an end that stands, of runs, the oldest first: those of the last run come first, as
// that had them. Such an end is settled by a run that began after it and says how the host is, where that brings
// hosts to what they should be or is the same command: to look at a host, or to mend it by hand, settles nothing. Of
// exec the command is not remembered, so two are never the same. Runs with -H count for nothing: who is named there need
// not be in the inventory.
func standing(runs []report.PastRun) []unwell {
	runs = slices.DeleteFunc(slices.Clone(runs), func(run report.PastRun) bool { return run.AdHoc })
	type what struct{ host, command string }
	settled := map[what]time.Time{} // when the last run began that settles ends of a host, of which command; "" is any
	for _, run := range runs {
		for _, host := range run.Hosts {
			by := what{host.Host, run.Command}
			switch {
			case brings(run.Command):
				by.command = ""
			case run.Command == "exec":
				continue
			}
			if says(run, host) && run.Began.After(settled[by]) {
				settled[by] = run.Began
			}
		}
	}
	var all []unwell
	at := map[string]int{}
	for _, run := range slices.Backward(runs) {
		ended := run.Began.Add(time.Duration(run.Seconds * float64(time.Second)))
		for i, host := range run.Hosts {
			if good(host.Status) || settled[what{host.Host, ""}].After(ended) || settled[what{host.Host, run.Command}].After(ended) {
				continue
			}
			if _, there := at[host.Host]; !there {
				at[host.Host] = len(all)
				all = append(all, unwell{host: host.Host})
			}
			one := &all[at[host.Host]]
			switch {
			case host.Status == engine.StatusNotBegun:
				one.notBegun = true
			case one.failed == nil:
				one.failed = &run.Hosts[i]
			}
		}
	}
	return all
}
