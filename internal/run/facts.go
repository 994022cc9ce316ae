package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"provision/internal/engine"
	"provision/internal/recipe"
)

// factsOf are what a host says to every question, by name.
func factsOf(p recipe.Platform) map[string]string {
	return map[string]string{
		"release": strconv.Itoa(p.Release), "codename": p.Codename, "arch": p.Arch, "hostname": p.Hostname,
		"cpus": strconv.Itoa(p.CPUs), "memory_mb": strconv.Itoa(p.MemoryMB),
	}
}

// questions are what it says where it is asked.
func questions() []string {
	return []string{recipe.Addresses, recipe.Interface, recipe.Virtualization, recipe.BootID}
}

// FactNames are the facts by which hosts can be chosen: what tasks of one's own may know of a host.
func FactNames() []string {
	return append(slices.Sorted(maps.Keys(factsOf(recipe.Platform{}))), questions()...)
}

// Facts are what hosts say of themselves, by host and name.
type Facts map[string]map[string][]string

// Ask asks hosts for facts of these names: one connection and one question a host. Results say which could not
// be asked, and why.
func (f Facts) Ask(names ...string) Verb {
	var probes []recipe.Probe
	for _, name := range questions() {
		if slices.Contains(names, name) {
			probes = append(probes, recipe.Question(name))
		}
	}
	var mu sync.Mutex
	return func(ctx context.Context, work []Work, settings Settings) ([]Result, error) {
		return reading(ctx, work, settings, func(ctx context.Context, j *job) {
			if !j.connect(ctx) {
				return
			}
			said, err := j.host.facts(ctx, probes)
			mu.Lock()
			f[j.Target.Name] = said
			mu.Unlock()
			j.finish(engine.StatusDone, err)
		})
	}
}

// facts asks one host.
func (h host) facts(ctx context.Context, probes []recipe.Probe) (map[string][]string, error) {
	answer, err := h.Probe(ctx, probes)
	if err != nil {
		return nil, err
	}
	facts := map[string][]string{}
	for name, value := range factsOf(answer.Platform) {
		facts[name] = []string{value}
	}
	for _, probe := range probes {
		said := answer.Facts.Said(probe.Key.Name)
		if said.Problem != "" {
			return nil, fmt.Errorf("%s: the answer %s", probe.Key.Name, said.Problem)
		}
		facts[probe.Key.Name] = strings.Fields(said.Text)
	}
	return facts, nil
}
