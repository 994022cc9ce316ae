package resource

import (
	"errors"
	"strings"

	"provision/internal/recipe"
)

// Hold keeps a package that is installed at the version that it has, whatever there is to upgrade to.
//
//	Hold{Package: "postgresql-15"}
//
// See apt-mark(8).
type Hold struct {
	Package string
	Absent  bool // it may be upgraded
}

// ID implements recipe.Resource.
func (h Hold) ID() string { return "hold:" + h.Package }

// Probes implements recipe.Resource.
func (h Hold) Probes() []recipe.Probe { return []recipe.Probe{{Key: recipe.PackageKey(h.Package)}} }

// Validate refuses what cannot be meant.
func (h Hold) Validate() error { return checkName("package", h.Package, packageName) }

// Diff implements recipe.Resource. The first letter of the status is what is wanted of a package
// (dpkg-query(1)).
func (h Hold) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Package(h.Package)
	held := found.Status != "" && found.Status[0] == 'h'
	verb, summary, after := "hold", "at version "+found.Version, "h"
	kind := recipe.Create
	switch {
	case held != h.Absent:
		return recipe.Change{}, nil
	case h.Absent:
		verb, summary, after, kind = "unhold", "no longer wanted", "i", recipe.Delete
	case !found.Installed():
		return recipe.Change{}, errors.New("is not installed: what is held is the version that is there")
	}
	return recipe.Change{Kind: kind, Summary: summary, Steps: []recipe.Step{recipe.Exec{
		Name: verb + " " + h.Package, Script: "apt-mark " + verb + " " + h.Package,
		Outcome: []recipe.Effect{recipe.Known(recipe.PackageKey(h.Package), recipe.Package{Status: after + found.Status[1:], Version: found.Version})},
	}}}, nil
}

// Trace implements recipe.Remembered.
func (h Hold) Trace() recipe.Trace {
	return recipe.Trace{Kind: "hold", Name: h.Package, Gone: h.Absent}
}

// Stood implements recipe.Remembered.
func (h Hold) Stood(facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: !strings.HasPrefix(facts.Package(h.Package).Status, "h")}
}

// leave implements leaver.
func (Hold) leave(t recipe.Trace, _ Leaving) (recipe.Resource, string) {
	if t.Gone || !t.Before.Nothing {
		return nil, ""
	}
	return Hold{Package: t.Name, Absent: true}, ""
}
