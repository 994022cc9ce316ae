package resource

import (
	"fmt"
	"path"
	"strings"

	"provision/internal/recipe"
)

// Directory is a directory. What is in it is not its business, but when it is Absent with Tree: then
// all of it goes.
type Directory struct {
	Path              string
	recipe.Attributes      // default 0755 root:root
	Parents           bool // those above it that are not there are made too, 0755 root:root, and stay; else its parent exists
	Absent            bool
	Tree              bool // with Absent: a directory that is not empty goes too
	Data              bool // what comes into it is the task's, as releases: a purge takes all of it
}

// ID implements recipe.Resource.
func (d Directory) ID() string { return "directory:" + d.Path }

// Place implements recipe.Placed.
func (d Directory) Place() string { return d.Path }

// Probes implements recipe.Resource.
func (d Directory) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(d.Path)}}
	if d.Absent && d.Tree {
		probes = append(probes, recipe.Probe{Key: recipe.TreeKey(d.Path)})
	}
	for _, parent := range d.parents() {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(parent)})
	}
	return probes
}

// parents are the directories above it that it may have to make, the outermost first.
func (d Directory) parents() []string {
	var all []string
	if d.Absent || !d.Parents {
		return nil
	}
	for parent := path.Dir(d.Path); parent != "/" && parent != "."; parent = path.Dir(parent) {
		all = append([]string{parent}, all...)
	}
	return all
}

// Validate refuses what cannot be meant.
func (d Directory) Validate() error {
	if err := checkPath("directory", d.Path); err != nil {
		return err
	}
	return checkAttributes("directory "+d.Path, d.Attributes)
}

// Diff implements recipe.Resource.
func (d Directory) Diff(facts recipe.Facts) (recipe.Change, error) {
	found := facts.Path(d.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathDirectory {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a directory", d.Path, found.Type)
	}
	exists := found.Type == recipe.PathDirectory
	wanted := attributes(d.Attributes, 0o755)
	switch {
	case d.Absent && exists && d.Tree && inTheWay(d.Path, facts.Tree(d.Path)) != nil:
		return recipe.Change{}, inTheWay(d.Path, facts.Tree(d.Path))
	case d.Absent && exists:
		return recipe.Change{
			Kind: recipe.Delete, Summary: "no longer wanted",
			Steps: []recipe.Step{recipe.Remove{Path: d.Path, Tree: d.Tree}},
		}, nil
	case d.Absent:
		return recipe.Change{}, nil
	case !exists:
		change := recipe.Change{Kind: recipe.Create, Summary: describeAttributes(wanted)}
		for _, parent := range d.parents() {
			if facts.Path(parent).Type == recipe.PathAbsent {
				change.Deltas = append(change.Deltas, recipe.Delta{Name: "above it", After: parent})
				change.Steps = append(change.Steps, recipe.MakeDirectory{Path: parent, Attributes: attributes(recipe.Attributes{}, 0o755)})
			}
		}
		change.Steps = append(change.Steps, recipe.MakeDirectory{Path: d.Path, Attributes: wanted})
		return change, nil
	}
	return attributesChange(d.Path, found, wanted, false), nil
}

// inTheWay says why a directory is not removed with all that is in it: what is mounted there is
// not its own, and what could not be put back is not taken away.
func inTheWay(at string, tree recipe.Tree) error {
	switch {
	case len(tree.Mounts) > 0:
		return fmt.Errorf("%s: is not removed, for something is mounted there: %s", at, strings.Join(tree.Mounts, ", "))
	case tree.Kilobytes > recipe.MostCopied:
		return fmt.Errorf("%s: is not removed: its %d MiB are not in the file system of the host's own copies, and more than %d MiB are not copied there to be put back",
			at, tree.Kilobytes>>10, recipe.MostCopied>>10)
	}
	return nil
}
