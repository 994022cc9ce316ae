package acceptance

import (
	"context"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"testing"
	"time"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/journal"
	"provision/internal/lab/labtest"
	"provision/internal/recipe"
	"provision/internal/remote"
	"provision/internal/run"
	"provision/internal/script"
	"provision/tasks"
)

// TestModel installs Graphite step by step, and after each asks the host all questions of
// the recipe again: what the model of that step's effects said has to be so. It does it
// with options that TestGraphite leaves alone, as users who are not root.
func TestModel(t *testing.T) {
	t.Parallel()
	l := labtest.Open(t)
	tests := []struct {
		suite, host, user string
		vars              []string
	}{
		{"bookworm", "labmodel12", "admin", []string{"graphite.database=postgresql", "graphite.tls=self-signed"}},
		{"trixie", "labmodel13", "operator", []string{"graphite.carbon_listen=[198.19.255.0/24]", "graphite.carbon_pickle=true", "graphite.time_zone=Europe/Berlin"}},
	}
	for _, test := range tests {
		t.Run(test.suite, func(t *testing.T) {
			t.Parallel()
			host := boot(t, l, test.suite, test.host)[0]
			connection, err := remote.Dial(t.Context(), remote.Address{User: test.user, Host: host.Address.String()}, remote.Config{
				ConfigFile: "none", Identities: []string{l.Identity()}, KnownHosts: l.KnownHosts(),
				SudoPassword: func(string) ([]byte, error) { return []byte("lab"), nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			blueprint := blueprintOf(t, host.Address.String(), test.vars)
			real := prober{connection: connection}
			applyAndCompare(t, real, recipeOf(t, real, blueprint))
			options := []string{"graphite", "-H", test.host}
			for _, v := range test.vars {
				options = append(options, "-e", v)
			}
			provision(t, append([]string{"plan", "--detailed-exitcode"}, options...)...).exits(t, 0)
			provision(t, append([]string{"verify"}, options...)...).exits(t, 0)
		})
	}
}

// blueprintOf is what the command line makes of -e options.
func blueprintOf(t *testing.T, address string, vars []string) run.Blueprint {
	t.Helper()
	known := inventory.Known{}
	for _, task := range tasks.All() {
		known[task.Name] = task
	}
	var extra []inventory.Extra
	for _, text := range vars {
		parsed, err := inventory.ParseExtra(text, known)
		if err != nil {
			t.Fatal(err)
		}
		extra = append(extra, parsed)
	}
	blueprint := run.Blueprint{Tasks: []recipe.Task{tasks.Graphite()}, Values: map[string]recipe.Values{}, Address: address}
	for name, task := range known {
		if wantsValues(task) {
			continue
		}
		values, err := inventory.Host{Name: address}.Values(name, known, extra)
		if err != nil {
			t.Fatal(err)
		}
		blueprint.Values[name] = values
	}
	return blueprint
}

// wantsValues reports whether a task cannot do with defaults alone: nothing that these tests install
// needs such a one.
func wantsValues(task recipe.Task) bool {
	return slices.ContainsFunc(task.Variables, func(v recipe.Variable) bool { return v.Needed })
}

// prober asks a host, as a run does: nothing here is guarded, and no run has died.
type prober struct {
	engine.Host
	connection *remote.Connection
}

func (p prober) Probe(ctx context.Context, probes []recipe.Probe) (recipe.Answer, error) {
	output, err := p.connection.Run(ctx, remote.Command{Script: script.Probe(probes), Root: true}, nil)
	if err != nil {
		return recipe.Answer{}, err
	}
	return script.ParseAnswer(probes, output)
}

// upload sends a file, as a run does.
func (p prober) upload(ctx context.Context, artifact recipe.Artifact, path string, progress func(int64)) error {
	source, err := os.Open(artifact.Source)
	if err != nil {
		return err
	}
	defer source.Close()
	return p.connection.Upload(ctx, remote.Upload{Path: path, Content: source, Size: artifact.Size, Root: true, Progress: progress})
}

// recipeOf is the recipe of a blueprint for a host.
func recipeOf(t *testing.T, host prober, blueprint run.Blueprint) recipe.Recipe {
	t.Helper()
	probes, err := blueprint.Probes()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := host.Probe(t.Context(), probes)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := blueprint.Recipe(answer.Platform)
	if err != nil {
		t.Fatal(err)
	}
	return wanted
}

// applyAndCompare applies a recipe, holds the model against the host after every step, and returns
// the plan.
func applyAndCompare(t *testing.T, host prober, wanted recipe.Recipe) engine.Plan {
	t.Helper()
	ctx := t.Context()
	answer, err := host.Probe(ctx, wanted.Probes())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := engine.NewPlan(wanted, answer.Facts)
	if err != nil {
		t.Fatal(err)
	}
	header := journal.Header{Tasks: []string{"model"}, Verb: "install", By: "acceptance", Version: "test"}
	process, err := host.connection.Start(ctx, remote.Command{Script: journal.Script(header, time.Minute, wanted.Probes()), Root: true})
	if err != nil {
		t.Fatal(err)
	}
	observe := func(event engine.Event) {
		if output, ok := event.(engine.Output); ok && testing.Verbose() {
			t.Logf("  %s", output.Line)
		}
	}
	inner, err := journal.Begin(ctx, journal.Shell{
		Stdin: process.Stdin, Stdout: process.Stdout, Stderr: process.Stderr, Wait: process.Wait, Kill: process.Kill, Upload: host.upload,
	}, wanted.Probes(), observe)
	if err != nil {
		t.Fatal(err)
	}
	session := &comparing{Session: inner, t: t, host: host, probes: wanted.Probes(), model: answer.Facts.Clone()}
	does := engine.Run{Host: host, Session: session, Wanted: wanted, Plan: plan, Observe: observe}
	if _, err := does.Apply(ctx, inner.Found.Facts); err != nil {
		t.Fatal(err)
	}
	if err := session.Finish(ctx, "converged"); err != nil {
		t.Fatal(err)
	}
	t.Logf("compared %d facts after each of %d steps", len(session.probes), session.steps)
	return plan
}

// comparing is a session that holds the model against the host after every step.
type comparing struct {
	engine.Session
	t      *testing.T
	host   prober
	probes []recipe.Probe
	model  recipe.Facts
	steps  int
}

// Do implements engine.Session. What follows is asked after the last comparison.
func (c *comparing) Do(ctx context.Context, steps []recipe.Numbered, _ []recipe.Probe, observe engine.Observer) (recipe.Facts, error) {
	for _, step := range steps {
		if _, err := c.Session.Do(ctx, []recipe.Numbered{step}, nil, observe); err != nil {
			return nil, err
		}
		c.steps++
		if err := c.compare(ctx, step.Step); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (c *comparing) compare(ctx context.Context, step recipe.Step) error {
	c.model.Apply(step.Effects())
	touched := map[recipe.Key]bool{}
	probes := c.probes
	for _, effect := range step.Effects() {
		touched[effect.Key] = true
		if effect.Key.Kind == recipe.KindContent && readable(step) {
			probes = append(probes, recipe.Probe{Key: effect.Key})
		}
	}
	answer, err := c.host.Probe(ctx, probes)
	if err != nil {
		return fmt.Errorf("%s: %w", step.Title(), err)
	}
	for _, probe := range recipe.Merge(probes) {
		said, is := c.model[probe.Key], answer.Facts[probe.Key]
		if unit, known := said.Value.(recipe.Unit); known && path.Base(recipe.PathOf(step)) == probe.Key.Name {
			said.Value = asReadAgain(unit, is.Value.(recipe.Unit))
		}
		if said.Until == "" && !agree(said.Value, is.Value, touched[probe.Key]) {
			c.t.Errorf("after %q: %s is %+v, the model says %+v", step.Title(), probe.Key, is.Value, said.Value)
		}
		c.model[probe.Key] = is // the truth is what the next step is held against
	}
	return nil
}

// asReadAgain is a unit whose file a step has changed: systemd finds that by itself, and has to read it
// again, or knows the unit no more. That it runs, or starts at boot, is as before.
func asReadAgain(said, is recipe.Unit) recipe.Unit {
	said.NeedReload = is.NeedReload
	if is.Load == "not-found" && !said.Running() && said.State != "enabled" {
		return is
	}
	return said
}

// readable says whether a step's content may be asked for: one with secrets filled in may
// not leave the host.
func readable(step recipe.Step) bool {
	write, ok := step.(recipe.WriteFile)
	return ok && !write.Secret && len(write.Fill) == 0
}

// agree compares two facts in what recipes decide by. A digest is in the answer only when
// it was asked for; numbers of accounts are the host's to choose; of a guard the exit
// status counts; time goes by. A unit that no step has touched yet may have become known
// to systemd, as its file is there now, so long as that alone starts nothing.
func agree(said, is any, touched bool) bool {
	switch said := said.(type) {
	case recipe.Path:
		found := is.(recipe.Path)
		if found.SHA256 == "" {
			said.SHA256 = ""
		}
		return said == found
	case recipe.User:
		found := is.(recipe.User)
		if said.UID == 0 {
			said.UID = found.UID
		}
		return said == found
	case recipe.Group:
		found := is.(recipe.Group)
		return said.Exists == found.Exists && slices.Equal(said.Members, found.Members)
	case recipe.Command:
		return (said.Exit == 0) == (is.(recipe.Command).Exit == 0)
	case recipe.Lists:
		return said.Known == is.(recipe.Lists).Known
	case recipe.Unit:
		found := is.(recipe.Unit)
		if !touched && said.Load == "not-found" {
			return found == said || found == recipe.Unit{Load: "loaded", Active: "inactive", State: "disabled"}
		}
		return said == found
	}
	return reflect.DeepEqual(said, is)
}
