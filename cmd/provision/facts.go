package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"provision/internal/engine"
	"provision/internal/inventory"
	"provision/internal/remote"
	"provision/internal/run"
)

// asker leaves of hosts those for which conditions of facts hold.
type asker func([]inventory.Host, []inventory.Condition) ([]inventory.Host, error)

// lost are hosts that could not be asked what they are, by name, and how that ended. They are hosts of the
// run, which are not tried again: whether they are meant is not known, and nobody is to think that they were
// done.
type lost map[string]run.Result

// byFacts asks the hosts themselves, over a connection that ends with that.
func (f *flags) byFacts(io console, jumps func(string) (remote.Way, bool), silent lost) asker {
	return func(hosts []inventory.Host, conditions []inventory.Condition) ([]inventory.Host, error) {
		e := errand{jumps: jumps}
		for _, host := range hosts {
			e.work = append(e.work, run.Work{Target: f.target(host)})
		}
		if err := f.connect(io, &e); err != nil {
			return nil, err
		}
		var names []string
		for _, c := range conditions {
			names = append(names, c.Name)
		}
		facts := run.Facts{}
		ctx, stop, done := stopOnSignals(context.Background())
		defer done()
		results, err := facts.Ask(names...)(ctx, e.work, run.Settings{
			Forks: int(cmp.Or(f.run.forks, defaultForks)), Stop: stop, Observe: func(engine.HostEvent) {},
		})
		if err != nil {
			return nil, err
		}
		var left []inventory.Host
		for i, result := range results {
			switch {
			case result.Status == engine.StatusInterrupted:
				return nil, errInterrupted
			case result.Err != nil:
				silent[result.Host] = result
			case slices.ContainsFunc(conditions, func(c inventory.Condition) bool { return !c.Holds(facts[result.Host][c.Name]) }):
				continue
			}
			left = append(left, hosts[i])
		}
		if len(left) == 0 {
			return nil, inventory.NoneHolds(conditions)
		}
		return left, nil
	}
}

// asksNobody refuses conditions that only hosts can tell: for verbs that connect to none.
func asksNobody(_ []inventory.Host, conditions []inventory.Condition) ([]inventory.Host, error) {
	return nil, usage(fmt.Errorf("limit %q: is for the host to say, and this asks none", conditions[0]),
		fmt.Sprintf("provision exec -l '%s' --list-hosts -- true", conditions[0]))
}

// listHosts says which hosts are meant, and of which that could not be found out.
func (f *flags) listHosts(io console, hosts []inventory.Host, silent lost) error {
	asked := slices.DeleteFunc(slices.Clone(hosts), func(host inventory.Host) bool { return silent[host.Name].Err != nil })
	if err := f.nameHosts(io, asked); err != nil {
		return err
	}
	var results []run.Result
	for _, host := range hosts {
		if result, there := silent[host.Name]; there {
			results = append(results, result)
		}
	}
	code := worst(results, exitGood)
	for _, result := range results {
		err := result.Err
		if result.Hint != "" {
			err = hinted{err, result.Hint}
		}
		teller{io, f.output.json}.complain(fmt.Errorf("%s: whether it is meant is not known: %w", result.Host, err), code)
	}
	return outcome{code}
}

// limitedTo are the hosts of -l: by their names, then by what the inventory says of them, then by what they
// say themselves.
func (s selection) limitedTo(inv *inventory.Inventory, ask asker) ([]inventory.Host, error) {
	limit, conditions, err := s.limited(inv)
	if err != nil {
		return nil, err
	}
	hosts, err := inv.Select(limit)
	if err != nil || len(conditions) == 0 {
		return hosts, err
	}
	all, err := s.tasks()
	if err != nil {
		return nil, err
	}
	hosts, err = inventory.WithTasks(hosts, conditions, all.known())
	if err != nil {
		return nil, err
	}
	conditions = slices.DeleteFunc(conditions, func(c inventory.Condition) bool { return c.Name == inventory.OfTask })
	if len(conditions) == 0 {
		return hosts, nil
	}
	return ask(hosts, conditions)
}
