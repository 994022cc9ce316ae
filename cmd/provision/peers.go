package main

import (
	"slices"
	"sync"

	"provision/internal/inventory"
	"provision/internal/recipe"
	"provision/internal/run"
)

// neighbours are the hosts that may be each other's peers.
type neighbours struct {
	catalogue
	hosts  []inventory.Host // of the inventory
	chosen []inventory.Host // of the run
	adHoc  bool             // these are of no inventory, and nor are their peers
	named  []recipe.Task    // what these get; none is what the inventory gives them
	extra  []inventory.Extra

	found *sync.Map // what was looked up, by wanted or hostsOf: each of a thousand hosts may want the same
}

// wanted is what was looked up.
type wanted struct {
	task  string
	adHoc bool
}

// of returns recipe.Input's Peers of a host: those of the inventory, or of a host that is in none
// those that were named beside it.
func (n neighbours) of(host inventory.Host) func(task string) ([]recipe.Peer, error) {
	adHoc := n.adHoc || host.Added
	return func(task string) ([]recipe.Peer, error) {
		look, _ := n.found.LoadOrStore(wanted{task, adHoc}, sync.OnceValues(func() ([]recipe.Peer, error) { return n.look(task, adHoc) }))
		return look.(func() ([]recipe.Peer, error))()
	}
}

func (n neighbours) look(task string, adHoc bool) ([]recipe.Peer, error) {
	among := n.hosts
	if adHoc {
		among = n.chosen
	}
	asked, err := n.find([]string{task})
	if err != nil {
		return nil, err
	}
	var peers []recipe.Peer
	for _, host := range among {
		its, err := n.find(host.Tasks)
		if adHoc && len(n.named) > 0 {
			its = n.named
		}
		if err == nil {
			its, err = n.whole(its)
		}
		if err != nil {
			return nil, err
		}
		if !has(its, task) {
			continue
		}
		peer := recipe.Peer{Listed: n.listed(host), Vars: recipe.Values{}}
		all, err := host.Effective(task, n.known(), n.extras(host))
		if err != nil {
			return nil, err
		}
		for i, v := range asked[0].Variables { // Effective's order
			if all[i].Secret || v.Type == recipe.TypeSecret {
				peer.Secrets = append(peer.Secrets, v.Name)
			} else {
				peer.Vars[v.Name] = all[i].Value
			}
		}
		peers = append(peers, peer)
	}
	return peers, nil
}

// exporters are the hosts that have tasks with exports: of the inventory, and of the run.
func (n neighbours) exporters(target func(inventory.Host) run.Target) ([]run.Exporter, error) {
	if !slices.ContainsFunc(n.catalogue, func(t recipe.Task) bool { return len(t.Exports) > 0 }) {
		return nil, nil
	}
	var all []run.Exporter
	seen := map[string]bool{}
	among := slices.Clone(n.chosen)
	if !n.adHoc {
		among = append(among, n.hosts...)
	}
	for _, host := range among {
		its, err := n.find(host.Tasks)
		if err != nil {
			return nil, err
		}
		for _, task := range n.named {
			if !has(its, task.Name) && n.isChosen(host) {
				its = append(its, task)
			}
		}
		if its, err = n.whole(its); err != nil {
			return nil, err
		}
		exports := map[string]recipe.Export{}
		for _, task := range its {
			for _, export := range task.Exports {
				exports[task.Name+"."+export.Name] = export
			}
		}
		if len(exports) > 0 && !seen[host.Name] {
			all = append(all, run.Exporter{Target: target(host), Exports: exports})
		}
		seen[host.Name] = true
	}
	return all, nil
}

func (n neighbours) isChosen(host inventory.Host) bool {
	return slices.ContainsFunc(n.chosen, func(one inventory.Host) bool { return one.Name == host.Name })
}

// extras are what -e sets on a host: on those of the run.
func (n neighbours) extras(host inventory.Host) []inventory.Extra {
	if n.isChosen(host) {
		return n.extra
	}
	return nil
}
