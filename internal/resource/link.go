package resource

import (
	"fmt"
	"strings"

	"provision/internal/recipe"
)

// Link is a symbolic link. It is changed by a rename, so it never points nowhere.
type Link struct {
	Path   string
	Target string // as ln -s writes it: absolute, or relative to the link's directory
	Absent bool
}

// ID implements recipe.Resource.
func (l Link) ID() string { return "link:" + l.Path }

// Place implements recipe.Placed.
func (l Link) Place() string { return l.Path }

// Probes implements recipe.Resource.
func (l Link) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.PathKey(l.Path)}} }

// Validate refuses what cannot be meant.
func (l Link) Validate() error {
	if !l.Absent && (l.Target == "" || strings.ContainsAny(l.Target, "\x00\n")) {
		return fmt.Errorf("link %s: target %q is not one", l.Path, l.Target)
	}
	return checkPath("link", l.Path)
}

// Diff implements recipe.Resource.
func (l Link) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(l.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathLink {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a link", l.Path, found.Type)
	}
	exists := found.Type == recipe.PathLink
	link := []recipe.Step{recipe.MakeLink{Path: l.Path, Target: l.Target}}
	switch {
	case l.Absent && exists:
		return recipe.Change{
			Kind: recipe.Delete, Summary: "no longer wanted",
			Deltas: []recipe.Delta{{Name: "target", Before: found.Target}},
			Steps:  []recipe.Step{recipe.Remove{Path: l.Path}},
		}, nil
	case l.Absent:
		return recipe.Change{}, nil
	case !exists:
		return recipe.Change{Kind: recipe.Create, Summary: "to " + l.Target, Steps: link}, nil
	case found.Target != l.Target:
		return recipe.Change{
			Kind:   recipe.Update,
			Deltas: []recipe.Delta{{Name: "target", Before: found.Target, After: l.Target}},
			Steps:  link,
		}, nil
	}
	return recipe.Change{}, nil
}

// Trace implements recipe.Remembered.
func (l Link) Trace() recipe.Trace { return recipe.Trace{Kind: "link", Name: l.Path, Gone: l.Absent} }

// Stood implements recipe.Remembered.
func (l Link) Stood(facts recipe.Facts) recipe.Before { return stoodAt(l.Path, facts) }
