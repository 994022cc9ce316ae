package resource

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Leaving is how traces leave of which no task wants anything any more.
type Leaving struct {
	Traces []recipe.Trace // of all that leaves
	Purge  bool           // packages, accounts and secrets that came for a task go too
	Spares []string       // packages that somebody wants: one that they depend on stays
}

// Resource returns what takes a trace away, nil for what stays; stays says in a word or two what of
// it does, of what came for a task.
func (l Leaving) Resource(t recipe.Trace) (leaving recipe.Resource, stays string) {
	if t.Before == nil && t.Kind != "service" && t.Kind != "command" {
		return nil, l.unknown(t)
	}
	came := t.Before != nil && t.Before.Nothing
	switch t.Kind {
	case "file", "link":
		return Former{Path: t.Name, Ours: came, Gone: t.Gone, Secret: t.Secret, Parts: t.Before.Parts, With: l.purged()}, ""
	case "secret":
		if t.Gone || came && l.Purge {
			return Former{Path: t.Name, Ours: came, Gone: t.Gone, Secret: true}, ""
		}
		if !came { // it was there before
			return nil, ""
		}
		return nil, "secret " + t.Name
	case "directory":
		if t.Gone {
			return nil, ""
		}
		if came && t.Data && l.Purge && !l.keeps(t.Name) {
			return Directory{Path: t.Name, Absent: true, Tree: true}, ""
		}
		return FormerDirectory{Path: t.Name, Ours: came, Data: t.Data, Below: l.below(t.Name)}, ""
	case "tree":
		return l.tree(t, came)
	case "line":
		return l.line(t)
	case "block", "authorized_key":
		return l.part(t)
	case "service":
		if t.Before == nil && !t.Gone && !l.takesUnit(t.Name) {
			return Stands(t), l.unknown(t)
		}
		return l.service(t), ""
	case "timezone":
		if t.Gone || !came && t.Before.Line == "" {
			return nil, ""
		}
		return Timezone{Name: t.Before.Line, Absent: came}, ""
	case "alternative":
		if t.Gone {
			return nil, ""
		}
		return FormerAlternative{Alternative{Name: t.Name, Path: t.Before.Line, Absent: came}}, ""
	case "hold":
		if t.Gone || !came {
			return nil, ""
		}
		return Hold{Package: t.Name, Absent: true}, ""
	case "membership":
		if t.Gone || !came {
			return nil, ""
		}
		return Membership{User: t.Name, Group: t.Group, Absent: true}, ""
	}
	return l.dear(t, came)
}

// unknown says that a thing stays of which it is not known whether it stood there before any task
// wanted it: where nothing of ours is certain, nothing is taken away.
func (l Leaving) unknown(t recipe.Trace) string {
	if t.Gone {
		return ""
	}
	return called(t) + " (it is not known whether it was there before)"
}

// called is what people call a thing.
func called(t recipe.Trace) string {
	switch t.Kind {
	case "line", "block", "authorized_key":
		return strings.ReplaceAll(t.Kind, "_", " ") + " " + cmp.Or(t.Key, t.Match, t.Line) + " of " + t.Name
	case "membership":
		return t.Name + " in the group " + t.Group
	}
	return t.Kind + " " + t.Name
}

// OnPurge reports whether a thing came for a task, and goes with it only when a purge is asked for.
func OnPurge(t recipe.Trace) bool {
	return !t.Gone && t.Before != nil && t.Before.Nothing && (t.Data || slices.Contains([]string{"package", "user", "group", "secret", "certificate"}, t.Kind))
}

// dear is what stays unless a purge is asked for: what it took along could not be put back.
func (l Leaving) dear(t recipe.Trace, came bool) (recipe.Resource, string) {
	if t.Kind == "command" && t.Made {
		return FormerCommand{t.Name}, ""
	}
	if t.Kind == "command" {
		return FormerCommand{t.Name}, `what the command "` + t.Name + `" did`
	}
	switch {
	case t.Gone:
		return nil, ""
	case !came && t.Kind == "user": // its shell or its password may be another than it was
		return nil, called(t) + " as it is now"
	case !came:
		return nil, ""
	}
	if l.Purge {
		switch t.Kind {
		case "package":
			return Package{Name: t.Name, Absent: true, Brings: l.accounts(), Spares: l.Spares}, ""
		case "user":
			return User{Name: t.Name, Absent: true}, ""
		case "group":
			return Group{Name: t.Name, Absent: true}, ""
		case "certificate":
			return FormerCertificate{Certificate{Path: t.Name, Key: t.Key, Absent: true}}, ""
		}
	}
	return nil, t.Kind + " " + t.Name
}

