package resource

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Tree is a directory that has these files in it, and nothing else: what is in it besides goes. When
// one of them is another, all of it is written beside it and takes its place at once, so nobody sees
// half of it. No secret may be in one: it is a File's.
//
//	Tree{Path: "/var/www/shop", Files: []TreeFile{{Name: "index.html", Content: "…"}, {Name: "css/shop.css", Content: "…"}}}
//
// A directory with anything else in it is refused, unless this made it: by .tree in it that is known.
// The directory that it replaces is kept, to be put back, in the host's own memory.
type Tree struct {
	Path              string
	Files             []TreeFile
	recipe.Attributes      // of the files; default 0644 root:root. Who may read them may enter the directories
	Absent            bool // it goes with all that is in it
}

// TreeFile is a file of a Tree.
type TreeFile struct {
	Name       string // the way to it from the tree's directory: "css/shop.css"
	Content    string
	Executable bool   // by who may read it
	SHA256     string // of Content, where who read it knows it: of thousands it is made once then
}

func (f TreeFile) digest() string {
	if f.SHA256 != "" {
		return f.SHA256
	}
	return recipe.Digest([]byte(f.Content))
}

// ID implements recipe.Resource. It is the ID of a directory, so that two tasks cannot want one in two
// ways.
func (t Tree) ID() string { return "directory:" + t.Path }

// Place implements recipe.Placed.
func (t Tree) Place() string { return t.Path }

// Probes implements recipe.Resource. Where all is as it should be, the host answers with one digest.
func (t Tree) Probes() []recipe.Probe {
	if t.Absent {
		return wholeProbes(t.Path)
	}
	return append([]recipe.Probe{{Key: recipe.PathKey(t.Path)}, {Key: recipe.TreeKey(t.Path)}}, recipe.Probe{Key: recipe.FilesKey(t.Path), Same: recipe.FilesDigest(t.entries(t.marked()))})
}

// Validate refuses what cannot be meant.
func (t Tree) Validate() error {
	what := "tree " + t.Path
	if err := checkPath("tree", t.Path); err != nil || t.Absent {
		return err
	}
	if err := checkOwn(what, t.Path); err != nil {
		return err
	}
	seen := map[string]bool{recipe.TreeMark: true}
	for _, file := range t.Files {
		if err := checkPath(what, "/"+file.Name); err != nil {
			return err
		}
		if seen[file.Name] {
			return fmt.Errorf("%s: %s is there twice", what, file.Name)
		}
		seen[file.Name] = true
	}
	for name := range seen {
		for above := path.Dir(name); above != "."; above = path.Dir(above) {
			if seen[above] {
				return fmt.Errorf("%s: %s is a file, and %s is in it", what, above, name)
			}
		}
	}
	return checkAttributes(what, t.Attributes)
}

// enterable is the mode of a directory, or of a program, that those may enter, or run, who may read it.
func enterable(mode uint32) uint32 { return mode | mode&0o444>>2 }

// marked are the files with the one by which the directory is known as made by this kind.
func (t Tree) marked() []TreeFile {
	return append([]TreeFile{{Name: recipe.TreeMark, Content: "All of this directory is provision's: what else is put into it goes.\n"}}, t.Files...)
}

// othersIn refuses a directory with what is in it, unless one of these kinds has made it, or just these
// files are in it.
func (t Tree) othersIn(there recipe.Files) error {
	if there.Digest == recipe.FilesDigest(t.entries(t.Files)) {
		return nil
	}
	var names []string
	for _, entry := range there.Entries {
		if entry.Type == recipe.PathFile && slices.Contains(marks(t.Path), t.Path+"/"+entry.Name) {
			return nil
		}
		names = append(names, entry.Name)
	}
	return notOurs(t.Path, names)
}

// entries are the files, and the directories that they are in.
func (t Tree) entries(files []TreeFile) []recipe.Entry {
	is := attributes(t.Attributes, 0o644)
	var all []recipe.Entry
	made := map[string]bool{".": true}
	var makeDirectory func(name string)
	makeDirectory = func(name string) {
		if made[name] {
			return
		}
		makeDirectory(path.Dir(name))
		made[name] = true
		all = append(all, recipe.Entry{Name: name, Path: recipe.Path{Type: recipe.PathDirectory, Mode: enterable(is.Mode), Owner: is.Owner, Group: is.Group}})
	}
	for _, file := range files {
		makeDirectory(path.Dir(file.Name))
		entry := recipe.Entry{Name: file.Name, Path: recipe.Path{Type: recipe.PathFile, Mode: is.Mode, Owner: is.Owner, Group: is.Group, SHA256: file.digest()}}
		if file.Executable {
			entry.Mode = enterable(is.Mode)
		}
		all = append(all, entry)
	}
	return all
}

