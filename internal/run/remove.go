package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"provision/internal/memory"
	"provision/internal/recipe"
)

// ErrNotRemembered says that a host remembers nothing of a task.
var ErrNotRemembered = errors.New("nothing of it is noted on this host")

// NeededError says that tasks are not removed, for others that a host has need them.
type NeededError struct {
	Removes []string
	By      []string
}

// Error implements error.
func (e *NeededError) Error() string {
	return strings.Join(e.Removes, ", ") + ": needed by " + strings.Join(e.By, ", ")
}

// Hint is the command to type instead.
func (e *NeededError) Hint() string {
	return "remove them together: provision remove " + strings.Join(slices.Concat(e.By, e.Removes), " ")
}

// removable refuses a removal of what the host remembers nothing of, and of what another task that it
// remembers needs. Of a task that an older version brought nothing is noted: it may leave beside
// one that is, and then only is no more in the way.
func (b Blueprint) removable(facts recipe.Facts) error {
	noted := func(task recipe.Task) bool {
		return slices.ContainsFunc(task.Names(), func(name string) bool { return facts.Memory(name).Head != "" })
	}
	earlier := func(task recipe.Task) bool {
		return slices.ContainsFunc(task.Names(), func(name string) bool { return facts.Memory(name).Earlier })
	}
	for _, task := range b.Removes {
		if !noted(task) && (!earlier(task) || !slices.ContainsFunc(b.Removes, noted)) {
			return fmt.Errorf("%s: %w", task.Name, ErrNotRemembered)
		}
	}
	var by []string
	for _, task := range b.Needing {
		has, err := memory.Has(task, facts)
		if err != nil {
			return err
		}
		by = append(by, has...)
	}
	if len(by) > 0 {
		return &NeededError{Removes: namesOf(b.Removes), By: by}
	}
	return nil
}

// unproved says which tasks that the host remembers are not proved after a removal.
func (b Blueprint) unproved(memories map[string]memory.Memory) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(memories)) {
		proved := slices.ContainsFunc(b.Remaining, func(t recipe.Task) bool { return slices.Contains(t.Names(), name) })
		removed := slices.ContainsFunc(b.Removes, func(t recipe.Task) bool { return slices.Contains(t.Names(), name) })
		if len(b.Removes) > 0 && !removed && !proved && len(memories[name].Traces) > 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"also on this host, and not proved after this, for their variables are not known here: " + strings.Join(names, ", ")}
}

// proveRemaining runs the checks of what the host has, after a removal or an action.
func (j *job) proveRemaining(ctx context.Context) error {
	var probes []recipe.Probe
	for _, task := range j.Blueprint.Remaining {
		for _, name := range task.Names() {
			probes = append(probes, recipe.Probe{Key: recipe.MemoryKey(name)})
		}
	}
	if len(probes) == 0 {
		return nil
	}
	answer, err := j.host.afterRun().Probe(ctx, probes)
	if err != nil {
		return err
	}
	var remaining []recipe.Task
	for _, task := range j.Blueprint.Remaining {
		has, err := memory.Has(task, answer.Facts)
		if err != nil {
			return err
		}
		if len(has) > 0 {
			remaining = append(remaining, task)
		}
	}
	if j.Blueprint.Remaining = remaining; len(remaining) == 0 {
		return nil
	}
	return j.verify(ctx)
}
