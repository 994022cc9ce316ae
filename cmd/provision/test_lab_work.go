package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/journal"
	"provision/internal/proof"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/run"
)

// asked is how the task is done to the host: as by the command line.
func (p labProof) asked() (proof.Task, error) {
	work, err := p.work(nil)
	if err != nil {
		return proof.Task{}, err
	}
	premises, err := p.work(premisesAlone)
	if err != nil {
		return proof.Task{}, err
	}
	upTo := func(command string, with bool) proof.Command {
		part, err := p.work(func(task *recipe.Task) {
			if task.Name == p.task.Name {
				upToCommand(task, command, with)
			}
		})
		if err != nil {
			return func(context.Context, engine.Observer) engine.Finished {
				return engine.Finished{Status: engine.StatusRefused, Err: err}
			}
		}
		return doing(part, run.Install)
	}
	remove, err := p.removing(false)
	if err != nil {
		return proof.Task{}, err
	}
	purge, err := p.removing(true)
	return proof.Task{
		Name: p.task.Name, Secrets: work.Blueprint.Secrets(), Releases: p.releases(),
		Plan: doing(work, run.Plan), Install: doing(work, run.Install), Premises: doing(premises, run.Install), UpTo: upTo,
		Remove: doing(remove, run.Install), Purge: doing(purge, run.Install),
		Verify: func(within func(recipe.Check) time.Duration) proof.Command {
			hurried := work
			hurried.Blueprint.Tasks = changed(work.Blueprint.Tasks, func(task *recipe.Task) { hurry(task, within) })
			return doing(hurried, run.Verify)
		},
	}, err
}

// releases is the directory of all that is deployed.
func (p labProof) releases() string {
	if p.task.Deployed == nil {
		return ""
	}
	return path.Dir(p.task.Deployed.Current)
}

// furnish installs what the task wants to have beside it: to the proof that is the host as it was.
func (p labProof) furnish(ctx context.Context) error {
	all, err := p.flags.selection.tasks()
	if err != nil {
		return err
	}
	beside, err := all.find(p.task.Beside)
	if err != nil {
		return err
	}
	for _, task := range beside {
		first := p
		first.task, first.deploys = task, nil
		work, err := first.work(nil)
		if err != nil {
			return err
		}
		if done := doing(work, run.Install)(ctx, func(engine.Event) {}); done.Err != nil {
			return fmt.Errorf("%s, which is to be beside %s: %w", task.Name, p.task.Name, done.Err)
		}
	}
	if len(beside) == 0 {
		return nil
	}
	return p.Checkpoint(ctx) // what the host is taken back to, again and again
}

// doing makes a command of work.
func doing(work run.Work, do run.Verb) proof.Command {
	return func(ctx context.Context, observe engine.Observer) engine.Finished {
		results, err := do(ctx, []run.Work{work}, run.Settings{
			Forks: 1, Patience: time.Minute, Unasked: true,
			Header:  journal.Header{Verb: "test", By: whoami(), Version: version()},
			Observe: func(event engine.HostEvent) { observe(event.Event) },
		})
		if err != nil {
			return engine.Finished{Status: engine.StatusRefused, Err: err, Hint: hintOf(err)}
		}
		return results[0].Finished
	}
}

// work is what the task wants of the host; change makes other tasks of it and of those that it needs.
func (p labProof) work(change func(*recipe.Task)) (run.Work, error) {
	all, err := p.flags.selection.tasks()
	if err != nil {
		return run.Work{}, err
	}
	its, err := all.whole([]recipe.Task{p.task})
	if err != nil {
		return run.Work{}, err
	}
	extra, err := p.flags.selection.extras()
	if err != nil {
		return run.Work{}, err
	}
	return p.with(func(host inventory.Host) (run.Blueprint, error) {
		values, err := all.valuesOf(host, its, append(extra, madeUpSecrets(host, its, extra)...))
		blueprint := run.Blueprint{Tasks: its, Given: []string{p.task.Name}, Values: values}
		if p.deploys != nil {
			blueprint.Deploys, blueprint.Release = p.task.Name, p.deploys
		}
		if change != nil {
			blueprint.Tasks = changed(its, change)
		}
		return blueprint, err
	})
}

// removing takes away the task and those that it needs.
func (p labProof) removing(purge bool) (run.Work, error) {
	all, err := p.flags.selection.tasks()
	if err != nil {
		return run.Work{}, err
	}
	its, err := all.whole([]recipe.Task{p.task})
	if err != nil {
		return run.Work{}, err
	}
	return p.with(func(host inventory.Host) (run.Blueprint, error) {
		host.Tasks = nil // of the inventory's it has none
		gone, err := all.removal(host, its, nil)
		gone.Purge = purge
		return gone, err
	})
}

