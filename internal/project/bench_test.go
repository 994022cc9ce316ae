package project

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"provision/internal/recipe"
)

// workload is the project of examples/workload.
func workload(t testing.TB) *Project {
	t.Helper()
	p, err := Open("../../examples/workload", Options{Shipped: shipped()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The example is as long as it is said to be, and brings as much.
func TestWorkload(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../examples/workload/tasks/workload/task.star"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines >= 60 {
		t.Errorf("%d lines", lines)
	}
	r := built(t, workload(t), nil)
	r.Label("workload")
	joined, err := recipe.Join(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := joined.Validate(); err != nil || len(joined.Items) < 30 {
		t.Errorf("%d resources: %v", len(joined.Items), err)
	}
	templates := 0
	for _, item := range r.Items {
		if strings.HasPrefix(item.Resource.ID(), "file:") {
			templates++
		}
	}
	if templates < 10 {
		t.Errorf("%d files", templates)
	}
}

// manyFiles is a task of so many resources, half of them of templates.
func manyFiles(n int) string {
	return fmt.Sprintf(`
-- tasks/many.star --
variables = [var("name", str, default = "x")]

def build(v, host):
    return [
        file("/etc/many/%%d" %% i, template("a.tmpl", name = v.name, number = i), mode = "0640", notify = restart("many.service")) if i %% 2 else directory("/var/many/%%d" %% i, owner = "many")
        for i in range(%d)
    ] + [service("many.service")]
-- tasks/templates/a.tmpl --
# Of {{ .name }}.
number = {{ .number }}
name = {{ iniValue .name }}
`, n-1)
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			p := benchProject(b, manyFiles(n))
			task := p.Tasks()[0]
			in := input(task, nil)
			spent := processorTime(b)
			for b.Loop() {
				if r, err := task.Build(in); err != nil || len(r.Items) != n {
					b.Fatal(err)
				}
			}
			spent(1)
		})
	}
}

// processorTime reports what a benchmark takes of processors, by the build: a machine that is
// busy with something else makes a build longer, and not more.
func processorTime(b *testing.B) func(builds int) {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func(builds int) {
		b.ReportMetric(float64(used()-before)/1000/float64(b.N*builds), "cpu-µs/build")
	}
}

// BenchmarkHosts builds a task of 50 resources for a thousand hosts, side by side.
func BenchmarkHosts(b *testing.B) {
	p := benchProject(b, manyFiles(50))
	task := p.Tasks()[0]
	spent := processorTime(b)
	for b.Loop() {
		var all sync.WaitGroup
		free := make(chan bool, runtime.GOMAXPROCS(0))
		for range 1000 {
			free <- true
			all.Go(func() {
				defer func() { <-free }()
				if _, err := task.Build(input(task, nil)); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
	spent(1000)
}

// BenchmarkOpen reads and compiles a project.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		workload(b)
	}
}

func BenchmarkWorkload(b *testing.B) {
	p := workload(b)
	task := p.Tasks()[0]
	in := input(task, nil)
	for b.Loop() {
		if _, err := task.Build(in); err != nil {
			b.Fatal(err)
		}
	}
}

func benchProject(b *testing.B, text string) *Project {
	b.Helper()
	dir := b.TempDir()
	for _, file := range txtar.Parse([]byte(text)).Files {
		path := filepath.Join(dir, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	p, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	return p
}
