package run

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/project"
	"provision/internal/recipe"
)

const fiftyFiles = `
-- tasks/many.star --
variables = [var("name", str, default = "x")]
facts = [fact("kernel", "uname -r")]

def build(v, host):
    return [
        file("/etc/many/%d" % i, template("a.tmpl", name = v.name, kernel = host.facts.kernel, number = i), mode = "0640", notify = restart("many.service")) if i % 2 else directory("/var/many/%d" % i, owner = "many")
        for i in range(49)
    ] + [service("many.service")]
-- tasks/templates/a.tmpl --
# Of {{ .name }}, {{ .kernel }}.
number = {{ .number }}
name = {{ iniValue .name }}
`

// BenchmarkBuildsOfHosts builds for a thousand hosts that are alike, side by side, what a converged run
// builds of a task of 50 resources: before the connection, and of what the host says then, as it said last
// where that was kept.
func BenchmarkBuildsOfHosts(b *testing.B) {
	p := projectOf(b, fiftyFiles)
	task := p.Tasks()[0]
	platform := recipe.Platforms()[0]
	platform.Hostname = "web1"
	known := Known{Platform: platform, Said: map[string]string{"many.kernel": "6.1"}}
	answer := recipe.Answer{Platform: platform, Facts: recipe.Facts{recipe.FactKey("many.kernel"): {Value: recipe.Said{Text: "6.1"}}}}
	for name, last := range map[string]Last{"first": nil, "asked before": kept{"web1": known}} {
		b.Run(name, func(b *testing.B) {
			benchmarkBuilds(b, task, last, answer)
		})
	}
}

// projectOf is a project of these files.
func projectOf(t testing.TB, files string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	for _, file := range txtar.Parse([]byte(files)).Files {
		path := filepath.Join(dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := project.Open(dir, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func benchmarkBuilds(b *testing.B, task recipe.Task, last Last, answer recipe.Answer) {
	counts := make([]int, 1000) // of each host, whose builds go on one after the other
	work := make([]Work, len(counts))
	for i := range work {
		counted := task
		counted.Build = func(in recipe.Input) (recipe.Recipe, error) {
			counts[i]++
			return task.Build(in)
		}
		work[i] = Work{Target: Target{Name: "web1"}, Blueprint: Blueprint{
			Tasks: []recipe.Task{counted}, Values: map[string]recipe.Values{"many": {"name": "x"}}, Host: recipe.Listed{Name: "web1"},
		}}
	}
	before := processorTime(b)
	hosts := 0
	for b.Loop() {
		ready := prepare(work, last, nil)
		jobs := make([]*job, len(work))
		for i, w := range work {
			if ready[i].failed != nil {
				b.Fatal(ready[i].failed)
			}
			w.Blueprint.asking = ready[i].asking
			jobs[i] = &job{Work: w, clock: &clock{}}
		}
		each(jobs, defaultSideBySide, func(j *job) {
			made, err := host{}.build(b.Context(), j.Blueprint, answer)
			if err == nil {
				_, err = j.Blueprint.wants(answer.Platform, made)
			}
			if err != nil {
				b.Error(err)
			}
		})
		hosts += len(work)
	}
	spent, builds := processorTime(b)-before, 0
	for _, n := range counts {
		builds += n
	}
	b.ReportMetric(float64(builds)/float64(hosts), "builds/host")
	b.ReportMetric(float64(spent)/1000/float64(hosts), "cpu-µs/host")
}

// defaultSideBySide is how many hosts are worked on at once, where nothing else is said.
const defaultSideBySide = 30

// processorTime is what this process has taken of processors, in nanoseconds.
func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