// with pairs the host with what it should be.
func (p labProof) with(blueprint func(inventory.Host) (run.Blueprint, error)) (run.Work, error) {
	f := *p.flags
	f.selection.hosts, f.selection.limit = []string{proofHost(p.release)}, nil
	extra, err := f.selection.extras()
	if err != nil {
		return run.Work{}, err
	}
	e, err := f.errand(p.io, nil, extra, func(host inventory.Host) (run.Blueprint, error) {
		wanted, err := blueprint(host)
		purge := wanted.Purge
		wanted.Remembering = f.remembering(host)
		wanted.Purge = purge
		return wanted, err
	})
	if err != nil {
		return run.Work{}, err
	}
	return e.work[0], nil
}

// madeUpSecrets are those that the tasks have to be given, and nobody gives. What has
// a form of its own, as a URL or a key that somebody else issues, is not made up.
func madeUpSecrets(host inventory.Host, its []recipe.Task, extra []inventory.Extra) []inventory.Extra {
	given := map[string]bool{}
	for _, e := range extra {
		given[e.Task+"."+e.Variable] = true
	}
	var more []inventory.Extra
	for _, task := range its {
		for _, v := range task.Variables {
			key := task.Name + "." + v.Name
			if _, set := host.Vars[key]; v.Type != recipe.TypeSecret || set || given[key] {
				continue
			}
			secret := recipe.NewSecret(recipe.UnknownSecret().Reveal() + v.Name)
			if _, err := v.Decode(secret); err == nil {
				more = append(more, inventory.Extra{Task: task.Name, Variable: v.Name, Value: secret})
			}
		}
	}
	return more
}

// changed are copies of tasks that are others in something.
func changed(its []recipe.Task, change func(*recipe.Task)) []recipe.Task {
	var others []recipe.Task
	for _, task := range its {
		change(&task)
		others = append(others, task)
	}
	return others
}

// hurry lets a task's checks be tried for another time.
func hurry(task *recipe.Task, within func(recipe.Check) time.Duration) {
	verify := task.Verify
	task.Verify = func(in recipe.Input) ([]recipe.Check, error) {
		if verify == nil {
			return nil, nil
		}
		checks, err := verify(in)
		var others []recipe.Check
		for _, check := range checks {
			check.Within = within(check)
			others = append(others, check)
		}
		return others, err
	}
}

// partly leaves of a task a part of what it wants, and nothing that proves or tells of the whole.
func partly(task *recipe.Task, part func(wanted []recipe.Item) []recipe.Item) {
	build := task.Build
	task.Verify, task.After = nil, nil
	task.Build = func(in recipe.Input) (recipe.Recipe, error) {
		wanted, err := build(in)
		return recipe.Recipe{Items: part(wanted.Items)}, err
	}
}

// notifying is an item of a part: it notifies only who is there.
func notifying(item recipe.Item, there func(unit string) bool) recipe.Item {
	absent := func(unit string) bool { return !there(unit) }
	item.Of = nil
	item.Notifies = slices.DeleteFunc(slices.Clone(item.Notifies), func(n recipe.Notification) bool { return absent(n.Unit) })
	switch packaged := item.Resource.(type) {
	case resource.Package:
		packaged.Restarts = slices.DeleteFunc(slices.Clone(packaged.Restarts), absent)
		item.Resource = packaged
	case resource.Deb:
		packaged.Restarts = slices.DeleteFunc(slices.Clone(packaged.Restarts), absent)
		item.Resource = packaged
	}
	return item
}

// premisesAlone leaves of a task what stays where it is removed, its packages and accounts, and what these are
// brought by.
func premisesAlone(task *recipe.Task) {
	partly(task, func(wanted []recipe.Item) (some []recipe.Item) {
		for _, item := range wanted {
			switch item.Resource.(type) {
			case resource.Package, resource.Deb, resource.User, resource.Group, resource.Membership, resource.Repository, resource.Hold:
				some = append(some, notifying(item, func(string) bool { return false }))
			}
		}
		return some
	})
}

// upToCommand leaves of a task what stands before one of its commands, and where with says so, that too.
func upToCommand(task *recipe.Task, command string, with bool) {
	partly(task, func(wanted []recipe.Item) (part []recipe.Item) {
		end := slices.IndexFunc(wanted, func(item recipe.Item) bool { return item.Resource.ID() == resource.Command{Name: command}.ID() })
		if end < 0 {
			return wanted
		}
		if with {
			end++
		}
		there := map[string]bool{}
		for _, probe := range (recipe.Recipe{Items: wanted[:end]}).Probes() {
			there[probe.Key.Name] = there[probe.Key.Name] || probe.Key.Kind == recipe.KindPending
		}
		for _, item := range wanted[:end] {
			part = append(part, notifying(item, func(unit string) bool { return there[unit] }))
		}
		return part
	})
}
