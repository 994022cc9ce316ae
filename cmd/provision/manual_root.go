package main

import "strconv"

// entry is a term of a manual page with what it means.
type entry struct{ term, meaning string }

// manualSection is a part of a manual page: what it begins with, "" for nothing, and its terms.
type manualSection struct {
	title, intro string
	entries      []entry
}

// rootSections are what provision(1) tells beyond --help: what holds for every verb.
func rootSections() []manualSection {
	return []manualSection{
		{"EXIT STATUS", "Of several at once it is the one that stands first here.", exitStatuses()},
		{"ENVIRONMENT", "", []entry{
			{"PROVISION_INVENTORY", "the inventory, where --inventory does not say it"},
			{"PROVISION_LOG, PROVISION_ON_FAILURE", "as --log and --on-failure"},
			{"PAGER", "what a plan is shown with before the question; less without it"},
			{"VISUAL, EDITOR", "what secret edit opens"},
			{"NO_COLOR", "nothing is coloured"},
			{"XDG_CACHE_HOME", "where the cache is, instead of ~/.cache"},
		}},
		{"FILES", "", []entry{
			{"hosts.yaml, tasks/", "the inventory and the tasks beside it, where you are"},
			{"~/.ssh/config, known_hosts", "as ssh(1) has them"},
			{"~/.config/provision/age.key", "the private key for secrets in the inventory, beside those of ~/.ssh"},
			{"~/.cache/provision", "what hosts said of themselves, and what your last runs did"},
			{"/var/lib/provision", "on a host: its lock, its journal, and what was there before"},
		}},
	}
}

// exitStatuses are the exit codes in the order of foremost; docs/reference.md has the same table.
func exitStatuses() []entry {
	var all []entry
	for _, row := range []struct {
		code    int
		meaning string
	}{
		{exitInterrupted, "interrupted"},
		{exitUsage, "wrong usage, or an internal error: nothing was tried; or what was asked for beside the hosts' work failed: the output, --log, --graphite, the command of --on-failure"},
		{exitFailed, "a host failed: a step, a check, a command"},
		{exitNotConverged, "did not converge"},
		{exitLocked, "locked by another run, or the plan is stale"},
		{exitUnreachable, "a host was unreachable"},
		{exitPending, "drift: something differs; plan --detailed-exitcode: there are changes"},
		{exitGood, "converged, or applied and proven"},
	} {
		all = append(all, entry{strconv.Itoa(row.code), row.meaning})
	}
	return all
}
