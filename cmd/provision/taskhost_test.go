package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"provision/internal/memory"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/tasks"
)

// builtTask is what a task does to the hosts of its example, on each release.
type builtTask struct {
	task   recipe.Task
	traces []recipe.Trace
	on     map[string][]int // the releases that a trace is of, by its identity
	checks []recipe.Check
}

// buildExample builds a task for all hosts of its example that have it, each bare.
func buildExample(t *testing.T, task recipe.Task) builtTask {
	t.Helper()
	built := builtTask{task: task, on: map[string][]int{}}
	for _, work := range exampleWork(t, task) {
		alone := work.Blueprint
		if !has(alone.Tasks, task.Name) {
			continue
		}
		alone.Tasks = []recipe.Task{task}
		for _, platform := range recipe.Platforms() {
			if platform.Arch != "amd64" {
				continue
			}
			wanted, err := alone.Recipe(platform)
			if err != nil {
				t.Fatal(err)
			}
			checks, err := alone.Checks(platform)
			if err != nil {
				t.Fatal(err)
			}
			built.add(platform.Release, memory.Of(task.Name, wanted).Traces, checks)
		}
	}
	return built
}

// No kind of thing that a task that ships brings is left out of its page.
func TestAllOnTheHostIsOnThePage(t *testing.T) {
	for _, task := range tasks.All() {
		for _, trace := range buildExample(t, task).traces {
			if !slices.ContainsFunc(hostRows, func(row hostRow) bool { return slices.Contains(row.kinds, trace.Kind) }) {
				t.Errorf("%s: %s %s is in no row", task.Name, trace.Kind, trace.Name)
			}
		}
	}
}

func (b *builtTask) add(release int, traces []recipe.Trace, checks []recipe.Check) {
	for _, trace := range traces {
		trace.Before = &recipe.Before{Nothing: true}
		id := trace.Identity()
		if b.on[id] == nil {
			b.traces = append(b.traces, trace)
		}
		if !slices.Contains(b.on[id], release) {
			b.on[id] = append(b.on[id], release)
		}
	}
	for _, check := range checks {
		if !slices.ContainsFunc(b.checks, func(c recipe.Check) bool { return c.Name == check.Name }) {
			b.checks = append(b.checks, check)
		}
	}
}

func (b builtTask) verifySection() string {
	var out strings.Builder
	out.WriteString("\n## What verify proves\n\nOf the example, at the end of each install and by `provision verify " + b.task.Name + "`:\n\n")
	for _, check := range b.checks {
		from := ""
		if check.From == recipe.FromController {
			from = " (asked from where you are)"
		}
		fmt.Fprintf(&out, "- %s%s\n", prose(check.Name), from)
	}
	return out.String()
}

type hostRow struct {
	title string
	kinds []string
}

// The rows of what is on the host: their titles, and the kinds of traces in each.
var hostRows = []hostRow{
	{"packages", []string{"package"}},
	{"services", []string{"service"}},
	{"files", []string{"file", "link"}},
	{"in files of others", []string{"line", "block", "authorized_key"}},
	{"made on the host", []string{"secret", "certificate"}},
	{"directories", []string{"directory", "tree"}},
	{"accounts", []string{"user", "group", "membership"}},
	{"commands", []string{"command"}},
}

func (b builtTask) hostSection() string {
	var out strings.Builder
	out.WriteString("\n## On the host\n\nWhat the example brings to a host that was bare:\n\n| | |\n| --- | --- |\n")
	for _, row := range hostRows {
		var names, gone []string
		for _, trace := range b.traces {
			switch {
			case !slices.Contains(row.kinds, trace.Kind):
			case trace.Gone:
				gone = append(gone, b.named(trace))
			default:
				names = append(names, b.named(trace))
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(&out, "| %s | %s |\n", row.title, strings.Join(names, ", "))
		}
		if len(gone) > 0 {
			fmt.Fprintf(&out, "| %s that are taken away | %s |\n", row.title, strings.Join(gone, ", "))
		}
		if listens := b.listens(); row.title == "services" && len(listens) > 0 {
			fmt.Fprintf(&out, "| they listen at | %s |\n", strings.Join(listens, ", "))
		}
	}
	return out.String() + "\n" + b.removal()
}

// listens are the ports and sockets of all services, a port without an address at all of the host's.
func (b builtTask) listens() []string {
	var all []string
	for _, trace := range b.traces {
		for _, at := range trace.Listens {
			if at = "`" + at + "`"; !slices.Contains(all, at) {
				all = append(all, at)
			}
		}
	}
	return all
}

// named is a thing, with the release where it is not on both.
func (b builtTask) named(trace recipe.Trace) string {
	name := "`" + trace.Name + "`"
	switch trace.Kind {
	case "command":
		name = prose(trace.Name)
	case "line", "block", "authorized_key":
		name = trace.Kind + " `" + trace.Called() + "` of " + name
	case "membership":
		name = "`" + trace.Name + "` in `" + trace.Group + "`"
	}
	if on := b.on[trace.Identity()]; len(on) == 1 {
		name += fmt.Sprintf(" (Debian %d)", on[0])
	}
	return name
}

// removal says what a removal leaves on a host that was bare.
func (b builtTask) removal() string {
	text := "`provision remove " + b.task.Name + "` takes it away, and what stood there before comes back."
	if stays := b.stays(false); len(stays) > 0 {
		text += " These stay, unless `--purge` says otherwise: " + strings.Join(stays, "; ") + "."
	}
	if stays := b.stays(true); len(stays) > 0 {
		text += " Even then stays: " + strings.Join(stays, "; ") + "."
	}
	if slices.ContainsFunc(b.traces, func(t recipe.Trace) bool { return t.Kind == "command" && !t.Made }) {
		text += " What its commands did stays done."
	}
	if slices.ContainsFunc(b.traces, func(t recipe.Trace) bool { return t.Kind == "directory" && !t.Data && !t.Gone }) {
		text += " A directory in which there is something else stays."
	}
	return text + "\n"
}

// stays is what a removal leaves but for what commands did, by its kind.
func (b builtTask) stays(purge bool) []string {
	leaving := resource.Leaving{Traces: b.traces, Purge: purge}
	byKind := map[string][]string{}
	for _, trace := range b.traces {
		_, stays := leaving.Resource(trace)
		kind, name, _ := strings.Cut(stays, " ")
		switch {
		case trace.Kind == "directory" && trace.Data && !trace.Gone && !purge:
			kind, name = "data", trace.Name
		case stays == "", trace.Kind == "command":
			continue
		}
		byKind[kind] = append(byKind[kind], "`"+name+"`")
	}
	var all []string
	for _, kind := range []struct{ name, one, several string }{
		{"package", "the package", "the packages"}, {"tree", "the directory", "the directories"}, {"data", "what is in", "what is in"},
		{"certificate", "the certificate", "the certificates"}, {"secret", "the secret", "the secrets"}, {"group", "the group", "the groups"}, {"user", "the account", "the accounts"},
	} {
		switch names := byKind[kind.name]; len(names) {
		case 0:
		case 1:
			all = append(all, kind.one+" "+names[0])
		default:
			all = append(all, kind.several+" "+strings.Join(names, ", "))
		}
	}
	return all
}
