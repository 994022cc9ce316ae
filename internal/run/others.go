package run

import (
	"context"
	"slices"

	"provision/internal/memory"
	"provision/internal/recipe"
)

// others are what tasks want that are not of the run, and those of which that is not known: nothing
// is noted of them, and the inventory does not give them to the host, or they cannot be built.
func (h host) others(ctx context.Context, b Blueprint, platform recipe.Platform, memories map[string]memory.Memory, earlier recipe.Earlier) (wants []memory.Wants, unknown []string) {
	var known []string
	for _, task := range slices.Concat(b.Tasks, b.Removes) {
		known = append(known, task.Names()...)
	}
	for name := range memories {
		known = append(known, name)
	}
	for _, task := range b.Others {
		var its []memory.Wants
		err := h.knowing(ctx, b, func() (err error) {
			its, err = b.other(task, platform)
			return err
		})
		switch {
		case err == nil:
			wants, known = append(wants, its...), append(known, task.Names()...)
		case !slices.Contains(known, task.Name) && !slices.Contains(unknown, task.Name):
			unknown = append(unknown, task.Name)
		}
	}
	for _, name := range earlier {
		if !slices.Contains(known, name) && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return wants, unknown
}

// other is what one task wants.
func (b Blueprint) other(task recipe.Task, platform recipe.Platform) ([]memory.Wants, error) {
	values, err := b.ValuesOf(task)
	if err != nil {
		return nil, err
	}
	return Blueprint{Tasks: []recipe.Task{task}, Values: values, Host: b.Host, Peers: b.Peers, asking: b.asking}.wants(platform, nil)
}

// separable refuses a removal where it is not known what other tasks want.
func (b Blueprint) separable(found memory.Host) error {
	leaves := slices.ContainsFunc(b.Removes, func(task recipe.Task) bool {
		return slices.ContainsFunc(task.Names(), func(name string) bool { return len(found.Memories[name].Traces) > 0 })
	})
	if leaves && len(found.Unknown) > 0 && !b.TakeOver {
		return &memory.UnknownError{Tasks: found.Unknown}
	}
	return nil
}
