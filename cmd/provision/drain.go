package main

import (
	"errors"
	"fmt"
	"slices"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/resource"
	"provision/internal/run"
)

// drains are the hooks around a change of a host: those of its tasks, whichever of them the run is for.
func (c catalogue) drains(host inventory.Host, its, others []recipe.Task, values map[string]recipe.Values) ([]run.Drain, error) {
	var drains []run.Drain
	for _, task := range slices.Concat(its, others) {
		if task.Drain == nil || task.Undrain == nil {
			continue
		}
		known, there := values[task.Name]
		if !there {
			read, err := c.valuesOf(host, []recipe.Task{task}, nil)
			if err != nil && !errors.Is(err, inventory.ErrNoKey) {
				err = usage(err, "give it in hosts.yaml: the hooks of "+task.Name+" read it, as long as "+host.Name+" has that")
			}
			if err != nil {
				return nil, fmt.Errorf("%s is drained by %s: %w", host.Name, task.Name, err)
			}
			known = read[task.Name]
		}
		given := recipe.Values{"host": host.Name, "address": host.Address.Host}
		hook := func(name string, h recipe.Hook) run.Hook {
			h.Script.Name = name
			return run.Hook{Action: resource.Action{Script: h.Script, Given: given, Values: known}, On: h.On}
		}
		drains = append(drains, run.Drain{Task: task.Name, Formerly: task.Formerly, Out: hook("drain", *task.Drain), In: hook("undrain", *task.Undrain)})
	}
	return drains, nil
}

// place says of hooks where they are run: on the hosts of the inventory, or of the run, that have their task.
func (n neighbours) place(drains []run.Drain, target func(inventory.Host) run.Target) error {
	for i := range drains {
		for _, hook := range []*run.Hook{&drains[i].Out, &drains[i].In} {
			if hook.On == "" {
				continue
			}
			hosts, err := n.having(hook.On)
			if err != nil {
				return err
			}
			if len(hosts) == 0 {
				return usage(fmt.Errorf("%s: its host is drained where the task %s is, and no host has it", drains[i].Task, hook.On), "give a host "+hook.On+" in hosts.yaml")
			}
			for _, host := range hosts {
				at := target(host)
				at.Local = false
				hook.At = append(hook.At, at)
			}
		}
	}
	return nil
}

// having are the hosts of the inventory, and of the run, that have a task.
func (n neighbours) having(task string) ([]inventory.Host, error) {
	look, _ := n.found.LoadOrStore(hostsOf(task), nil)
	if hosts, known := look.([]inventory.Host); known {
		return hosts, nil
	}
	if _, err := n.find([]string{task}); err != nil {
		return nil, err
	}
	hosts := []inventory.Host{}
	for _, host := range slices.Concat(n.hosts, n.chosen) {
		its, err := n.find(host.Tasks)
		if err == nil {
			its, err = n.whole(its)
		}
		if err != nil {
			return nil, err
		}
		if has(its, task) && !slices.ContainsFunc(hosts, func(other inventory.Host) bool { return other.Name == host.Name }) {
			hosts = append(hosts, host)
		}
	}
	n.found.Store(hostsOf(task), hosts)
	return hosts, nil
}

// hostsOf is what was looked up of a task.
type hostsOf string
