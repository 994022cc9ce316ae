package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/journal"
	"provision/internal/recipe"
	"provision/internal/remote"
	kinds "provision/internal/resource"
	"provision/internal/run"
	"provision/tasks"
)

// twisted is a task with other content in some of its files, by path: what no variable lets
// through.
func twisted(task recipe.Task, content map[string]string) recipe.Task {
	build := task.Build
	task.Build = func(in recipe.Input) (recipe.Recipe, error) {
		built, err := build(in)
		for i, item := range built.Items {
			path, is := strings.CutPrefix(item.Resource.ID(), "file:")
			if text, other := content[path]; is && other {
				file, _ := item.Resource.(kinds.File)
				file.Path, file.Content = path, text
				built.Items[i].Resource = file
			}
		}
		return built, err
	}
	return task
}

// work pairs a host with a task, with all variables at their defaults.
func work(host machine, identity, known string, task recipe.Task) (run.Work, error) {
	variables := inventory.Known{}
	for _, other := range tasks.All() {
		variables[other.Name] = other
	}
	values := map[string]recipe.Values{}
	for name, task := range variables {
		if wantsValues(task) {
			continue
		}
		var err error
		if values[name], err = (inventory.Host{Name: host.Name}).Values(name, variables, nil); err != nil {
			return run.Work{}, err
		}
	}
	address := host.Address.String()
	return run.Work{
		Target: run.Target{
			Name: host.Name, Address: remote.Address{User: "root", Host: address},
			Config: remote.Config{ConfigFile: "none", Identities: []string{identity}, KnownHosts: known},
		},
		Blueprint: run.Blueprint{Tasks: []recipe.Task{task}, Values: values, Address: address},
	}, nil
}

// install runs a task on a host, as the command does after it has asked.
func install(ctx context.Context, work run.Work, observe func(engine.Event)) (run.Result, error) {
	results, err := run.Install(ctx, []run.Work{work}, run.Settings{
		Forks: 1, Patience: 90 * time.Second, Header: journal.Header{Verb: "install", By: "acceptance", Version: "test"},
		Observe: func(event engine.HostEvent) { observe(event.Event) },
	})
	if err != nil {
		return run.Result{}, err
	}
	return results[0], nil
}

// shutOut are rules that turn every new connection away.
const shutOut = `table inet provision
delete table inet provision
table inet provision {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif "lo" accept
	}
}
`

// wider are rules that let everything in.
const wider = `table inet provision
delete table inet provision
table inet provision {
	chain input {
		type filter hook input priority filter; policy accept;
	}
}
`

// The environment of the process that is a controller of its own, so that it can be killed.
const (
	controllerHost  = "PROVISION_TEST_CONTROLLER"
	controllerRules = "PROVISION_TEST_RULES"
	controllerFiles = "PROVISION_TEST_FILES"
)

// TestController is no test: it is the controller that the tests of guarded changes start
// as a process of its own. It says each step when it ends.
func TestController(t *testing.T) {
	name := os.Getenv(controllerHost)
	if name == "" {
		return
	}
	identity, known, _ := strings.Cut(os.Getenv(controllerFiles), ":")
	host, err := hostNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	job, err := work(host, identity, known, twisted(tasks.Firewall(), map[string]string{"/etc/provision/firewall.nft": os.Getenv(controllerRules)}))
	if err != nil {
		t.Fatal(err)
	}
	result, err := install(context.Background(), job, func(event engine.Event) {
		switch event := event.(type) {
		case engine.StepEnded:
			fmt.Printf("ended: %s\n", event.Title)
		case engine.Note:
			fmt.Printf("note: %s\n", event.Text)
		case engine.Restored:
			fmt.Printf("restored: %s %v %v\n", event.Unit, event.Paths, event.Runs)
		}
	})
	var unconfirmed *engine.UnconfirmedError
	errors.As(result.Err, &unconfirmed)
	fmt.Printf("finished: %s, undone %v: %v %v\n", result.Status, unconfirmed != nil && unconfirmed.Undone, result.Err, err)
}

// controller is a run in a process of its own.
type controller struct {
	*exec.Cmd
	lines chan string
}

func startController(t *testing.T, host machine, identity, known, rules string) controller {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestController$")
	c.Env = append(os.Environ(), controllerHost+"="+host.Name, controllerRules+"="+rules, controllerFiles+"="+identity+":"+known)
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	running := controller{c, make(chan string, 1000)}
	go func() {
		defer close(running.lines)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			running.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	return running
}

// until waits for a line that begins so, and returns it.
func (c controller) until(t *testing.T, prefix string, within time.Duration) string {
	t.Helper()
	over := time.After(within)
	for {
		select {
		case line, open := <-c.lines:
			if !open {
				t.Fatalf("the controller ended before it said %q", prefix)
			}
			t.Logf("controller: %s", line)
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case <-over:
			t.Fatalf("no %q of the controller within %s", prefix, within)
		}
	}
}
