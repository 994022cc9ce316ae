package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// planted is a task with a fault: what `test --lab` has to say of it, and how many runs it kills.
type planted struct {
	name  string
	finds []string
	kills string
}

// plantedFaults reads the tasks of testdata/planted, which say that in comments.
func plantedFaults(t *testing.T) []planted {
	t.Helper()
	files, err := filepath.Glob("testdata/planted/tasks/*.star")
	if err != nil {
		t.Fatal(err)
	}
	var all []planted
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := planted{name: strings.TrimSuffix(filepath.Base(file), ".star"), kills: "0"}
		for line := range strings.Lines(string(text)) {
			if finds, found := strings.CutPrefix(line, "# finds: "); found {
				p.finds = append(p.finds, strings.TrimSpace(finds))
			}
			if kills, found := strings.CutPrefix(line, "# kills: "); found {
				p.kills = strings.TrimSpace(kills)
			}
		}
		if len(p.finds) == 0 {
			t.Errorf("%s: says not what is to be found", file)
		}
		all = append(all, p)
	}
	return all
}

// right are tasks without a fault: where each is, and how it is proved. Those that ship and stand alone are proved
// with the variables of their page's example.
var right = []struct{ name, project string }{
	{"hello", ""}, // as provision new writes it
	{"workload", "../examples/workload"},
	{"nginx", "../tasks/examples/nginx"},
	{"base", "../examples/base"},
	{"firewall", "../tasks/examples/firewall"},
	{"graphite", "../tasks/examples/graphite"},
	{"redis", "../tasks/examples/redis"},
	{"uwsgi", "../tasks/examples/uwsgi"},
	{"dashboard", "../tasks/examples/dashboard"},
	{"alerts", "../tasks/examples/alerts"},
	{"receives", "testdata/metrics"},    // and secure_metrics, which it needs
	{"measures", "testdata/metrics"},    // and collectd
	{"shop", "../examples/healthcheck"}, // and healthcheck, which it needs
	{"webapp", "../tasks/examples/webapp"},
	{"statsd", "../tasks/examples/statsd"},
	{"page", "../examples/failover"}, // and failover
	{"servers", "testdata/balancer"}, // and balancer
	{"guestbook", "../examples/wsgi"},
	{"cache", "../examples/cluster"},
	{"postgresql", "../tasks/examples/postgresql"},
	{"gimel", ".."}, // its release is built from the source tree
}

// given are flags, by the task that wants them: a host of the lab is none of the example's pair, and there is
// nobody for its content.
var given = map[string][]string{
	"page":  {"-e", "failover.peer=10.1.2.12", "-e", "failover.content="},
	"gimel": {"--inventory", "tasks/examples/gimel/hosts.yaml"},
}

// deployed are applications, by the task that deploys them.
var deployed = map[string]string{"webapp": "../tasks/examples/webapp/app"}

// ofTheDay are some of all, others every day; PROVISION_PROVE=all is all of them.
func ofTheDay[T any](t *testing.T, all []T, n int) []T {
	t.Helper()
	if os.Getenv("PROVISION_PROVE") == "all" {
		return all
	}
	t.Logf("%d of %d today; PROVISION_PROVE=all tries them all", n, len(all))
	return inTurn(all, n, twoDays())
}

// inTurn are those of a pair of days. A test that takes long has only some of them (onItsDays).
func inTurn[T any](all []T, n, pair int) []T {
	first := pair / groups * n % len(all)
	return slices.Concat(all, all)[first : first+n]
}

// Whatever their number, each has its days, also in a test that has only some of the pairs.
func TestEachHasItsDays(t *testing.T) {
	var all []int
	for length := 1; length < 20; length++ {
		all = append(all, length)
		for n := 1; n <= min(2, length); n++ {
			seen := map[int]bool{}
			for pair := 0; pair < groups*length; pair += groups {
				for _, one := range inTurn(all, n, pair) {
					seen[one] = true
				}
			}
			if len(seen) != length {
				t.Errorf("of %d, %d a day, only %d are ever tried", length, n, len(seen))
			}
		}
	}
}

// No example's task is left out of what is right.
func TestEveryExampleIsProved(t *testing.T) {
	tasks, err := filepath.Glob("../examples/*/tasks/*")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	for _, path := range tasks {
		name, project := strings.TrimSuffix(filepath.Base(path), ".star"), filepath.Dir(filepath.Dir(path))
		if !slices.ContainsFunc(right, func(r struct{ name, project string }) bool { return r.name == name && r.project == project }) {
			t.Errorf("%s: its task %s is not proved", project, name)
		}
	}
}

// TestProof lets test --lab find each of the faults that were planted in tasks, by its line, and pass
// the tasks that are right. Where both releases are tried, they are side by side.
func TestProof(t *testing.T) {
	onItsDays(t, 2)
	t.Parallel()
	environment := readerLab(t, "proof")
	turn(t)
	for suite := range today(t) {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			for _, fault := range ofTheDay(t, plantedFaults(t), 2) {
				t.Run(fault.name, func(t *testing.T) {
					noted(t)
					found := prove(t, environment, "testdata/planted", fault.name, suite, "--kills", fault.kills).exits(t, 3)
					for _, want := range fault.finds {
						if !regexp.MustCompile(want).MatchString(found.stdout) {
							t.Errorf("it does not find %s:\n%s", want, found.stdout)
						}
					}
				})
			}
			for _, task := range ofTheDay(t, right, 1) {
				t.Run(task.name, func(t *testing.T) {
					noted(t)
					more := append(killsOfTheDay(), given[task.name]...)
					if folder := deployed[task.name]; folder != "" {
						artifact := filepath.Join(t.TempDir(), "release.tar")
						applicationTar(t, folder, artifact, "", "")
						more = append(more, "--artifact", artifact)
					}
					passed := prove(t, environment, task.project, task.name, suite, more...).exits(t, 0)
					t.Logf("%s", passed.stdout)
				})
			}
		})
	}
}

// killsOfTheDay kills one run of a task that is right; PROVISION_PROVE=all as many as the command does by itself.
func killsOfTheDay() []string {
	if os.Getenv("PROVISION_PROVE") == "all" {
		return nil
	}
	return []string{"--kills", "1"}
}

// prove proves a task of a project in a lab; hello is that of a new one.
func prove(t *testing.T, environment []string, project, task, suite string, more ...string) ended {
	t.Helper()
	c := command(t, append([]string{"test", task, "--lab", "--release", suite}, more...)...)
	c.Env = append(c.Env, environment...)
	if project != "" {
		c.Dir = project
	}
	if task == "hello" {
		provisionIn(t, c.Dir, "new", "hello").exits(t, 0)
	}
	return finish(t, c)
}

// provisionIn runs the command in a folder.
func provisionIn(t *testing.T, dir string, args ...string) ended {
	t.Helper()
	c := command(t, args...)
	c.Dir = dir
	return finish(t, c)
}
