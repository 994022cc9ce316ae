package run

import (
	"context"
	"fmt"
	"strings"

	"provision/internal/engine"
	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/script"
)

// That a host is drained is noted there for each task whose hooks did it: in a file of the task's name, with the
// first run since then. An empty one is of a task that was removed since: what it served is gone, so the host
// is out for good, and brought back when it has the task again.

// drainedMarks has these files.
const drainedMarks = script.State + "/drained"

// unnamed is the task of which a host says that it has left it drained where that is noted as builds before the first
// release did: in a file of that name, with the run and without the task.
const unnamed = "-"

// serving is a question that every host is asked: whether it has something to take out of service, and which
// tasks have left it drained.
func serving() recipe.Probe {
	return recipe.Probe{Key: recipe.CommandKey("what it serves"), Script: `cd ` + script.State + ` || exit 1
[ ! -f drained ] || { run=; read -r run <drained; echo "drained ` + unnamed + ` $run"; }
for mark in drained/*; do
[ -f "$mark" ] || continue
run=
read -r run <"$mark"
echo "drained ${mark#*/} $run"
done
for noted in wanted/*; do [ ! -e "$noted" ] || { echo serves; break; }; done`}
}

// serves takes what the host has said of that into a plan.
func (b Blueprint) serves(plan *engine.Plan, facts recipe.Facts) {
	for line := range strings.Lines(facts.Command(serving().Key.Name).Output) {
		words := append(strings.Fields(line), "", "", "")
		task, since := words[1], words[2]
		switch {
		case words[0] == "serves":
			plan.Serves = true
		case words[0] != "drained":
		case task == unnamed && len(b.Drains) == 0:
			plan.Told = append(plan.Told, b.leftUnnamed())
		case task == unnamed, b.drainedBy(task):
			plan.Drained = true
			if since != "" && (plan.DrainedSince == "" || since < plan.DrainedSince) {
				plan.DrainedSince = since
			}
		case since != "":
			plan.Told = append(plan.Told, b.leftBy(task, since))
		}
	}
}

// drainedBy reports whether the host's hooks are those of a task, by its name or by one that it had.
func (b Blueprint) drainedBy(task string) bool {
	for _, drain := range b.Drains {
		for _, name := range drain.names() {
			if name == task {
				return true
			}
		}
	}
	return false
}

// leftBy says that a host was left drained by a task that is none of its own any more, and what to type.
func (b Blueprint) leftBy(task, since string) string {
	return fmt.Sprintf("is still drained by %s, since run %s, and has that task no more: provision install %s %s%s brings it back", task, since, task, b.chosen(), b.Host.Name)
}

// chosen is the option that names the host.
func (b Blueprint) chosen() string {
	if b.From == memory.AdHoc {
		return "-H "
	}
	return "-l "
}

// leftUnnamed says that a host was left drained by one of the builds that did not note by which task.
func (b Blueprint) leftUnnamed() string {
	return fmt.Sprintf("is still drained, as an earlier build of provision has noted, and has no task that brings it back: an install of that one does, and provision exec %s%s -- rm %s where there is none", b.chosen(), b.Host.Name, drainedMarks)
}

// noteDrained notes on the host that it is drained. Where a run has left it so, that one stays the first.
func (j *job) noteDrained(ctx context.Context) error {
	text := "umask 022\nsince=" + script.Quote(j.host.run) + "\n[ ! -f " + drainedMarks + " ] || { read -r run <" + drainedMarks + "; since=${run:-$since}; rm " + drainedMarks + " || exit; }\nmkdir -p " + drainedMarks
	for _, drain := range j.Blueprint.Drains {
		mark := script.Quote(drainedMarks + "/" + drain.Task)
		text += " && { [ -s " + mark + " ] || echo \"$since\" >" + mark + "; }"
	}
	return j.host.session.Note(ctx, "that it is drained", text+" && sync "+drainedMarks+"/*")
}

// forgetDrained is sh after which it is not noted any more that a task has drained the host.
func (d Drain) forgetDrained() string {
	text := "rm -f"
	for _, name := range d.names() {
		text += " " + script.Quote(drainedMarks+"/"+name)
	}
	return text
}

// keepDrained is sh after which it is noted that the host is out until it has the task again.
func (d Drain) keepDrained() string {
	return d.forgetDrained() + " && : >" + script.Quote(drainedMarks+"/"+d.Task)
}
