package resource

import (
	"slices"

	"provision/internal/recipe"
)

// Former is a path that no task wants any more: it goes where nothing stood there before, and else
// what stood there comes back, as far as the host has a copy of it. A conffile that was there before
// its package was becomes the package's own.
type Former struct {
	Path   string
	Ours   bool           // nothing stood there before
	Gone   bool           // it was taken away, and so there is nothing of ours
	Secret bool           // neither side is shown, and no copy was kept
	Parts  []recipe.Trace // what was in it for tasks, and no longer is wanted
	With   []string       // packages that are purged after it, with their conffiles
}

// ID implements recipe.Resource.
func (f Former) ID() string { return "file:" + f.Path }

// Place implements recipe.Placed.
func (f Former) Place() string { return f.Path }

// Probes implements recipe.Resource.
func (f Former) Probes() []recipe.Probe {
	probes := []recipe.Probe{{Key: recipe.PathKey(f.Path), Digest: true}, {Key: recipe.OwnerKey(f.Path)}}
	if !f.Ours {
		copied := recipe.OriginalPath(f.Path)
		probes = append(probes, recipe.Probe{Key: recipe.PathKey(copied), Digest: true}, recipe.Probe{Key: recipe.ContentKey(copied)}, recipe.Probe{Key: recipe.ContentKey(recipe.ShippedPath(f.Path))})
	}
	return probes
}

// leave implements leaver, of a file and of a link.
func (Former) leave(t recipe.Trace, l Leaving) (recipe.Resource, string) {
	return Former{Path: t.Name, Ours: t.Before.Nothing, Gone: t.Gone, Secret: t.Secret, Parts: t.Before.Parts, With: l.purged()}, ""
}

// Diff implements recipe.Resource.
func (f Former) Diff(facts recipe.Facts) (recipe.Change, error) {
	now := facts.Path(f.Path)
	switch {
	case !f.Ours && f.older(facts):
		return f.asShipped(facts.Owner(f.Path)), nil
	case !f.Ours:
		return f.comeBack(now, facts), nil
	case f.Gone || f.Stays(facts) != "":
		return recipe.Change{}, nil
	case facts.Owner(f.Path).Conffile && slices.Contains(f.With, facts.Owner(f.Path).Package):
		return recipe.Change{}, nil
	case facts.Owner(f.Path).Conffile:
		return f.asShipped(facts.Owner(f.Path)), nil
	case now.Type == recipe.PathAbsent:
		return recipe.Change{}, nil
	case now.Type == recipe.PathFile:
		return File{Path: f.Path, Secret: f.Secret}.remove(now), nil
	}
	return Link{Path: f.Path, Absent: true}.Diff(facts)
}

// older reports whether what stood there was a conffile as a version of its package had it that is not
// the one that is installed now.
func (f Former) older(facts recipe.Facts) bool {
	was, owner := string(facts.Content(recipe.ShippedPath(f.Path)).Bytes), facts.Owner(f.Path)
	return was != "" && owner.Conffile && was != owner.Digest
}

// asShipped is the change of a conffile: without one its package would not work, so its own comes
// back.
func (f Former) asShipped(owner recipe.Owner) recipe.Change {
	if owner.Shipped {
		return recipe.Change{}
	}
	return recipe.Change{
		Kind: recipe.Update, Summary: "as " + owner.Package + " has it",
		Steps: []recipe.Step{recipe.RestoreShipped{Path: f.Path, Package: owner.Package, Secret: f.Secret}},
	}
}

func (f Former) comeBack(now recipe.Path, facts recipe.Facts) recipe.Change {
	copied := recipe.OriginalPath(f.Path)
	then := facts.Path(copied)
	if f.Stays(facts) != "" {
		return recipe.Change{}
	}
	if change, ok := f.withoutParts(now, then, facts); ok {
		return change
	}
	if now == then {
		return recipe.Change{}
	}
	step := recipe.Restore{Original: true, Path: f.Path, As: then, Secret: f.Secret}
	return putBack(now, step, facts.Content(copied), "as it was before")
}

// withoutParts is the change to the file as it was before, less what was in it for tasks.
func (f Former) withoutParts(now, then recipe.Path, facts recipe.Facts) (recipe.Change, bool) {
	content := facts.Content(recipe.OriginalPath(f.Path)).Bytes
	text, alone := string(content), false
	if recipe.Digest(content) != then.SHA256 || now.Type != recipe.PathFile && now.Type != recipe.PathAbsent {
		return recipe.Change{}, false
	}
	for _, part := range slices.Backward(f.Parts) {
		gone, _ := Leaving{}.Resource(part)
		former, ok := gone.(interface{ edit(string) (string, error) })
		if !ok {
			continue
		}
		edited, err := former.edit(text)
		if err != nil {
			return recipe.Change{}, false
		}
		text, alone = edited, alone || part.Before != nil && part.Before.NoFile
	}
	if text == string(content) {
		return recipe.Change{}, false
	}
	file := File{Path: f.Path, Content: text, Secret: f.Secret, Attributes: recipe.Attributes{Mode: then.Mode, Owner: then.Owner, Group: then.Group}}
	file.Absent = text == "" && alone
	change, err := file.Diff(map[recipe.Key]recipe.Fact{recipe.PathKey(f.Path): {Value: now}})
	return change, err == nil
}

// Stays says why the path stays as it is, "" when it does not.
func (f Former) Stays(facts recipe.Facts) string {
	now := facts.Path(f.Path)
	switch {
	case !f.Ours && facts.Path(recipe.OriginalPath(f.Path)).Type == recipe.PathAbsent:
		return "no copy is kept of what it was"
	case now.Type == recipe.PathDirectory || now.Type == recipe.PathOther:
		return "is a " + string(now.Type) + " by now"
	}
	return ""
}

// stoodAt is what stood at a path.
func stoodAt(at string, facts recipe.Facts) recipe.Before {
	return recipe.Before{Nothing: facts.Path(at).Type == recipe.PathAbsent}
}
