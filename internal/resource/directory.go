package resource

import (
	"fmt"
	"path"
	"slices"
	"strconv"
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

// Trace implements recipe.Remembered. What went with a directory does not come back.
func (d Directory) Trace() recipe.Trace {
	return recipe.Trace{Kind: "directory", Name: d.Path, Gone: d.Absent, Data: d.Data && !d.Absent}
}

// Stood implements recipe.Remembered.
func (d Directory) Stood(facts recipe.Facts) recipe.Before { return stoodAt(d.Path, facts) }

// leave implements leaver.
func (Directory) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	came := t.Before.Nothing
	switch {
	case t.Gone:
		return nil, ""
	case came && t.Data && l.Purge && !l.keeps(t.Name):
		return Directory{Path: t.Name, Absent: true, Tree: true}, ""
	}
	return FormerDirectory{Path: t.Name, Ours: came, Data: t.Data, Below: l.below(t.Name)}, ""
}

// Whole implements recipe.Whole.
func (d Directory) Whole() bool { return d.Absent && d.Tree }

// FormerDirectory is a directory that no task wants any more: it goes where it was made for one and
// nothing is left in it, and no package has it.
type FormerDirectory struct {
	Path  string
	Ours  bool     // nothing stood there before
	Data  bool     // a purge would take it with all that is in it
	Below []string // what leaves of what is in it, before it does
}

// ID implements recipe.Resource.
func (d FormerDirectory) ID() string { return "directory:" + d.Path }

// Place implements recipe.Placed.
func (d FormerDirectory) Place() string { return d.Path }

// Probes implements recipe.Resource.
func (d FormerDirectory) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(d.Path)}}
	if !d.Ours {
		return append(probes, recipe.Probe{Key: recipe.PathKey(recipe.OriginalPath(d.Path))})
	}
	for _, path := range d.Below {
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(path)})
	}
	return append(probes, recipe.Probe{Key: recipe.EntriesKey(d.Path)}, recipe.Probe{Key: recipe.OwnerKey(d.Path)})
}

// Diff implements recipe.Resource.
func (d FormerDirectory) Diff(facts recipe.Facts) (recipe.Change, error) {
	now := facts.Path(d.Path)
	switch {
	case now.Type != recipe.PathDirectory:
		return recipe.Change{}, nil
	case !d.Ours:
		then := facts.Path(recipe.OriginalPath(d.Path))
		if then.Type != recipe.PathDirectory || then == now {
			return recipe.Change{}, nil
		}
		return putBack(now, recipe.Restore{Original: true, Path: d.Path, As: then}, recipe.Content{}, "as it was before"), nil
	case facts.Owner(d.Path).Package != "" || d.left(facts):
		return recipe.Change{}, nil
	}
	return recipe.Change{
		Kind: recipe.Delete, Summary: "no longer wanted",
		Steps: []recipe.Step{recipe.Remove{Path: d.Path, Empty: true}},
	}, nil
}

// left reports whether anything is left in the directory.
func (d FormerDirectory) left(facts recipe.Facts) bool {
	return d.others(facts) > 0 || slices.ContainsFunc(d.Below, func(entry string) bool { return facts.Path(entry).Type != recipe.PathAbsent })
}

// others counts what is in the directory and does not leave.
func (d FormerDirectory) others(facts recipe.Facts) int {
	n := 0
	for _, name := range facts.Entries(d.Path) {
		path := strings.TrimSuffix(d.Path, "/") + "/" + name
		known, asked := facts[recipe.PathKey(path)]
		goes := asked && known.Until == "" && facts.Path(path).Type == recipe.PathAbsent // as what a task wants away
		if !goes && !slices.Contains(d.Below, path) {
			n++
		}
	}
	return n
}

// Stays says why the directory stays, "" when it does not.
func (d FormerDirectory) Stays(facts recipe.Facts) string {
	owner, others := facts.Owner(d.Path).Package, d.others(facts)
	switch {
	case !d.Ours || facts.Path(d.Path).Type != recipe.PathDirectory:
		return ""
	case owner != "":
		return "belongs to the package " + owner
	case others > 0 && d.Data:
		return "what came into it is kept"
	case others > 0:
		return "things of others in it: " + strconv.Itoa(others)
	}
	return ""
}