// Diff implements recipe.Resource.
func (t Tree) Diff(facts recipe.Facts) (recipe.Change, error) {
	if t.Absent {
		return wholeGone(t.Path, facts)
	}
	found, there := facts.Path(t.Path), facts.Files(t.Path)
	if found.Type != recipe.PathAbsent && found.Type != recipe.PathDirectory {
		return recipe.Change{}, fmt.Errorf("%s: is a %s, not a directory", t.Path, found.Type)
	}
	wanted, entries := attributes(t.Attributes, 0o644), t.entries(t.marked())
	wanted.Mode = enterable(wanted.Mode)
	if found.Type == recipe.PathDirectory && there.Digest == recipe.FilesDigest(entries) {
		return attributesChange(t.Path, found, wanted, false), nil
	}
	if err := inTheWay(t.Path, facts.Tree(t.Path)); err != nil {
		return recipe.Change{}, err
	}
	if err := t.othersIn(there); err != nil {
		return recipe.Change{}, err
	}
	step := recipe.WriteTree{Path: t.Path, Mode: wanted.Mode, Owner: wanted.Owner, Group: wanted.Group, Entries: entries, Content: map[string][]byte{}}
	for _, file := range t.marked() {
		step.Content[file.Name] = []byte(file.Content)
	}
	change := recipe.Change{Kind: recipe.Create, Summary: fmt.Sprintf("%d files, %s", len(t.Files), describeAttributes(wanted)), Steps: []recipe.Step{step}}
	if found.Type == recipe.PathDirectory {
		change.Kind, change.Summary = recipe.Update, "what is in it differs"
		change.Deltas = append(attributeDeltas(wanted, found), entryDeltas(there.Entries, entries)...)
		change.Diff = t.onlyDiff(there.Entries, entries)
	}
	return change, nil
}

// entryDeltas names what comes, what is another, and what goes.
func entryDeltas(before, after []recipe.Entry) []recipe.Delta {
	was := map[string]recipe.Path{}
	for _, entry := range before {
		was[entry.Name] = entry.Path
	}
	var added, changed, removed []string
	for _, entry := range after {
		old, there := was[entry.Name]
		delete(was, entry.Name)
		switch {
		case !there:
			added = append(added, entry.Name)
		case old != entry.Path:
			changed = append(changed, entry.Name)
		}
	}
	for name := range was {
		removed = append(removed, name)
	}
	slices.Sort(removed)
	var deltas []recipe.Delta
	for _, d := range []recipe.Delta{{Name: "added", After: listed(added)}, {Name: "changed", After: listed(changed)}, {Name: "removed", Before: listed(removed)}} {
		if d.Before+d.After != "" {
			deltas = append(deltas, d)
		}
	}
	return deltas
}

// listed are names for people: the first of many.
func listed(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// onlyDiff shows the one file whose content is another, when it is one.
func (t Tree) onlyDiff(before, after []recipe.Entry) *recipe.FileDiff {
	was := map[string]recipe.Path{}
	for _, entry := range before {
		was[entry.Name] = entry.Path
	}
	var only *recipe.FileDiff
	for _, entry := range after {
		old := was[entry.Name]
		if entry.Name == recipe.TreeMark || old.Type != recipe.PathFile || entry.Type != recipe.PathFile || old.SHA256 == entry.SHA256 {
			continue
		}
		if only != nil {
			return nil
		}
		at := slices.IndexFunc(t.Files, func(f TreeFile) bool { return f.Name == entry.Name })
		only = &recipe.FileDiff{Path: t.Path + "/" + entry.Name, Exists: true, After: []byte(t.Files[at].Content)}
	}
	return only
}

// Trace implements recipe.Remembered.
func (t Tree) Trace() recipe.Trace { return recipe.Trace{Kind: "tree", Name: t.Path, Gone: t.Absent} }

// Stood implements recipe.Remembered.
func (t Tree) Stood(facts recipe.Facts) recipe.Before { return stoodAt(t.Path, facts) }

// leave implements leaver: with all that is in it, for all of it is ours, unless something of that
// stays. Of what stood there before, a directory is kept for a rollback alone.
func (Tree) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	switch {
	case t.Gone:
		return nil, ""
	case !t.Before.Nothing, l.keeps(t.Name):
		return nil, "tree " + t.Name
	}
	return Directory{Path: t.Name, Absent: true, Tree: true}, ""
}

// Whole implements recipe.Whole.
func (t Tree) Whole() bool { return true }
