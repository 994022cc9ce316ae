package memory

import (
	"slices"

	"provision/internal/recipe"
)

// This file says for whom a task came to a host: one that was brought by the need of others alone goes
// with the last of them.

// broughtBy are the tasks whose need brought this one: those that are noted, and those of the run. A
// task that was there without that came for itself, or it is not known for whom; then it stays so.
func (w Wants) broughtBy(facts recipe.Facts) ([]string, error) {
	by := slices.Clone(w.By)
	for _, name := range w.names() {
		found := facts.Memory(name)
		if found.Head == "" {
			if found.Earlier {
				by = nil
			}
			continue
		}
		head, err := parseHead(name, found.Head)
		switch {
		case err != nil:
			return nil, err
		case len(w.Traces) == 0: // it goes: until it is gone, for whom it came is known
			by = append(by, head.By...)
		case head.Wants == digest(nil) && !head.Unfinished:
		case len(head.By) == 0 || len(w.By) == 0:
			return nil, nil
		default:
			by = append(by, head.By...)
		}
	}
	slices.Sort(by)
	return slices.Compact(by), nil
}

// On returns the tasks of which a host has noted that it has something.
func On(facts recipe.Facts) (map[string]Head, error) {
	all := map[string]Head{}
	for name, line := range facts.Heads() {
		head, err := parseHead(name, line)
		if err != nil {
			return nil, err
		}
		if head.Wants != digest(nil) || head.Unfinished {
			all[name] = head
		}
	}
	return all, nil
}