// tree goes with all that is in it, for all of it is ours, unless something of that stays. Of what stood
// there before, a directory is kept for a rollback alone.
func (l Leaving) tree(t recipe.Trace, came bool) (recipe.Resource, string) {
	switch {
	case t.Gone:
		return nil, ""
	case !came, l.keeps(t.Name):
		return nil, "tree " + t.Name
	}
	return Directory{Path: t.Name, Absent: true, Tree: true}, ""
}

// line goes, or those that it replaced come back.
func (l Leaving) line(t recipe.Trace) (recipe.Resource, string) {
	back := t.Before.Lines()
	switch {
	case len(back) > 0:
	case t.Gone:
		return nil, ""
	case !t.Before.Nothing:
		return nil, "secret line " + t.Key + " of " + t.Name
	}
	return FormerLine{Line: lineOf(t), Back: back, Ours: t.Before.NoFile}, ""
}

// part goes, unless another stood in its place.
func (l Leaving) part(t recipe.Trace) (recipe.Resource, string) {
	ours, alone := t.Before.Nothing, t.Before.NoFile
	switch {
	case t.Gone:
		return nil, ""
	case !ours && t.Kind == "block":
		return nil, "block " + t.Key + " of " + t.Name
	case !ours && t.Before.Line != "":
		return FormerKey{Key: AuthorizedKey{User: t.Name, Key: t.Line, Home: t.Home}, Back: t.Before.Line}, ""
	case !ours:
		return nil, called(t) + " as it is now"
	case t.Kind == "block":
		return FormerPart{Block{Path: t.Name, Name: t.Key, Comment: t.Comment, Secret: t.Secret, Absent: true, Ours: alone}}, ""
	}
	return FormerPart{AuthorizedKey{User: t.Name, Key: t.Line, Home: t.Home, Absent: true, Ours: alone}}, ""
}

// service makes of a unit what it was: it is stopped when it did not run before any task wanted it, as
// one that came with a task. What ran goes on, and takes in that its files go.
func (l Leaving) service(t recipe.Trace) recipe.Resource {
	stopped, standing := Service{Unit: t.Name, Absent: true}, Stands(t)
	switch before := t.Before; {
	case t.Gone:
		return nil
	case before == nil || before.Unit == nil:
		return stopped
	case !before.Unit.Running() && before.Unit.Active != "activating":
		stopped.Boots = startsAtBoot(before.Unit.State)
		return stopped
	default:
		standing.Disable = !startsAtBoot(before.Unit.State)
		return standing
	}
}

// Stands is a service that goes on though what leaves was of its configuration.
func Stands(t recipe.Trace) Standing {
	return Standing{Service: Service{Unit: t.Name, Check: t.Check, Trees: t.Trees, Dry: t.Dry, Scratch: t.Scratch, Guarded: t.Guarded, Oneshot: t.Oneshot}}
}

// unitDirectories are those in which a task may put a unit (systemd.unit(5)).
var unitDirectories = []string{"/etc/systemd/system/", "/usr/local/lib/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"}

// takesUnit reports whether the file of a unit goes.
func (l Leaving) takesUnit(unit string) bool {
	return slices.ContainsFunc(l.Traces, func(t recipe.Trace) bool {
		return t.Kind == "file" && !t.Gone && t.Before != nil && t.Before.Nothing &&
			slices.ContainsFunc(unitDirectories, func(d string) bool { return t.Name == d+unit })
	})
}

// purged are the packages that go.
func (l Leaving) purged() []string {
	var names []string
	for _, t := range l.Traces {
		if l.Purge && t.Kind == "package" && !t.Gone && t.Before != nil && t.Before.Nothing {
			names = append(names, t.Name)
		}
	}
	return names
}

// accounts are those that leave, which the scripts of a package may have taken away before.
func (l Leaving) accounts() []recipe.Key {
	keys := []recipe.Key{} // what else goes is behind what asks about it
	for _, t := range l.Traces {
		switch t.Kind {
		case "user":
			keys = append(keys, recipe.UserKey(t.Name), recipe.GroupKey(t.Name))
		case "group":
			keys = append(keys, recipe.GroupKey(t.Name))
		}
	}
	return keys
}

// below is what leaves of what is in a directory.
func (l Leaving) below(directory string) []string {
	var paths []string
	for _, t := range l.Traces {
		at, _ := At(t)
		if at = cmp.Or(at, t.Name); path.Dir(at) == directory && !slices.Contains(paths, at) {
			paths = append(paths, at)
		}
	}
	return paths
}
